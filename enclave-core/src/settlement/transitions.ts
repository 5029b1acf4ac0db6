/**
 * The life of a transfer as a table: what each event does in each state (DESIGN §5). Data, and one function that reads
 * it. Postings and instructions are done by whoever asks; here is only what may happen. README.md shows the same table,
 * and `transitions.test.ts` has a case for every cell.
 */
import type { RefusalCode } from './command.ts';
import { InvariantError } from './invariant-error.ts';
import type { TransferReason, TransferState, UnmatchedLockReason } from './record.ts';

export type TransferEvent =
  /** The debtor's bank states the terms; again when the transfer is known. */
  | 'submit'
  /** A lock that fits its reference, depositor and amount is proven. */
  | 'funded'
  /** The destination's lane has room, and the release or issue is written. */
  | 'instruct'
  /** The release or issue is proven. */
  | 'executed'
  /** A void of the release or issue is proven. */
  | 'voided'
  /** The debtor's bank asks to end it. */
  | 'cancel'
  | 'fundByPassed'
  | 'deliverByPassed'
  /** The refund on the source network is proven. */
  | 'refundExecuted'
  /** A void of the refund is proven. */
  | 'refundVoided';

/** What a branch asks of the transfer and the lanes. */
export type Guard =
  | 'hasSource'
  | 'hasDestination'
  /** Available balance of the debtor is below the amount. */
  | 'lacksFunds'
  /** `onVoid` is `refund`, the lock is known, and the source vault can pay it back. */
  | 'refundable'
  /** A lock was matched to it once. */
  | 'wasFunded';
export type Facts = Partial<Record<Guard, boolean>>;

export type Verdict =
  /** `reason` replaces the transfer's; absent keeps it; `null` drops it. */
  | Readonly<{ kind: 'move'; to: TransferState; reason?: TransferReason | null }>
  /** Already so: the same answer again, nothing changes. Other terms under a known id are refused before. */
  | Readonly<{ kind: 'same' }>
  | Readonly<{ kind: 'refuse'; code: RefusalCode }>
  /** The lock goes to suspense. */
  | Readonly<{ kind: 'unmatched'; why: UnmatchedLockReason }>
  /** Evidence that contradicts the ledger: the lane halts. */
  | Readonly<{ kind: 'halt' }>
  /** A deadline that has lost its meaning. */
  | Readonly<{ kind: 'ignore' }>
  /** No input reaches it. */
  | Readonly<{ kind: 'never' }>;

/** The first branch whose guard holds; the last one has none. */
export type Branch = Verdict & Readonly<{ when?: Guard }>;
export type Cell = readonly [Branch, ...Branch[]];

const move = (to: TransferState, reason?: TransferReason | null, when?: Guard): Branch => ({
  kind: 'move',
  to,
  ...(reason !== undefined && { reason }),
  ...(when !== undefined && { when }),
});
const SAME: Cell = [{ kind: 'same' }];
const HALT: Cell = [{ kind: 'halt' }];
const IGNORE: Cell = [{ kind: 'ignore' }];
const NEVER: Cell = [{ kind: 'never' }];
const SPENT: Cell = [{ kind: 'refuse', code: 'TRANSFER_ID_SPENT' }];
const ENDED: Cell = [{ kind: 'refuse', code: 'TRANSFER_NOT_CANCELLABLE' }];
const REPEATED: Cell = [{ kind: 'unmatched', why: 'repeated' }];
const LATE: Cell = [{ kind: 'unmatched', why: 'late' }];

type Row = Readonly<Record<TransferEvent, Cell>>;

/** An ended transfer: nothing moves it, its id stays spent, what vaults say of it is false. */
const ended = (funded: Cell): Row => ({
  submit: SPENT,
  funded,
  instruct: NEVER,
  executed: HALT,
  voided: HALT,
  cancel: ENDED,
  fundByPassed: IGNORE,
  deliverByPassed: IGNORE,
  refundExecuted: HALT,
  refundVoided: HALT,
});

