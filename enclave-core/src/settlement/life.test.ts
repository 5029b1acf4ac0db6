/** The table again, by behaviour: a real transfer is brought into each state and meets each event as a command. */
import { describe, expect, test } from '@jest/globals';
import type { Outcome, TransferTerms } from './command.ts';
import { deliveryId, refundId, voidId } from './ids.ts';
import type { TransferState } from './record.ts';
import { ALPHA, ALPHA_EUR, BETA, BETA_EUR, EUR, ONE_HOUR_MS, SECRETS, World, word } from './testing/world.ts';
import { TRANSITIONS, type TransferEvent } from './transitions.ts';

type Scene = { world: World; terms: TransferTerms; lockId: ReturnType<typeof word> };

/** A transfer with both edges that goes back to the source if it fails. */
function scene(toLateLane = false): Scene {
  const world = new World();
  const terms = world.across({ onVoid: 'refund' });
  world.submit(terms);
  if (toLateLane) pauseBeta(world, true);
  return { world, terms, lockId: word('lock 1') };
}
function pauseBeta(world: World, paused: boolean): void {
  world.run(world.event(BETA, { type: 'pauseChanged', id: word('pause'), paused, byGuardian: false }));
}
function fund({ world, terms }: Scene): void {
  world.run(world.event(ALPHA, world.lock(terms, { lockId: word('lock 1') })));
}
const cancel = ({ world, terms }: Scene): Outcome =>
  world.run({ type: 'cancelTransfer', bank: terms.debtor, id: terms.id });

const scenes: Record<Exclude<TransferState, 'PROPOSED'>, () => Scene> = {
  AWAITING_FUNDS: () => scene(),
  FUNDED: () => {
    const funded = scene(true);
    fund(funded);
    return funded;
  },
  RELAYING: () => {
    const relaying = scene();
    fund(relaying);
    return relaying;
  },
  VOIDING: () => {
    const voiding = scenes.RELAYING();
    cancel(voiding);
    return voiding;
  },
  REFUNDING: () => {
    const refunding = scenes.VOIDING();
    const { world } = refunding;
    world.run(world.event(BETA, world.voided(world.open(BETA, 'void'))));
    return refunding;
  },
  SETTLED: () => {
    const settled = scenes.RELAYING();
    const { world } = settled;
    world.run(world.event(BETA, world.executed(world.open(BETA, 'issue'))));
    return settled;
  },
  REJECTED: () => {
    const world = new World();
    const terms = world.toBeta();
    world.submit(terms);
    return { world, terms, lockId: word('lock 1') };
  },
  EXPIRED: () => {
    const expired = scene();
    expired.world.later(ONE_HOUR_MS + 1).run({ type: 'clock' });
    return expired;
  },
  CANCELLED: () => {
    const cancelled = scene();
    cancel(cancelled);
    return cancelled;
  },
  RETURNED: () => {
    const returned = scenes.REFUNDING();
    const { world } = returned;
    cancel(returned);
    world.run(world.event(ALPHA, world.voided(world.open(ALPHA, 'void'))));
    return returned;
  },
  REFUNDED: () => {
    const refunded = scenes.REFUNDING();
    const { world } = refunded;
    world.run(world.event(ALPHA, world.executed(world.open(ALPHA, 'refund'))));
    return refunded;
  },
};

/** Each event as the world would bring it, true or false: ids are what the core would have derived. */
function meet({ world, terms, lockId }: Scene, event: TransferEvent, reference: ReturnType<typeof word>): Outcome {
  const delivery = deliveryId(SECRETS.idKey, terms.debtor, terms.id);
  const refund = refundId(SECRETS.idKey, ALPHA_EUR, lockId);
  const beneficiary = terms.destination?.beneficiary ?? word('none');
  const { amountMinor } = terms;
  const seen = { amountMinor, epoch: 1, trail: '0x' } as const;
  switch (event) {
    case 'submit':
      return world.submit(terms);
    case 'funded':
      return world.run(world.event(ALPHA, world.lock(terms, { lockId: word('another lock'), reference })));
    case 'instruct':
      pauseBeta(world, false);
      return { ok: true };
    case 'executed':
      return world.run(
        world.event(BETA, { type: 'executed', id: delivery, subject: word0, kind: 'issue', beneficiary, ...seen }),
      );
    case 'voided':
      return world.run(
        world.event(BETA, {
          type: 'voided',
          id: voidId(SECRETS.idKey, delivery),
          subject: delivery,
          epoch: 1,
          trail: '0x',
        }),
      );
    case 'cancel':
      return cancel({ world, terms, lockId });
    case 'fundByPassed':
      return world.later(ONE_HOUR_MS + 1).run({ type: 'clock' });
    case 'deliverByPassed':
      return world.later(2 * ONE_HOUR_MS + 1).run({ type: 'clock' });
    case 'refundExecuted': {
      const depositor = terms.source?.depositor ?? word('none');
      const body = { type: 'executed', id: refund, subject: lockId, kind: 'refund', ...seen } as const;
      return world.run(world.event(ALPHA, { ...body, beneficiary: depositor }));
    }
    case 'refundVoided':
      // Its void must have been asked for: an unasked one is no event of the table but a contradiction.
      if (world.stateOf(terms) === 'REFUNDING') cancel({ world, terms, lockId });
      return world.run(
        world.event(ALPHA, {
          type: 'voided',
          id: voidId(SECRETS.idKey, refund),
          subject: refund,
          epoch: 1,
          trail: '0x',
        }),
      );
  }
}
const word0 = `0x${'00'.repeat(32)}` as ReturnType<typeof word>;

