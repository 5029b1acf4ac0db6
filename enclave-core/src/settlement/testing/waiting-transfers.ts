/** Transfers in front of a lane that has no room for them, and a history in which they get their turns. */
import { toHex } from '@drawbridge/protocol/bytes32';
import { expect } from '@jest/globals';
import type { Command } from '../command.ts';
import { Draft } from '../draft.ts';
import { encodeSnapshot } from '../snapshot.ts';
import { BANK_A, BETA, EUR, signedAmendment, World } from './world.ts';

export const capBeta = (number: number, amountMinor: bigint): Command =>
  signedAmendment(number, [{ name: 'set_exposure_cap', args: { network: BETA, asset: EUR, amountMinor } }]);

export type Waiting = Readonly<{
  world: World;
  all: ReturnType<World['across']>[];
  states: () => string[];
}>;

/** Transfers of these amounts, funded, in front of a lane without room. */
export function waiting(amounts: readonly bigint[], retriesPerStep = 64): Waiting {
  const world = new World({ retriesPerStep });
  world.run(capBeta(1, 1n));
  const all = amounts.map((amountMinor) => world.across({ amountMinor }));
  for (const terms of all) world.fund(terms);
  return { world, all, states: () => all.map((terms) => world.stateOf(terms)) };
}

/** What comes of a history that waits, cancels, voids and retries does not depend on where one draft ends. */
export function expectAlikeWhereverCut(cutEvery: number): void {
  const { world } = waiting([200n, 70n, 60n, 50n, 40n, 10n], 1);
  const [, , , , cancelled] = [...world.state.liveTransfersOf(BANK_A)];
  world.run(capBeta(2, 150n));
  for (let i = 0; i < 4; i++) world.run({ type: 'clock' });
  if (cancelled) world.run({ type: 'cancelTransfer', bank: BANK_A, id: cancelled.terms.id });
  world.run({ type: 'cancelTransfer', bank: BANK_A, id: world.open(BETA, 'issue').transfer?.id ?? world.terms().id });
  world.run(world.event(BETA, world.voided(world.open(BETA, 'void'))));
  world.fund(world.across({ amountMinor: 5n }));
  for (let i = 0; i < 8; i++) world.run({ type: 'clock' });
  const final = toHex(encodeSnapshot(world.state));
  for (let cut = 0; cut <= world.entries.length; cut += cutEvery) {
    const { state } = new World({ retriesPerStep: 1 });
    for (const part of [world.entries.slice(0, cut), world.entries.slice(cut)]) {
      const draft = new Draft(state);
      for (const entry of part) draft.apply(entry);
      draft.commit();
    }
    expect(toHex(encodeSnapshot(state))).toBe(final);
  }
}
