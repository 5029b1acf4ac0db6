import { setImmediate as nextTurn } from 'node:timers/promises';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import type { ServiceEntry } from '@drawbridge/protocol/ledger/service-entry';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { SnapshotPoint, SnapshotWriter } from '../consensus/ports.ts';
import { MarkedImage } from './marked-image.ts';
import type { AppliedEntry, MarkedState } from './replicated-machine.ts';
import { SnapshotDuty } from './snapshot-duty.ts';
import { digestOf, evidenceSeqnoOf, genesisImage, openImage, type ReplicatedState } from './state-image.ts';
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

/** What a disk has of snapshots: a writer for each that was begun. */
class Written implements SnapshotWriter {
  readonly point: SnapshotPoint;
  readonly pieces: Buffer[] = [];
  fate: 'open' | 'kept' | 'discarded' = 'open';
  /** A piece is taken when it resolves. */
  beforeAdd: () => Promise<void> = async () => undefined;

  constructor(point: SnapshotPoint) {
    this.point = point;
  }

  async add(piece: Uint8Array): Promise<void> {
    await this.beforeAdd();
    if (this.fate !== 'open') throw new RangeError('the snapshot is kept, or given up');
    this.pieces.push(Buffer.from(piece));
  }

  async keep(): Promise<void> {
    if (this.fate !== 'open') throw new RangeError('the snapshot is kept, or given up');
    this.fate = 'kept';
  }

  async discard(): Promise<void> {
    if (this.fate === 'open') this.fate = 'discarded';
  }
}

describe('duty of snapshots', () => {
  let leads: boolean;
  let state: ReplicatedState;
  let proposed: ServiceEntry[];
  /** What was proposed last is applied. */
  let taken: () => void;
  let written: Written[];
  let kept: Readonly<{ point: SnapshotPoint; evidenceSeqno: number }>[];
  let failures: unknown[];
  /** What a snapshot stands on is durable. */
  let durable: () => Promise<void>;
  let beforeAdd: () => Promise<void>;
  beforeEach(async () => {
    leads = true;
    [proposed, written, kept, failures] = [[], [], [], []];
    durable = async () => undefined;
    beforeAdd = async () => undefined;
    taken = () => undefined;
    state = (await openImage(testService.keys(), 1, genesisImage((await testService.genesis()).content))).state;
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
        write: (at) =>
          new MarkedImage(at, {
            keys: testService.keys(),
            replica: {
              beginSnapshot: async (point) => {
                const writer = Object.assign(new Written(point), { beforeAdd });
                written.push(writer);
                return writer;
              },
              keepSnapshot: async (writer, head) => {
                await writer.keep(head);
                kept.push({ point: writer.point, evidenceSeqno: evidenceSeqnoOf(head) });
              },
            },
            durable: () => durable(),
            kept: async () => undefined,
          }),
        failed: (error) => failures.push(error),
      },
    );
  const marked = (index: number): MarkedState => ({ index, term: 2, members, state: { ...state, index } });
  const turns = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await nextTurn();
  };
  const digestAt = (index: number): Promise<Buffer> => digestOf({ ...state, index });
  const evidenceOf = async (index: number): Promise<ServiceEntry> => ({
    type: 'snapshotEvidence',
    seqno: index,
    digest: await digestAt(index),
  });
  const fates = (): string[] => written.map(({ point, fate }) => `${point.index} ${fate}`);

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
    expect(kept).toEqual([{ point: { index: 5, term: 2, confState: members }, evidenceSeqno: 9 }]);
    const pieces = written[0]?.pieces ?? [];
    const content = { head: Buffer.alloc(8), bytes: Buffer.concat(pieces).length, pieces: () => pieces };
    expect((await openImage(testService.keys(), 5, content)).digest).toEqual(digest);
  });

  it('stops a node whose state is another', async () => {
    leads = false;
    const duty = make();
    duty.marked(marked(5));
    duty.applied([entry(9, { type: 'snapshotEvidence', seqno: 5, digest: Buffer.alloc(32) })]);
    await turns();
    expect(failures).toMatchObject([{ code: 'STATE_DIVERGED' }]);
    expect(fates()).toEqual(['5 discarded']);
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
    expect(fates()).toEqual(['5 discarded', '8 kept']);
    expect(failures).toEqual([]);
  });

  it('gives up what is still being written when another mark comes, and holds nothing of its state', async () => {
    leads = false;
    let finish = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      finish = resolve;
    });
    beforeAdd = () => held;
    const duty = make();
    duty.marked(marked(5));
    await turns();
    beforeAdd = async () => undefined;
    duty.marked(marked(8));
    finish();
    duty.applied([entry(9, await evidenceOf(8)), signed(10, 10)]);
    await turns();
    expect(fates()).toEqual(['5 discarded', '8 kept']);
    expect(state.settlement.spent.captures).toBe(0);
    expect(failures).toEqual([]);
  });

  it('keeps nothing before what it stands on is durable', async () => {
    let flushed = (): void => undefined;
    durable = () =>
      new Promise((resolve) => {
        flushed = resolve;
      });
    const duty = make();
    duty.marked(marked(5));
    duty.applied([entry(9, await evidenceOf(5)), signed(10, 10)]);
    await turns();
    expect(fates()).toEqual(['5 open']);
    flushed();
    await turns();
    expect(fates()).toEqual(['5 kept']);
  });

  it('leaves nothing on the disk when the node stops, whatever it was at', async () => {
    const stages = [
      async () => undefined,
      async (duty: SnapshotDuty) => duty.applied([entry(9, await evidenceOf(5))]),
      async (duty: SnapshotDuty) => {
        durable = turns;
        duty.applied([entry(9, await evidenceOf(5)), signed(10, 10)]);
      },
    ];
    for (const stage of stages) {
      written = [];
      const duty = make();
      duty.marked(marked(5));
      await turns();
      await stage(duty);
      await duty.stop();
      expect(fates()).toEqual(['5 discarded']);
    }
    const atOnce = make();
    atOnce.marked(marked(6));
    await atOnce.stop();
    expect(fates()).toEqual(['5 discarded', '6 discarded']);
    expect(failures).toEqual([]);
  });

  it('fails where the disk does', async () => {
    beforeAdd = () => Promise.reject(Object.assign(new Error('full'), { code: 'LOG_WRITE_FAILED' }));
    make().marked(marked(5));
    await turns();
    expect(failures).toMatchObject([{ code: 'LOG_WRITE_FAILED' }]);
    expect(state.settlement.spent.captures).toBe(0);
  });
});
