import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import { NO_LIFE } from '@drawbridge/protocol/ledger/node-life';
import { describe, expect, it } from '@jest/globals';
import type { ConfState, MemberProgress } from '../consensus/raft-types.ts';
import type { MembershipState, NodeState } from '../membership/membership-state.ts';
import { nextStep } from './membership-step.ts';

const node = (raftId: number, key: string, more: Partial<NodeState> = {}): NodeState => ({
  raftId,
  nodeId: key as NodeId,
  certificate: '',
  encryptionKey: '',
  peerAddress: '',
  apiAddress: '',
  platform: 'virtual',
  versions: [1],
  life: NO_LIFE,
  replaces: [],
  left: false,
  ...more,
});
const group = (voters: number[], learners: number[] = [], votersOutgoing: number[] = []): ConfState => ({
  voters,
  learners,
  votersOutgoing,
  learnersNext: [],
  autoLeave: false,
});
const caughtUp = (id: number, match = 100): MemberProgress => ({
  id,
  match,
  next: match + 1,
  state: 'replicate',
  recentlyActive: true,
  learner: true,
});

type Circumstances = Readonly<{
  progress?: MemberProgress[];
  gone?: string[];
  self?: number;
  protectsMemory?: boolean;
}>;

function step(
  rows: NodeState[],
  members: ConfState,
  { progress = [], gone = [], self = 1, protectsMemory = false }: Circumstances = {},
): ReturnType<typeof nextStep> {
  const membership: MembershipState = {
    nodes: new Map(rows.map((row) => [row.raftId, row])),
    nextRaftId: 99,
    epoch: 1,
    rekeys: 0,
    revision: 0,
  };
  const mayTakePart = (nodeId: NodeId): boolean => !gone.includes(nodeId);
  return nextStep({
    self,
    membership,
    mayTakePart,
    members,
    progress,
    lastIndex: 100,
    caughtUpEntries: 10,
    protectsMemory,
  });
}

const one = (type: 'add' | 'remove' | 'addLearner', id: number) => ({
  type: 'change',
  change: { transition: 'auto', changes: [{ type, id }] },
});

