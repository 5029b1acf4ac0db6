/** The demonstration, ended by a signal before it is done: in words, with a shell's exit code, and nothing left running. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { sourceProgram } from '@drawbridge/devnets/source-program';
import { expect, it } from '@jest/globals';

const DEMO = join(resolve(import.meta.dirname, '../..'), 'demo/src/main.ts');

/** Runs the demonstration and signals it when it says `line`. */
async function endAt(line: RegExp, signal: NodeJS.Signals): Promise<{ code: number; stderr: string; folder: string }> {
  const { command, args } = sourceProgram(DEMO, ['--once']);
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  createInterface({ input: child.stdout }).on('line', (text) => {
    stdout += `${text}\n`;
    if (line.test(text)) child.kill(signal);
  });
  const [code] = await once(child, 'close');
  expect(stdout).toContain('ended before the last payment, as asked');
  return { code: Number(code), stderr, folder: /^logs and keys of this run: (.*)$/m.exec(stdout)?.[1] ?? '' };
}

it.each([
  ['while it starts', /starting two networks/, 'SIGTERM', 143],
  ['while it pays', /^payment {2}1 {2}AWAITING_FUNDS/, 'SIGINT', 130],
] as const)(
  '%s',
  async (_when, line, signal, code) => {
    const ended = await endAt(line, signal);
    expect(ended).toEqual({ code, stderr: '', folder: expect.stringMatching(/drawbridge-/) });
    // The core ends in good order, after those that ask it; where it had not been started there is no log.
    const log = await readFile(join(ended.folder, 'logs/core.log'), 'utf8').catch(() => 'stopping');
    expect(log).toContain('stopping');
  },
  180_000,
);
