/**
 * Random, partly hostile, histories: each step is a few numbers that become a command by what the world looks like then,
 * so that a shrunk history still makes sense. Vaults keep their counters; what they say is true or false by chance.
 */
import type { Action } from '@drawbridge/governance/action';
import type { NetworkId, ParticipantId } from '@drawbridge/protocol/ids';
import fc from 'fast-check';
import type { Command, TransferTerms } from '../command.ts';
import type { SettlementState } from '../state.ts';
import type { OpenInstruction } from '../view.ts';
import {
  ALPHA,
  addressOf,
  BANK_A,
  BANK_B,
  BANK_C,
  BETA,
  EUR,
  type EventBody,
  GAMMA,
  GENESIS,
  OPERATOR,
  signedAmendment,
  transferId,
  USD,
  World,
  word,
} from './world.ts';

export type Step = Readonly<{ what: number; a: number; b: number; c: number; amount: number; waitMs: number }>;

/** Mostly locks, what is asked of them, and what becomes of it: most of them fit nothing. */
export const ABOUT_LOCKS: fc.Arbitrary<number> = fc.oneof(
  { weight: 2, arbitrary: fc.nat(99) },
  { weight: 2, arbitrary: fc.integer({ min: 30, max: 53 }) },
  { weight: 4, arbitrary: fc.integer({ min: 54, max: 75 }) },
  { weight: 4, arbitrary: fc.integer({ min: 84, max: 89 }) },
);

/** Steps of one history. */
export const steps = (maxLength: number, what: fc.Arbitrary<number> = fc.nat(99)): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.record({
      what,
      a: fc.nat(1000),
      b: fc.nat(1000),
      c: fc.nat(1000),
      amount: fc.integer({ min: 1, max: 400 }),
      waitMs: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(120_000) }),
    }),
    { minLength: Math.floor(maxLength / 4), maxLength, size: 'max' },
  );

const BANKS: readonly ParticipantId[] = [BANK_A, BANK_B, BANK_C];
const pick = <T>(list: readonly T[], n: number): T | undefined =>
  list.length === 0 ? undefined : list[n % list.length];
const bankAt = (n: number): ParticipantId => pick(BANKS, n) ?? BANK_A;
const networkAt = (n: number): NetworkId => pick([ALPHA, BETA, GAMMA], n) ?? ALPHA;

/** By `what` of a step. */
export const isAmendment = (what: number): boolean => what >= 92 && what < 96;

/** The command that a step stands for in `world` now. */
export function commandOf(world: World, step: Step): Command {
  const { what } = step;
  if (what < 8) return { type: 'submitTransfer', terms: payment(step) };
  if (what < 30) return { type: 'submitTransfer', terms: edged(world, step) };
  if (what < 54) return lockOf(world, step);
  if (what < 76) return outcomeOf(world, step);
  if (what < 84) return { type: 'cancelTransfer', bank: ownerOf(world, step), id: anyId(world, step) };
  if (what < 90) return lockCommand(world, step);
  if (what < 92) return { type: 'clock' };
  if (isAmendment(what)) return amendmentOf(world.state, step);
  if (what < 97) return world.event(networkAt(step.a), pauseOf(step));
  return hostile(world, step);
}

const liveAt = (world: World, { b }: Step): TransferTerms | undefined =>
  pick([...world.state.transfers.values()].sort(byOrder), b)?.transfer.terms;
const byOrder = (x: { order: number }, y: { order: number }): number => x.order - y.order;
const ownerOf = (world: World, step: Step): ParticipantId =>
  (step.c % 8 === 0 ? undefined : liveAt(world, step)?.debtor) ?? bankAt(step.a);

const anyId = (world: World, step: Step): TransferTerms['id'] =>
  (step.c % 9 === 0 ? undefined : liveAt(world, step)?.id) ?? transferId(step.b % 40);

const payment = ({ a, b, amount }: Step): TransferTerms => ({
  id: transferId(b % 200),
  asset: EUR,
  amountMinor: BigInt(amount),
  debtor: bankAt(a),
  creditor: bankAt(a + 1 + (b % 2)),
  onVoid: 'return',
});

