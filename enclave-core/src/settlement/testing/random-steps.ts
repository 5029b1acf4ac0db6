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
  OPERATOR,
  signedAmendment,
  transferId,
  USD,
  World,
  word,
} from './world.ts';

export type Step = Readonly<{ what: number; a: number; b: number; c: number; amount: number; waitMs: number }>;

/** Steps of one history. */
export const steps = (maxLength: number): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.record({
      what: fc.nat(99),
      a: fc.nat(1000),
      b: fc.nat(1000),
      c: fc.nat(1000),
      amount: fc.integer({ min: 1, max: 400 }),
      waitMs: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(60_000) }),
    }),
    { minLength: 1, maxLength },
  );

const BANKS: readonly ParticipantId[] = [BANK_A, BANK_B, BANK_C];
const pick = <T>(list: readonly T[], n: number): T | undefined =>
  list.length === 0 ? undefined : list[n % list.length];
const bankAt = (n: number): ParticipantId => pick(BANKS, n) ?? BANK_A;
const networkAt = (n: number): NetworkId => (n % 2 === 0 ? ALPHA : BETA);

/** The command that a step stands for in `world` now. */
export function commandOf(world: World, step: Step): Command {
  const { what } = step;
  if (what < 12) return { type: 'submitTransfer', terms: payment(step) };
  if (what < 36) return { type: 'submitTransfer', terms: edged(world, step) };
  if (what < 58) return world.event(networkAt(step.c), lockOf(world, step), counterNoise(world, step));
  if (what < 76) return outcomeOf(world, step);
  if (what < 83) return { type: 'cancelTransfer', bank: bankAt(step.a), id: anyId(world, step) };
  if (what < 88) return lockCommand(world, step);
  if (what < 91) return { type: 'clock' };
  if (what < 94) return amendmentOf(world.state, step);
  if (what < 96) return world.event(networkAt(step.a), pauseOf(step));
  return hostile(world, step);
}

function anyId(world: World, { b }: Step): TransferTerms['id'] {
  const live = [...world.state.transfers.values()];
  return pick(live, b)?.transfer.terms.id ?? transferId(b % 40);
}

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
  const fundByMs = world.nowMs + 1 + (c % 7) * 20_000;
  const source = { source: { network: networkAt(c), depositor: addressOf(`depositor ${a % 2}`) }, fundByMs };
  const destination = {
    destination: { network: networkAt(c >> 1), beneficiary: addressOf(`beneficiary ${b % 3}`) },
    deliverByMs: fundByMs + 1 + (a % 5) * 20_000,
  };
  if (c % 5 === 0) return { ...terms, ...destination };
  if (c % 5 === 1) return { ...terms, ...source };
  return { ...terms, ...source, ...destination, onVoid: c % 2 === 0 ? 'refund' : 'return' };
}

/** Mostly what somebody waits for; sometimes of a wrong amount, reference or depositor, or a lock seen before. */
function lockOf(world: World, { a, b, c, amount }: Step): EventBody {
  const network = networkAt(c);
  const waiting = [...world.state.transfers.values()].filter(
    ({ transfer }) =>
      transfer.terms.source?.network === network && (b % 3 === 0 || transfer.state === 'AWAITING_FUNDS'),
  );
  const known = pick([...world.state.references.keys()], a);
  const wanted = pick(waiting, a)?.transfer;
  const noise = b % 11;
  return {
    type: 'locked',
    lockId: noise === 1 ? word(`lock ${a % 5}`) : word(`lock ${a} ${b} ${c}`),
    reference: (noise === 2 ? known : wanted?.reference) ?? word(`reference ${a}`),
    depositor: noise === 3 ? addressOf('stranger') : (wanted?.terms.source?.depositor ?? addressOf('depositor 0')),
    amountMinor: noise === 4 ? BigInt(amount) : (wanted?.terms.amountMinor ?? BigInt(amount)),
  };
}

/** One in twelve has a counter or trust version that does not fit. */
function counterNoise(world: World, { b, a }: Step): { trustVersion?: number } {
  return b % 12 === 5 ? { trustVersion: (world.state.network(ALPHA)?.trustVersion ?? 1) + 1 + (a % 3) } : {};
}

function outcomeOf(world: World, { a, b, amount }: Step): Command {
  const open = [...world.state.instructions.values()].sort((x, y) => (x.id < y.id ? -1 : 1));
  const instruction = pick(open, a);
  if (instruction === undefined) return { type: 'clock' };
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
  const by = b % 4 === 0 ? OPERATOR : b % 4 === 1 ? bankAt(c) : (lock?.transfer?.bank ?? bankAt(c));
  const lockId = lock?.lockId ?? word('no lock');
  return {
    type: c % 3 === 0 ? 'claimLock' : 'refundLock',
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
    { name: 'set_network_state', args: { id: network, state: b % 3 === 0 ? 'paused' : 'active' } },
    { name: 'set_exposure_cap', args: { network, asset: EUR, amountMinor: BigInt(c * 5) } },
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
    world.event('gamma' as NetworkId, pauseOf(step)),
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
  liveTransfersPerBank: 6,
  unmatchedLocksPerVault: 3,
  pastReferencesPerBank: 3,
  deadlinesPerEntry: 2,
  retriesPerStep: 2,
};

/** A world whose banks have something to lose. */
export function fundedWorld(limits: ConstructorParameters<typeof World>[0]): World {
  const world = new World(limits);
  for (const bank of BANKS) world.deposit(bank, 700n);
  return world;
}