export const TRANSITIONS: Readonly<Record<TransferState, Row>> = {
  PROPOSED: {
    submit: [
      move('AWAITING_FUNDS', undefined, 'hasSource'),
      move('REJECTED', 'AM04', 'lacksFunds'),
      move('FUNDED', undefined, 'hasDestination'),
      move('SETTLED'),
    ],
    funded: NEVER,
    instruct: NEVER,
    executed: HALT,
    voided: HALT,
    cancel: [move('CANCELLED', 'CUST')],
    fundByPassed: IGNORE,
    deliverByPassed: IGNORE,
    refundExecuted: HALT,
    refundVoided: HALT,
  },
  AWAITING_FUNDS: {
    submit: SAME,
    funded: [move('FUNDED', undefined, 'hasDestination'), move('SETTLED')],
    instruct: NEVER,
    executed: HALT,
    voided: HALT,
    cancel: [move('CANCELLED', 'CUST')],
    fundByPassed: [move('EXPIRED', 'NOFUNDS')],
    deliverByPassed: IGNORE,
    refundExecuted: HALT,
    refundVoided: HALT,
  },
  FUNDED: {
    submit: SAME,
    funded: REPEATED,
    instruct: [move('RELAYING')],
    executed: HALT,
    voided: HALT,
    cancel: [move('CANCELLED', 'CUST')],
    fundByPassed: IGNORE,
    deliverByPassed: [move('REFUNDING', 'AB03', 'refundable'), move('RETURNED', 'AB03')],
    refundExecuted: HALT,
    refundVoided: HALT,
  },
  RELAYING: {
    submit: SAME,
    funded: REPEATED,
    instruct: NEVER,
    executed: [move('SETTLED')],
    voided: HALT,
    cancel: [move('VOIDING', 'CUST')],
    fundByPassed: IGNORE,
    deliverByPassed: [move('VOIDING', 'AB05')],
    refundExecuted: HALT,
    refundVoided: HALT,
  },
  VOIDING: {
    submit: SAME,
    funded: REPEATED,
    instruct: NEVER,
    executed: [move('SETTLED', null)],
    voided: [move('REFUNDING', undefined, 'refundable'), move('RETURNED')],
    cancel: SAME,
    fundByPassed: IGNORE,
    deliverByPassed: IGNORE,
    refundExecuted: HALT,
    refundVoided: HALT,
  },
  REFUNDING: {
    submit: SAME,
    funded: REPEATED,
    instruct: NEVER,
    executed: HALT,
    voided: HALT,
    cancel: [move('REFUNDING')],
    fundByPassed: IGNORE,
    deliverByPassed: IGNORE,
    refundExecuted: [move('REFUNDED')],
    refundVoided: [move('RETURNED', 'VOIDED')],
  },
  SETTLED: ended(REPEATED),
  REJECTED: ended(NEVER),
  EXPIRED: ended(LATE),
  CANCELLED: ended([
    { kind: 'unmatched', why: 'repeated', when: 'wasFunded' },
    { kind: 'unmatched', why: 'late' },
  ]),
  RETURNED: ended(REPEATED),
  REFUNDED: ended(REPEATED),
};

/**
 * What `event` does to a transfer in `state`. Only the guards that the cell names are read.
 * @throws InvariantError for a cell that no input reaches, or a guard that the caller did not settle.
 */
export function transition(state: TransferState, event: TransferEvent, facts: Facts): Verdict {
  for (const branch of TRANSITIONS[state][event]) {
    if (branch.when !== undefined && facts[branch.when] === undefined) {
      throw new InvariantError(`${event} in ${state} needs to know ${branch.when}`);
    }
    if (branch.when !== undefined && !facts[branch.when]) continue;
    if (branch.kind === 'never') throw new InvariantError(`${event} in ${state} cannot be`);
    return branch;
  }
  throw new InvariantError(`${event} in ${state} has no branch that holds`);
}