function edged(world: World, step: Step): TransferTerms {
  const { a, b, c, amount } = step;
  const terms = { ...payment(step), id: transferId(200 + b), amountMinor: BigInt(amount) };
  const fundByMs = world.nowMs + 1 + (c % 7) * 60_000;
  const source = {
    source: { network: networkAt(c), depositor: world.party(networkAt(c), `depositor ${a % 2}`) },
    fundByMs,
  };
  const network = c % 4 < 2 ? BETA : networkAt(c >> 2);
  const destination = {
    destination: { network, beneficiary: world.party(network, `beneficiary ${b % 3}`) },
    deliverByMs: fundByMs + 1 + (a % 5) * 60_000,
  };
  if (c % 6 < 2) return { ...terms, ...destination, amountMinor: BigInt((amount >> 2) + 1) };
  if (c % 6 === 2) return { ...terms, ...source };
  return { ...terms, ...source, ...destination, onVoid: c % 3 === 0 ? 'return' : 'refund' };
}

/** Mostly what somebody waits for; sometimes of a wrong amount, reference or depositor, or a lock seen before. */
function lockOf(world: World, step: Step): Command {
  const { a, b, c, amount } = step;
  const live = [...world.state.transfers.values()].sort(byOrder).map(({ transfer }) => transfer);
  const waiting = live.filter(({ state, terms }) => terms.source && (b % 6 === 0 || state === 'AWAITING_FUNDS'));
  const wanted = pick(waiting, a);
  const past = pick(
    [...world.state.references].filter(([, row]) => row.past).map(([reference]) => reference),
    a,
  );
  const row = past && world.state.references.get(past)?.past;
  const noise = b % 13;
  if (noise === 5 && past && row) {
    const network = row.vault.split('/')[0] as NetworkId;
    const { depositor, amountMinor } = row;
    const lockId = word(`lock ${a} ${b} ${c}`);
    return world.event(network, { type: 'locked', lockId, reference: past, depositor, amountMinor });
  }
  const event: EventBody = {
    type: 'locked',
    lockId: noise === 1 ? word(`lock ${a % 5}`) : word(`lock ${a} ${b} ${c}`),
    reference: (noise === 2 ? past : wanted?.reference) ?? word(`reference ${a}`),
    depositor: noise === 3 ? addressOf('stranger') : (wanted?.terms.source?.depositor ?? addressOf('depositor 0')),
    amountMinor: noise === 4 ? BigInt(amount * 20) : (wanted?.terms.amountMinor ?? BigInt(amount)),
  };
  const network = noise === 4 || noise === 6 ? networkAt(c) : (wanted?.terms.source?.network ?? ALPHA);
  return world.event(network, event, counterNoise(world, step));
}

/** One in twelve has a trust version that does not fit. */
function counterNoise(world: World, { b, a }: Step): { trustVersion?: number } {
  return b % 12 === 7 ? { trustVersion: (world.state.network(ALPHA)?.trustVersion ?? 1) + 1 + (a % 3) } : {};
}

function outcomeOf(world: World, { a, b, amount }: Step): Command {
  const open = [...world.state.instructions.values()].sort((x, y) => (x.id < y.id ? -1 : 1));
  const instruction = pick(open, a);
  if (instruction === undefined) return { type: 'clock' };
  const { transfer } = instruction;
  if (b % 5 < 2 && instruction.kind !== 'void') {
    if (transfer) return { type: 'cancelTransfer', ...transfer };
    const { network, asset, subject: lockId } = instruction;
    return { type: 'cancelLockRefund', by: OPERATOR, network, asset, lockId };
  }
  const target = instruction.kind === 'void' ? world.state.instructions.get(instruction.subject) : instruction;
  const body =
    instruction.kind === 'void' && b % 4 !== 0 ? world.voided(instruction) : executedOf(world, target ?? instruction);
  return world.event(instruction.network, b % 13 === 1 ? distort(body, amount) : body);
}

const executedOf = (world: World, instruction: OpenInstruction): EventBody =>
  instruction.kind === 'void' ? world.voided(instruction) : world.executed(instruction);

/** What a stolen key or a lying witness would say. */
function distort(body: EventBody, amount: number): EventBody {
  if (body.type === 'voided') return { ...body, id: word(`void ${amount}`) };
  if (body.type !== 'executed') return body;
  const lies: EventBody[] = [
    { ...body, amountMinor: body.amountMinor + 1n },
    { ...body, beneficiary: addressOf('thief') },
    { ...body, id: word(`instruction ${amount}`) },
    { ...body, epoch: body.epoch + 1 },
    { ...body, kind: body.kind === 'refund' ? 'release' : 'refund' },
    { ...body, subject: word('subject') },
  ];
  return pick(lies, amount) ?? body;
}

