import { setImmediate as nextTurn } from 'node:timers/promises';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import type { ServiceEntry } from '@drawbridge/protocol/ledger/service-entry';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { StoredSnapshot } from '../consensus/ports.ts';
import type { AppliedEntry, MarkedState } from './replicated-machine.ts';
import { SnapshotDuty } from './snapshot-duty.ts';
import { imageOf, openImage, type ReplicatedState } from './state-image.ts';
import { testService } from './testing/node-driver.ts';

const members = { voters: [1], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };
const signed = (index: number, size: number): AppliedEntry => ({
  ...entry(index),
  kind: 'signature',
  signature: { size, view: 2, root: Buffer.alloc(32), nodeId: 'n' as NodeId, signature: Buffer.alloc(1) },
});
const entry = (index: number, service?: ServiceEntry): AppliedEntry => ({
  index,
  term: 2,
  kind: service ? 'service' : 'settlement',
  bytes: 10,
  ...(service && { service: { entry: service, outcome: { ok: true } } }),
});

describe('duty of snapshots', () => {
  let leads: boolean;
  let state: ReplicatedState;
  let proposed: ServiceEntry[];
  /** What was proposed last is applied. */
  let taken: () => void;
  let kept: StoredSnapshot[];
  let failures: unknown[];
  beforeEach(async () => {
    leads = true;
    [proposed, kept, failures] = [[], [], []];
    taken = () => undefined;
    state = openImage(testService.keys(), 1, (await testService.genesis()).content).state;
  });
  const make = (): SnapshotDuty =>
    new SnapshotDuty(
      { snapshotEveryEntries: 3, snapshotEveryBytes: 1_000 },
      {
        leads: () => leads,
        propose: (service) => {
          proposed.push(service);
          return new Promise<void>((resolve) => {
            taken = resolve;
          });
        },
        seal: async ({ digest }, evidenceSeqno) => Buffer.from(`${digest.toString('hex')}/${evidenceSeqno}`),
        keep: async (snapshot) => void kept.push(snapshot),
        failed: (error) => failures.push(error),
      },
    );
  const marked = (index: number): MarkedState => ({ index, term: 2, members, state: { ...state, index } });
  const turns = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await nextTurn();
  };
  const digestAt = async (index: number): Promise<Buffer> => (await imageOf({ ...state, index })).digest;

  it('marks, vouches, and keeps what the ledger vouches for', async () => {
    const duty = make();
    duty.applied([entry(2), entry(3)]);
    expect(proposed).toEqual([]);
    duty.applied([entry(4)]);
    expect(proposed).toEqual([{ type: 'snapshotMark' }]);
    duty.marked(marked(5));
    taken();
    await turns();
    const digest = await digestAt(5);
    expect(proposed[1]).toEqual({ type: 'snapshotEvidence', seqno: 5, digest });
    expect(kept).toEqual([]);
    duty.applied([entry(9, { type: 'snapshotEvidence', seqno: 5, digest }), signed(10, 9)]);
    await turns();
    expect(kept).toEqual([]);
    duty.applied([signed(11, 10)]);
    await turns();
    expect(kept).toMatchObject([{ index: 5, term: 2, confState: members }]);
    expect(Buffer.from(kept[0]?.content ?? []).toString()).toBe(`${digest.toString('hex')}/9`);
  });

  it('stops a node whose state is another', async () => {
    leads = false;
    const duty = make();
    duty.marked(marked(5));
    duty.applied([entry(9, { type: 'snapshotEvidence', seqno: 5, digest: Buffer.alloc(32) })]);
    await turns();
    expect(failures).toMatchObject([{ code: 'STATE_DIVERGED' }]);
    expect(kept).toEqual([]);
  });

  it('answers the mark of a leader that was lost', async () => {
    leads = false;
    const duty = make();
    duty.marked(marked(5));
    await turns();
    expect(proposed).toEqual([]);
    leads = true;
    duty.began();
    expect(proposed).toMatchObject([{ type: 'snapshotEvidence', seqno: 5 }]);
  });

  it('counts bytes too, and makes one at once where it is wanted', async () => {
    const duty = make();
    duty.applied([{ ...entry(2), bytes: 1_000 }]);
    expect(proposed).toEqual([{ type: 'snapshotMark' }]);
    const other = make();
    other.want();
    expect(proposed).toHaveLength(2);
  });

  it('keeps no image of a mark that another one followed', async () => {
    leads = false;
    const duty = make();
    duty.marked(marked(5));
    duty.marked(marked(8));
    duty.applied([entry(9, { type: 'snapshotEvidence', seqno: 5, digest: await digestAt(5) })]);
    duty.applied([entry(10, { type: 'snapshotEvidence', seqno: 8, digest: await digestAt(8) }), signed(11, 11)]);
    await turns();
    expect(kept.map(({ index }) => index)).toEqual([8]);
    expect(failures).toEqual([]);
  });
});