describe('duty towards the group', () => {
  it('has nothing to do where raft has what the ledger says', () => {
    expect(step([node(1, 'a'), node(2, 'b')], group([1, 2]))).toBeUndefined();
  });

  it('makes who was admitted a learner, and a voter once it has caught up', () => {
    const rows = [node(1, 'a'), node(2, 'b')];
    expect(step(rows, group([1]))).toEqual(one('addLearner', 2));
    expect(step(rows, group([1], [2]))).toBeUndefined();
    expect(step(rows, group([1], [2]), { progress: [caughtUp(2, 89)] })).toBeUndefined();
    expect(step(rows, group([1], [2]), { progress: [{ ...caughtUp(2), recentlyActive: false }] })).toBeUndefined();
    expect(step(rows, group([1], [2]), { progress: [{ ...caughtUp(2), state: 'snapshot' }] })).toBeUndefined();
    expect(step(rows, group([1], [2]), { progress: [caughtUp(2, 90)] })).toEqual(one('add', 2));
  });

  it('swaps a node that came again for what it was, by one joint change', () => {
    const rows = [node(1, 'a'), node(2, 'b'), node(3, 'c'), node(4, 'b', { replaces: [2] })];
    expect(step(rows, group([1, 2, 3]))).toEqual(one('addLearner', 4));
    expect(step(rows, group([1, 2, 3], [4]), { progress: [caughtUp(3), caughtUp(4)] })).toEqual({
      type: 'change',
      change: {
        transition: 'jointImplicit',
        changes: [
          { type: 'add', id: 4 },
          { type: 'remove', id: 2 },
        ],
      },
    });
    expect(step(rows, group([1, 3, 4]))).toEqual({ type: 'left', raftId: 2 });
  });

  it('removes who may take part no more, and says so in the ledger after', () => {
    const rows = [node(1, 'a'), node(2, 'b'), node(3, 'c')];
    expect(step(rows, group([1, 2, 3]), { gone: ['b'], progress: [caughtUp(3)] })).toEqual(one('remove', 2));
    expect(step(rows, group([1, 3]), { gone: ['b'] })).toEqual({ type: 'left', raftId: 2 });
    const left = [node(1, 'a'), node(2, 'b', { left: true }), node(3, 'c')];
    expect(step(left, group([1, 3]), { gone: ['b'] })).toBeUndefined();
  });

  it('hands over before it removes itself, to the voter that has most', () => {
    const rows = [node(1, 'a'), node(2, 'b'), node(3, 'c')];
    const progress = [caughtUp(2, 90), caughtUp(3, 99)];
    expect(step(rows, group([1, 2, 3]), { gone: ['a'], progress })).toEqual({ type: 'handOver', to: 3 });
    const waits = { type: 'wait', code: 'NO_MAJORITY', leaving: [1] };
    expect(step(rows, group([1, 2, 3]), { gone: ['a'] })).toEqual(waits);
  });

  it('never removes the last voter, and waits while a joint change is under way', () => {
    expect(step([node(1, 'a')], group([1]), { gone: ['a'] })).toBeUndefined();
    expect(step([node(1, 'a'), node(2, 'b')], group([1], [], [1, 3]))).toBeUndefined();
  });

  it('takes out who is away first, so that what is left can commit', () => {
    const rows = [node(1, 'a'), node(2, 'b'), node(3, 'c')];
    const facts = { gone: ['b', 'c'], progress: [caughtUp(2)] };
    expect(step(rows, group([1, 2, 3]), facts)).toEqual(one('remove', 3));
    expect(step(rows.slice(0, 2), group([1, 2]), facts)).toEqual(one('remove', 2));
  });

  it('takes nobody out without whom those that answer are no majority', () => {
    const rows = [node(1, 'a'), node(2, 'b'), node(3, 'c')];
    const waits = (leaving: number) => ({ type: 'wait', code: 'NO_MAJORITY', leaving: [leaving] });
    const facts = { gone: ['b'], progress: [caughtUp(2)] };
    expect(step(rows, group([1, 2, 3]), facts)).toEqual(waits(2));
    // Nor does leadership go round between two who would each have to leave.
    expect(step(rows, group([1, 2, 3]), { ...facts, gone: ['a', 'b'] })).toEqual(waits(2));
    // A learner does not count.
    const learning = [...rows, node(4, 'd')];
    expect(step(learning, group([1, 2, 3], [4]), { ...facts, gone: ['d'] })).toEqual(one('remove', 4));
    // What can be done meanwhile is done.
    const arrived = { ...facts, progress: [caughtUp(2), caughtUp(4)] };
    expect(step(learning, group([1, 2, 3], [4]), arrived)).toEqual(one('add', 4));
    expect(step(learning, group([1, 2, 3, 4]), arrived)).toEqual(one('remove', 2));
  });

  it('swaps nobody for two where those that answer were no majority after it', () => {
    const rows = [1, 2, 3, 4, 5].map((id) => node(id, `key ${id}`));
    const back = node(6, 'key 2', { replaces: [2] });
    const progress = [caughtUp(2), caughtUp(3), caughtUp(6)];
    const swap = (active: MemberProgress[]) => step([...rows, back], group([1, 2, 3, 4, 5], [6]), { progress: active });
    expect(swap(progress)).toMatchObject({ type: 'change', change: { transition: 'jointImplicit' } });
    expect(swap([caughtUp(2), caughtUp(6)])).toEqual({ type: 'wait', code: 'NO_MAJORITY', leaving: [2] });
  });

  it('leaves no single voter where memory is protected: nobody could start it again', () => {
    const rows = [node(1, 'a'), node(2, 'b'), node(3, 'c')];
    const facts = { gone: ['b', 'c'], progress: [caughtUp(2), caughtUp(3)], protectsMemory: true };
    expect(step(rows, group([1, 2, 3]), facts)).toEqual(one('remove', 2));
    const waits = { type: 'wait', code: 'LAST_VOTER', leaving: [3] };
    expect(step([node(1, 'a'), node(3, 'c')], group([1, 3]), facts)).toEqual(waits);
    expect(step([node(1, 'a')], group([1]), { ...facts, gone: [] })).toBeUndefined();
  });

  it('takes out a learner at once that started again', () => {
    const first = node(4, 'd');
    const second = node(5, 'd', { replaces: [4] });
    const members = group([1], [4, 5]);
    expect(step([node(1, 'a'), first, second], members, { progress: [caughtUp(4)] })).toEqual(one('remove', 4));
    expect(step([node(1, 'a'), first, second], group([1], [5]))).toEqual({ type: 'left', raftId: 4 });
    // A voter stays until the newer one has its vote.
    expect(step([node(1, 'a'), first, second], group([1, 4], [5]), { progress: [caughtUp(4)] })).toBeUndefined();
  });
});