function lockCommand(world: World, { a, b, c }: Step): Command {
  const lock = pick(
    [...world.state.unmatched.values()].sort((x, y) => (x.lockId < y.lockId ? -1 : 1)),
    a,
  );
  const by = b % 5 < 2 ? OPERATOR : b % 5 === 2 ? bankAt(c) : (lock?.transfer?.bank ?? bankAt(c));
  const lockId = lock?.lockId ?? word('no lock');
  const isGoingBack = lock !== undefined && lock.state !== 'UNMATCHED';
  const asks = isGoingBack && c % 4 < 2 ? 'cancelLockRefund' : 'refundLock';
  return {
    type: c % 3 === 0 || (lock?.why === 'late' && c % 3 === 1) ? 'claimLock' : asks,
    by,
    network: lock?.network ?? ALPHA,
    asset: EUR,
    lockId,
  };
}

const pauseOf = ({ b }: Step): EventBody => ({
  type: 'pauseChanged',
  id: word('pause'),
  paused: b % 3 === 0,
  byGuardian: false,
});

function amendmentOf(state: SettlementState, { a, b, c }: Step): Command {
  const network = networkAt(a);
  const actions: Action[] = [
    { name: 'reopen_lane', args: { network, asset: EUR } },
    { name: 'set_network_state', args: { id: network, state: b % 5 === 0 ? 'paused' : 'active' } },
    { name: 'set_exposure_cap', args: { network, asset: EUR, amountMinor: BigInt(c * 10) } },
  ];
  return signedAmendment(
    state.nextAmendment() - (b % 9 === 0 ? 1 : 0),
    actions.slice(0, 1 + (c % 3)),
    b % 7 === 0 ? 1 : 2,
  );
}

function hostile(world: World, step: Step): Command {
  const { a, b } = step;
  const terms = payment(step);
  const choices: Command[] = [
    { type: 'submitTransfer', terms: { ...terms, amountMinor: 0n } },
    { type: 'submitTransfer', terms: { ...terms, amountMinor: 2n ** 63n } },
    { type: 'submitTransfer', terms: { ...terms, creditor: terms.debtor } },
    { type: 'submitTransfer', terms: { ...terms, creditor: OPERATOR } },
    { type: 'submitTransfer', terms: { ...edged(world, step), asset: USD } },
    { type: 'submitTransfer', terms: { ...terms, onVoid: 'refund' } },
    seqOff(world, a, +1 + (b % 3)),
    seqOff(world, a, -1),
    world.event('nowhere' as NetworkId, pauseOf(step)),
    world.event(networkAt(a), {
      type: 'rotated',
      id: word('rotate'),
      authority: addressOf('x'),
      epoch: 2,
      byGuardian: true,
    }),
  ];
  return pick(choices, b) ?? { type: 'clock' };
}

function seqOff(world: World, n: number, by: number): Command {
  const command = world.event(networkAt(n), pauseOf({ what: 0, a: 0, b: 0, c: 0, amount: 1, waitMs: 0 }));
  if (command.type !== 'vaultEvent') return command;
  return { ...command, event: { ...command.event, seq: Math.max(0, command.event.seq + by) } };
}

/** Bounds so small that histories run into them. */
export const SMALL_LIMITS = {
  liveTransfersPerBank: 9,
  unmatchedLocksPerVault: 6,
  pastReferencesPerBank: 3,
  deadlinesPerEntry: 2,
  retriesPerStep: 1,
};

/** Beta may issue little more than a funded world has outstanding there, so that transfers wait. */
export const TIGHT_GENESIS: typeof GENESIS = {
  ...GENESIS,
  exposureCaps: GENESIS.exposureCaps.map((cap) => (cap.network === BETA ? { ...cap, amountMinor: 1_350n } : cap)),
};

/** A world whose banks have something to lose, some of it outstanding on network beta. */
export function fundedWorld(limits: ConstructorParameters<typeof World>[0], genesis = TIGHT_GENESIS): World {
  const world = new World(limits, genesis);
  for (const bank of BANKS) {
    world.deposit(bank, 900n);
    world.submit(world.toBeta({ debtor: bank, amountMinor: 400n }));
    world.run(world.event(BETA, world.executed(world.open(BETA, 'issue'))));
  }
  return world;
}
