import type { LedgerRecord } from '@drawbridge/protocol/ledger/ledger-record';
import { parseNodeId } from '@drawbridge/protocol/ledger/node-id';
import { NO_LIFE } from '@drawbridge/protocol/ledger/node-life';
import { expect, it } from '@jest/globals';
import { LedgerKeys } from '../keys/ledger-keys.ts';
import type { ParticipantEvent } from '../settlement/record.ts';
import { ALPHA, BANK_A, EUR, word } from '../settlement/testing/world.ts';
import { entryClaimsDigest } from './entry-claims.ts';
import { ReceiptDesk, type ReceiptDeskDependencies } from './receipt-desk.ts';

const NODE = parseNodeId('4e'.repeat(32));
const eventsOf = (seqno: number): ParticipantEvent[] =>
  [1, 2, 3].map((place) => ({
    participant: BANK_A,
    number: 10 * seqno + place,
    stampMs: 77,
    body: { type: 'lock', network: ALPHA, asset: EUR, lockId: word(`lock ${place}`), state: 'UNMATCHED' },
  }));
const KEYS = new LedgerKeys(new Map([[1, Buffer.alloc(32, 1)]]));
const recordAt = (seqno: number): LedgerRecord => ({
  kind: 'settlement',
  view: 2,
  seqno,
  epoch: 1,
  commitEvidenceDigest: new Uint8Array(32),
  claimsDigest: entryClaimsDigest(KEYS, 1, `2.${seqno}`, { events: eventsOf(seqno), transfers: [] }),
  data: Uint8Array.of(1, 1, 7),
});

/** A desk over entries of three events each, and which entries it read the events of. */
function deskOf(
  stored: { has: (seqno: number) => boolean },
  changed: Partial<ReceiptDeskDependencies> = {},
): { desk: ReceiptDesk; read: number[]; alarms: object[] } {
  const read: number[] = [];
  const alarms: object[] = [];
  const node = { certificate: 'PEM', platform: 'virtual', nodeId: NODE, raftId: 1, encryptionKey: '', versions: [1] };
  const desk = new ReceiptDesk({
    keys: KEYS,
    ledger: {
      record: async (seqno) => (stored.has(seqno) ? recordAt(seqno) : undefined),
      receiptParts: async (seqno) => ({
        record: recordAt(seqno),
        path: [],
        signature: { size: 99, view: 2, root: new Uint8Array(32), nodeId: NODE, signature: Uint8Array.of(1) },
      }),
    },
    history: {
      eventSeqno: (_participant, number) => Math.floor(number / 10),
      blockEvents: (seqno) => {
        read.push(seqno);
        return eventsOf(seqno);
      },
      transfer: () => undefined,
      transferSeqno: () => undefined,
    },
    membership: () => ({
      nodes: new Map([[1, { ...node, peerAddress: '', apiAddress: '', life: NO_LIFE, replaces: [], left: false }]]),
      nextRaftId: 2,
      epoch: 1,
      rekeys: 0,
      revision: 1,
    }),
    liveTerms: () => undefined,
    lastEventOf: () => undefined,
    lastEventOfLock: () => undefined,
    isCommitted: () => true,
    signed: async () => true,
    rollbackProtected: () => false,
    log: { error: (fields) => alarms.push(fields) },
    ...changed,
  });
  return { desk, read, alarms };
}

it('makes the claims of an entry once for all who ask in a row, and keeps a few entries', async () => {
  const { desk, read } = deskOf({ has: () => true });
  const receipts = await Promise.all([71, 72, 73].map((number) => desk.event(BANK_A, number)));
  expect(receipts.map((receipt) => JSON.parse(receipt?.claims_proof?.claim ?? '{}').number)).toEqual([71, 72, 73]);
  expect(read).toEqual([7]);
  for (const seqno of [8, 9, 10, 11, 11, 8, 7]) await desk.event(BANK_A, 10 * seqno + 1);
  expect(read).toEqual([7, 8, 9, 10, 11, 7]);
});

it('looks again for an entry that was not here', async () => {
  const stored = new Set<number>();
  const { desk, read } = deskOf(stored);
  expect(await desk.event(BANK_A, 71)).toBeUndefined();
  stored.add(7);
  expect(await desk.event(BANK_A, 71)).toMatchObject({ transaction_id: '2.7' });
  expect(read).toEqual([7, 7]);
});

it('shows no claim that the ledger does not have, and raises an alarm', async () => {
  const others = { ...recordAt(7), claimsDigest: Buffer.alloc(32, 7) };
  const { desk, alarms } = deskOf(
    { has: () => true },
    { ledger: { record: async () => others, receiptParts: async () => undefined } },
  );
  expect(await desk.event(BANK_A, 71)).toBeUndefined();
  expect(alarms).toEqual([{ code: 'CLAIMS_DIFFER', seqno: 7 }]);
});

it('shows a lock as the bank was told last of it, and as it was told in an entry', async () => {
  const { desk } = deskOf({ has: () => true }, { lastEventOfLock: () => 92 });
  const lock = { network: ALPHA, asset: EUR, lockId: word('lock 2') };
  expect(await desk.lock(BANK_A, lock)).toMatchObject({ transaction_id: '2.9' });
  expect(await desk.lock(BANK_A, lock, '2.7')).toMatchObject({ transaction_id: '2.7' });
  expect(await desk.lock(BANK_A, { ...lock, lockId: word('another') })).toBeUndefined();
  const ended = deskOf({ has: () => true }).desk;
  expect(await ended.lock(BANK_A, lock)).toBeUndefined();
});

it('asks of the entry and of the node that signed whether a rolled-back disk would show', async () => {
  const asked: unknown[] = [];
  const rollbackProtected = (...entry: unknown[]): boolean => asked.push(entry) > 0;
  const { desk } = deskOf({ has: () => true }, { rollbackProtected });
  expect(await desk.event(BANK_A, 71)).toMatchObject({ rollbackProtected: true });
  expect(asked).toEqual([[7, 'virtual']]);
});
