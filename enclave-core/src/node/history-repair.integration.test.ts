/** On the golden ledger: the records of a small service, with the keys that open them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readEntryFrame } from '@drawbridge/protocol/ledger/entry-frame';
import type { LedgerRecord } from '@drawbridge/protocol/ledger/ledger-record';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import { decodeGenesisRecord, decodeServiceEntry } from '@drawbridge/protocol/ledger/service-entry';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { LedgerKeys } from '../keys/ledger-keys.ts';
import { openRekey } from '../keys/rekey.ts';
import type { EntryRecords } from '../settlement/record.ts';
import { type HistoryRepairInput, repairHistory, replayLedger } from './history-repair.ts';
import { digestOf, headOfImage, sealImage } from './state-image.ts';
import { recordsIn } from './testing/chunk-records.ts';

const GOLDEN = fileURLToPath(new URL('../../../test/vectors/golden-ledger/1/', import.meta.url));
type GoldenKeys = Readonly<{ nodeId: NodeId; secrets: readonly (readonly [number, string])[]; genesis: string }>;
const golden = JSON.parse(readFileSync(`${GOLDEN}keys.json`, 'utf8')) as GoldenKeys;
const records: readonly LedgerRecord[] = recordsIn(GOLDEN);

type Repaired = HistoryRepairInput['history'] & Readonly<{ entries: readonly [number, EntryRecords][] }>;

/** Passes over what it has, as the real one does. */
function historyWith(...entries: [number, EntryRecords][]): Repaired {
  return {
    entries,
    isOutdated: false,
    get lastSeqno() {
      return entries.at(-1)?.[0] ?? 0;
    },
    append: (seqno, left) => {
      if (seqno > (entries.at(-1)?.[0] ?? 0)) entries.push([seqno, left]);
    },
    clear: async () => void entries.splice(0),
    drained: async () => undefined,
    flush: async () => undefined,
  };
}

function inputOf(made: readonly LedgerRecord[]): Omit<HistoryRepairInput, 'history' | 'snapshot'> {
  const keys = new LedgerKeys(new Map(golden.secrets.map(([epoch, secret]) => [epoch, Buffer.from(secret, 'hex')])));
  return {
    ledger: {
      readFrom: async function* (from) {
        yield* made.slice(from - 1);
      },
    },
    keys,
    rules: undefined,
    openRekey: (entry) => openRekey(entry, golden.nodeId, (_, sealed) => sealed, keys),
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    lastIndex: records.length,
    genesis: async () => {
      const [first] = records;
      if (!first) throw new Error('the golden ledger is empty');
      return { content: Buffer.from(golden.genesis, 'base64'), record: decodeGenesisRecord(first.data) };
    },
  };
}

/** As the node made it of the true records, right before a signature would cover what `tampered` changes. */
async function snapshotAt(index: number): Promise<NonNullable<HistoryRepairInput['snapshot']>> {
  const input = inputOf(records);
  const state = await replayLedger({ ...input, history: historyWith(), upTo: index });
  const pieces: Uint8Array[] = [];
  await sealImage(input.keys, state, async (piece) => void pieces.push(piece));
  return { index, head: headOfImage(0), bytes: Buffer.concat(pieces).length, pieces: () => pieces };
}

/** Two neighbours with sealed content, both in front of the same signature. */
const victim: number = records.findIndex(
  ({ kind }, at) => at > 50 && kind === 'settlement' && records[at + 1]?.kind === 'settlement',
);

/** The ledger with the sealed content of another entry in one place; a host can write the leaf to fit. */
function tampered(): LedgerRecord[] {
  const [record, other] = [records[victim], records[victim + 1]];
  if (!record || !other) throw new Error('no two sealed entries follow each other');
  return records.toSpliced(victim, 1, { ...record, data: other.data });
}

describe('history is made again', () => {
  let whole: readonly [number, EntryRecords][];
  let last: NonNullable<HistoryRepairInput['snapshot']>;
  let history: Repaired;
  beforeAll(async () => {
    last = await snapshotAt(records.length);
    const made = historyWith();
    await repairHistory({ ...inputOf(records), history: made, snapshot: last });
    whole = made.entries;
  });
  beforeEach(() => {
    history = historyWith();
  });

  it('from records that lead to the tree of the snapshot', () => {
    expect(whole.map(([seqno]) => seqno)).toEqual(records.map(({ seqno }) => seqno));
    expect(whole.some(([, { events }]) => events.length > 0)).toBe(true);
  });

  it('not from a record that a signature of the ledger does not cover', async () => {
    const repair = repairHistory({ ...inputOf(tampered()), history, snapshot: last });
    await expect(repair).rejects.toMatchObject({
      code: 'LEDGER_DAMAGED',
      message: expect.stringContaining('covers another ledger'),
    });
  });

  it('nor from one that the tree of the snapshot does not hold, and is not whole then', async () => {
    const snapshot = await snapshotAt(victim + 2);
    const repair = repairHistory({ ...inputOf(tampered()), history, snapshot });
    await expect(repair).rejects.toMatchObject({
      code: 'LEDGER_DAMAGED',
      message: expect.stringContaining('do not lead to the tree of the snapshot'),
    });
    expect(history.lastSeqno).toBeLessThan(snapshot.index);
  });

  it('from the beginning after a repair that did not come to its end', async () => {
    history = historyWith(...whole.slice(0, victim).map(([seqno]): [number, EntryRecords] => [seqno, NOTHING]));
    await repairHistory({ ...inputOf(records), history, snapshot: last });
    expect(history.entries).toEqual(whole);
  });

  it('where it was written in another format, and says so', async () => {
    const said: object[] = [];
    const log = { ...inputOf(records).log, warn: (fields: object) => void said.push(fields) };
    const outdated = historyWith([records.length, NOTHING]);
    history = Object.defineProperty(outdated, 'isOutdated', { value: true });
    await repairHistory({ ...inputOf(records), log, history, snapshot: last });
    expect(history.entries).toEqual(whole);
    expect(said).toEqual([{ code: 'HISTORY_FORMAT' }]);
  });

  it('with the state that the ledger vouches for', async () => {
    const entries = records
      .filter(({ kind }) => kind === 'service')
      .map(({ data }) => decodeServiceEntry(readEntryFrame(data).payload));
    const evidence = entries.find((entry) => entry.type === 'snapshotEvidence');
    if (!evidence) throw new Error('the golden ledger has no snapshot');
    const replayed = await replayLedger({ ...inputOf(records), history, upTo: evidence.seqno });
    expect(await digestOf(replayed)).toEqual(Buffer.from(evidence.digest));
  });

  it('only where it lacks something', async () => {
    history = historyWith([records.length, NOTHING]);
    await repairHistory({ ...inputOf([]), history, snapshot: last });
    expect(history.entries).toEqual([[records.length, NOTHING]]);
  });
});

const NOTHING: EntryRecords = { transfers: [], lines: [], events: [], alarms: [] };
