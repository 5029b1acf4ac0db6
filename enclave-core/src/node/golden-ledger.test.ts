import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { encodeRecord, type LedgerRecord, leafOf } from '@drawbridge/protocol/ledger/ledger-record';
import { MerkleFrontier } from '@drawbridge/protocol/ledger/merkle-tree';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import { describe, expect, it } from '@jest/globals';
import { LedgerKeys } from '../keys/ledger-keys.ts';
import { openRekey } from '../keys/rekey.ts';
import { RELEASED_RULES } from '../settlement/rules.ts';
import { sha256 } from '../sha256.ts';
import { entryOfRecord } from './record-entry.ts';
import { ReplicatedMachine } from './replicated-machine.ts';
import { digestOf, genesisImage, openImage } from './state-image.ts';
import { recordsIn } from './testing/chunk-records.ts';

const GOLDEN = fileURLToPath(new URL('../../../test/vectors/golden-ledger/', import.meta.url));
/** Of every file of every release, as `sha256sum` writes them: a recording that is made again shows there. */
const SUMS = `${GOLDEN}SHA256SUMS`;
const MEMBERS = { voters: [1], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };

type Keys = Readonly<{ nodeId: NodeId; secrets: readonly (readonly [number, string])[]; genesis: string }>;
type Expected = Readonly<{ seqno: number; stateDigest: string; root: string; snapshots: number }>;

const json = <T>(release: string, name: string): T =>
  JSON.parse(readFileSync(`${GOLDEN}${release}/${name}`, 'utf8')) as T;

function sumsOf(release: string): string[] {
  const files = readdirSync(`${GOLDEN}${release}`).sort();
  return files.map((name) => {
    const sum = createHash('sha256')
      .update(readFileSync(`${GOLDEN}${release}/${name}`))
      .digest('hex');
    return `${sum}  ${release}/${name}`;
  });
}

/** What this program makes of the entries alone: each record again, and the state in the end. */
async function replay(release: string): Promise<Expected> {
  const { nodeId, secrets, genesis } = json<Keys>(release, 'keys.json');
  const [first] = secrets;
  if (!first) throw new Error('there is no first secret');
  // The later secrets come from the ledger itself.
  const keys = new LedgerKeys(new Map([[first[0], Buffer.from(first[1], 'hex')]]));
  const recorded = recordsIn(`${GOLDEN}${release}`);
  const tree = MerkleFrontier.start(sha256);
  const digests = new Map<number, Promise<Buffer>>();
  const differing: number[] = [];
  const vouched: Promise<boolean>[] = [];
  const append = (record: LedgerRecord): void => {
    const before = recorded[record.seqno - 1];
    if (!before || !Buffer.from(encodeRecord(before)).equals(encodeRecord(record))) differing.push(record.seqno);
    tree.append(leafOf(record, sha256));
  };
  const machine = new ReplicatedMachine({
    keys,
    rules: RELEASED_RULES,
    openRekey: (entry) => openRekey(entry, nodeId, (_, sealed) => sealed, keys),
    history: { append: () => undefined },
    ledger: { append, resumeAt: () => undefined, frontier: () => tree.clone() },
    onMark: ({ index, state }) => digests.set(index, digestOf(state)),
    onApplied: (entries) => {
      for (const { service } of entries) {
        if (service?.entry.type !== 'snapshotEvidence') continue;
        const { seqno, digest } = service.entry;
        vouched.push((digests.get(seqno) ?? Promise.reject(new Error('no mark'))).then((own) => own.equals(digest)));
      }
    },
  });
  const [genesisRecord, ...entries] = recorded;
  if (!genesisRecord) throw new Error('the ledger is empty');
  const { state } = await openImage(keys, 1, genesisImage(Buffer.from(genesis, 'base64')));
  machine.restore(state, { index: 1, term: 1, data: genesisRecord.data });
  for (const record of entries) machine.applyBatch([entryOfRecord(record)], MEMBERS);
  expect(differing).toEqual([]);
  expect(await Promise.all(vouched)).toEqual(vouched.map(() => true));
  const end = { ...machine.replicated(), frontier: tree };
  const digest = await digestOf(end);
  const root = Buffer.from(tree.root()).toString('hex');
  return { seqno: machine.index, stateDigest: digest.toString('hex'), root, snapshots: vouched.length };
}

describe('golden ledger', () => {
  const releases = readdirSync(GOLDEN, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  it.each(releases.map(({ name }) => name))(
    'of folder %s, the protocol version first in its name, replays to the same bytes',
    async (release) => {
      const made = await replay(release);
      // Only for a folder that has just been recorded.
      const file = `${GOLDEN}${release}/expected.json`;
      if (process.env.RECORD_GOLDEN === release)
        writeFileSync(file, `${JSON.stringify(made, null, 2)}\n`, { flag: 'wx' });
      expect(made).toEqual(json<Expected>(release, 'expected.json'));
    },
  );

  it('is what was recorded, to the byte', () => {
    const made = `${releases.flatMap(({ name }) => sumsOf(name)).join('\n')}\n`;
    if (process.env.RECORD_GOLDEN !== undefined) writeFileSync(SUMS, made);
    expect(made).toBe(readFileSync(SUMS, 'utf8'));
  });
});
