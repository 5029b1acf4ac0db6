/**
 * `npm run vectors -- DIR`: runs the verifiers that the core runs over recordings of real networks. DIR holds a
 * `manifest.json` and the files that it names. One line an entry, then `N passed, N failed`; exit 1 on a failure, 2 when
 * there is nothing to run. An entry whose `expect` (or `expect.result`) begins with `valid` must verify and be as recorded in every part; any
 * other must be refused. What the files mean is in test/vectors/README.md.
 */
import { resolve } from 'node:path';
import { isProtocolError } from '@drawbridge/protocol/protocol-error';
import { checkRecording } from './recordings/check-recording.ts';
import { checkCordaRecording } from './recordings/corda-recording.ts';
import {
  type CordaRecording,
  type Fields,
  isFields,
  manifestEntries,
  type Recording,
  RecordingFault,
  RecordingUnusable,
  recordingOf,
} from './recordings/recording.ts';

const USAGE = 'npm run vectors -- DIR     DIR holds manifest.json and the recordings that it names';

type Outcome = Readonly<{ passed: boolean; words: string }>;

/** Why a recording is refused, or `undefined` when it verifies and everything is as recorded. */
async function refusalOf(recording: Recording | CordaRecording): Promise<string | undefined> {
  try {
    if (recording.rule === 'corda-notary') checkCordaRecording(recording);
    else await checkRecording(recording);
    return undefined;
  } catch (error) {
    if (error instanceof RecordingFault || isProtocolError(error)) return error.message;
    throw error;
  }
}

async function outcomeOf(folder: string, entry: Fields): Promise<Outcome> {
  const expected = isFields(entry.expect) ? entry.expect.result : entry.expect;
  const expectation = typeof expected === 'string' ? expected : undefined;
  if (expectation === undefined) return { passed: false, words: 'the manifest does not say what to expect' };
  const shouldVerify = /^valid\b/i.test(expectation);
  try {
    const refusal = await refusalOf(recordingOf(folder, entry));
    if (shouldVerify) return { passed: refusal === undefined, words: refusal ?? 'verified' };
    return refusal === undefined
      ? { passed: false, words: `verified, expected: ${expectation}` }
      : { passed: true, words: `refused: ${refusal}` };
  } catch (error) {
    if (error instanceof RecordingUnusable) return { passed: false, words: error.message };
    // A bug, whatever is expected of the entry: the others are still worth running.
    return { passed: false, words: `crashed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}` };
  }
}

async function main(argument: string | undefined): Promise<number> {
  if (argument === undefined || argument.startsWith('-')) {
    process.stderr.write(`${USAGE}\n`);
    return argument === '--help' || argument === '-h' ? 0 : 2;
  }
  // npm runs scripts in the root; the folder is meant from where npm was called.
  const folder = resolve(process.env.INIT_CWD ?? '.', argument);
  let entries: readonly Fields[];
  try {
    entries = manifestEntries(folder);
  } catch (error) {
    if (!(error instanceof RecordingUnusable)) throw error;
    process.stderr.write(`${folder}: ${error.message}\n`);
    return 2;
  }
  let failed = 0;
  for (const entry of entries) {
    const { passed, words } = await outcomeOf(folder, entry);
    if (!passed) failed++;
    process.stdout.write(`${passed ? 'pass' : 'FAIL'}  ${String(entry.id ?? entry.file)}: ${words}\n`);
  }
  process.stdout.write(`${entries.length - failed} passed, ${failed} failed\n`);
  return failed > 0 || entries.length === 0 ? 1 : 0;
}

process.exitCode = await main(process.argv[2]);