const pairs = (Object.keys(scenes) as (keyof typeof scenes)[]).flatMap((state) =>
  (Object.keys(TRANSITIONS[state]) as TransferEvent[]).map((event) => [state, event] as const),
);

describe('a transfer in each state meets each event', () => {
  test.each(pairs)('%s × %s', (state, event) => {
    const reached = scenes[state]();
    const { world, terms } = reached;
    expect(world.stateOf(terms)).toBe(state);
    const reference =
      [...world.state.references].find(([, { id }]) => id === terms.id)?.[0] ?? word('reference of nothing');
    const cell = TRANSITIONS[state][event];
    const targets = cell.flatMap((branch) => (branch.kind === 'move' ? [branch.to] : []));
    const kind = cell[0].kind;
    const outcome = meet(reached, event, reference);
    const after = world.stateOf(terms);
    if (event === 'deliverByPassed' && state === 'AWAITING_FUNDS') {
      expect(after).toBe('EXPIRED'); // fundBy comes first
    } else if (kind === 'move') {
      // A lock or a deadline may move on by further events at once.
      expect([...targets, ...(event === 'funded' ? ['RELAYING'] : [])]).toContain(after);
      expect(outcome.ok).toBe(true);
    } else expect(after).toBe(state);
    if (kind === 'same') expect(outcome).toMatchObject({ ok: true, transfer: terms.id });
    if (kind === 'refuse') expect(outcome).toMatchObject({ ok: false, code: cell[0].code });
    if (kind === 'halt') expect(outcome).toMatchObject({ ok: false, code: 'LANE_HALTED' });
    if (kind === 'unmatched') {
      const lock = world.state.unmatchedLock(ALPHA, EUR, word('another lock'));
      const branch = cell.find((other) => other.when === undefined);
      expect(lock?.why).toBe(branch?.kind === 'unmatched' ? branch.why : undefined);
    }
  });

  test('value is where the state says', () => {
    const where = (state: keyof typeof scenes): (bigint | undefined)[] => {
      const { world } = scenes[state]();
      const account = world.state.account(scenes[state]().terms.debtor, EUR);
      const alpha = world.state.vaultLedger(ALPHA, EUR);
      const beta = world.state.vaultLedger(BETA, EUR);
      return [account?.postedMinor, account?.pendingMinor, alpha?.vaultMinor, alpha?.transitMinor].concat([
        beta?.vaultMinor,
        beta?.transitMinor,
      ]);
    };
    expect(where('AWAITING_FUNDS')).toEqual([undefined, undefined, 0n, 0n, 0n, 0n]);
    expect(where('FUNDED')).toEqual([100n, 100n, -100n, 0n, 0n, 0n]);
    expect(where('RELAYING')).toEqual([0n, 0n, -100n, 0n, 0n, 100n]);
    expect(where('VOIDING')).toEqual([0n, 0n, -100n, 0n, 0n, 100n]);
    expect(where('SETTLED')).toEqual([0n, 0n, -100n, 0n, 100n, 0n]);
    expect(where('REFUNDING')).toEqual([0n, 0n, -100n, 100n, 0n, 0n]);
    expect(where('REFUNDED')).toEqual([0n, 0n, 0n, 0n, 0n, 0n]);
    expect(where('RETURNED')).toEqual([100n, 0n, -100n, 0n, 0n, 0n]);
    expect(BETA_EUR).toBe('beta/EUR');
  });
});
