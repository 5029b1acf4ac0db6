/** A group of replicas that crash, restart and lose each other as a seed says, while all of them are asked to write. */
import { expect } from '@jest/globals';
import { ReplicaGroup, text } from './replica-group.ts';

/** All logs agree at the end, and whatever was answered is in them once. */
export async function expectAgreementThroughCrashes(
  module: WebAssembly.Module,
  seed: number,
  steps: number,
  voters: readonly number[] = [1, 2, 3],
): Promise<void> {
  const overrides = { snapshotEvery: 30, options: { cachedEntries: 5 } };
  const group = new ReplicaGroup(module, voters, seed);
  await group.startAll(overrides);
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const answered: string[] = [];
  let count = 0;
  for (let step = 0; step < steps; step++) {
    const id = voters[random(voters.length)] ?? 1;
    const action = random(12);
    const canCrash = group.members.has(id) && 2 * (group.members.size - 1) > voters.length;
    if (action === 0 && canCrash) await group.crash(id);
    else if (action === 1) await group.startMissing(overrides);
    else if (action === 2) group.isolate(id);
    else if (action === 3) group.heal();
    for (const { replica } of group.members.values()) {
      count += 1;
      const line = `${seed}/${count}`;
      replica.propose(text(line)).then(
        () => answered.push(line),
        () => undefined,
      );
    }
    await group.tick();
  }
  group.heal();
  await group.startMissing(overrides);
  const leader = await group.leader();
  await group.settled(leader.replica.propose(text('end')));
  const { lines } = leader.machine;
  for (const id of voters) expect((await group.caughtUp(id, lines)).machine.lines).toEqual(lines);
  expect(answered.length).toBeGreaterThan(steps / 8);
  expect(answered.filter((line) => !lines.includes(line))).toEqual([]);
  expect(new Set(lines).size).toBe(lines.length);
  for (const member of group.members.values()) expect(member.fatal).toEqual([]);
  await group.stopAll();
}
