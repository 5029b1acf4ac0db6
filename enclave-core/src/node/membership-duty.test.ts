import { expect, it } from '@jest/globals';
import { initialMembership } from '../membership/membership-state.ts';
import { describeNode, nodeId } from '../membership/testing/nodes.ts';
import { MembershipDuty } from './membership-duty.ts';

/** Runs one look of the duty, to its end. */
async function look(due: (() => void)[]): Promise<void> {
  for (const call of due.splice(0)) call();
  await new Promise((resolve) => setImmediate(resolve));
}

it('says once why a node stays that is to leave', async () => {
  const due: (() => void)[] = [];
  const said: object[] = [];
  const first = initialMembership({ ...describeNode(0), raftId: 1 });
  const second = { ...describeNode(1), raftId: 2, replaces: [], left: false };
  const never = () => Promise.reject(new Error('nothing is to be done'));
  let rekeysLookedFor = 0;
  const duty = new MembershipDuty(
    {},
    {
      self: 1,
      leads: () => true,
      membership: () => ({ ...first, nodes: new Map(first.nodes).set(2, second) }),
      mayTakePart: (id) => id === nodeId(0),
      members: () => ({ voters: [1, 2], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false }),
      progress: () => [],
      lastIndex: () => 9,
      changeMembers: never,
      transferLeadership: never,
      propose: never,
      rekeyIfDue: async () => {
        rekeysLookedFor += 1;
      },
      protectsMemory: true,
      timers: {
        after: (_, call) => {
          due.push(call);
          return () => undefined;
        },
      },
      log: { info: () => undefined, warn: (fields) => said.push(fields), error: () => undefined },
    },
  );
  duty.start();
  for (let looks = 0; looks < 3; looks++) await look(due);
  duty.stop();
  expect([rekeysLookedFor, said]).toEqual([3, [{ code: 'LAST_VOTER', leaving: [2] }]]);
});
