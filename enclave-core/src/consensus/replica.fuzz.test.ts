import { beforeAll, expect, jest, test } from '@jest/globals';
import { loadRaftModule } from './raft-engine.ts';
import { expectAgreementThroughCrashes } from './testing/crashes.ts';
import { ReplicaGroup, text } from './testing/replica-group.ts';

/** Generous, because the machine may be busy; nothing waits for time to pass. */
jest.setTimeout(60_000);

let module: WebAssembly.Module;
beforeAll(async () => {
  module = await loadRaftModule();
});

test.each([1, 2, 3])('seed %i: through crashes and partitions all logs agree and every answer holds', (seed) =>
  expectAgreementThroughCrashes(module, seed, 150),
);

test('five: through crashes and partitions all logs agree and every answer holds', () =>
  expectAgreementThroughCrashes(module, 4, 120, [1, 2, 3, 4, 5]));

test('a member that was away for long, and a new one, catch up by snapshot', async () => {
  const overrides = { snapshotEvery: 40, options: { cachedEntries: 5 } };
  const group = new ReplicaGroup(module, [1, 2, 3]);
  await group.startAll(overrides);
  const leader = await group.leader();
  const away = leader.id === 1 ? 2 : 1;
  group.isolate(away);
  const lines: string[] = [];
  for (let i = 0; i < 150; i++) {
    lines.push(`line ${i}`);
    await group.settled(leader.replica.propose(text(`line ${i}`)));
  }
  await group.until(() => leader.replica.status().firstIndex > 50);
  group.heal();
  const back = await group.caughtUp(away, lines);
  expect(back.machine.installedFrom).toEqual([leader.id]);
  expect(back.machine.lines).toEqual(lines);
  await group.crash(away);
  await group.start(away, overrides);
  expect((await group.caughtUp(away, lines)).machine.lines).toEqual(lines);

  const joining = await group.start(4, overrides);
  await group.settled(leader.replica.changeMembers({ transition: 'auto', changes: [{ type: 'addLearner', id: 4 }] }));
  await group.caughtUp(4, lines);
  await group.settled(
    leader.replica.changeMembers({
      transition: 'auto',
      changes: [
        { type: 'add', id: 4 },
        { type: 'remove', id: away },
      ],
    }),
  );
  await group.until(
    () =>
      joining.replica.status().members.voters.includes(4) &&
      joining.replica.status().members.votersOutgoing.length === 0,
  );
  await group.settled(leader.replica.propose(text('with 4')));
  expect((await group.caughtUp(4, [...lines, 'with 4'])).machine.lines).toEqual([...lines, 'with 4']);
  expect(joining.machine.installedFrom).toEqual([leader.id]);
  await group.stopAll();
});
