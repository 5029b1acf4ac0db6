/** Receipts in answers: of what a write did, and of many claims at once without repeating what they share. */
import type { Participant } from '@drawbridge/governance/registration';
import { wordForm } from '@drawbridge/protocol/api/forms';
import type { ClaimOfReceipt } from '@drawbridge/protocol/api/receipt';
import { type Wire, wire } from '@drawbridge/protocol/api/wire';
import type { ParticipantId, TransferId } from '@drawbridge/protocol/ids';
import type { Receipt } from '@drawbridge/protocol/ledger/receipt';
import { Type } from '@sinclair/typebox';
import { type Committed, type LockName, SubmitError, type TransactionId } from '../core-service.ts';
import type { ApiContext } from './context.ts';
import type { ApiLog } from './log.ts';

/** Who makes receipts, and where it is said that one could not be made. */
type Prover = Pick<ApiContext, 'core' | 'log'>;

export type ReceiptQuery = Readonly<{ receipt?: 'true' | 'false' }>;
/** Query of writes that can prove what they did. */
export const ReceiptQuerySchema: Wire<ReceiptQuery> = wire<ReceiptQuery>()(
  Type.Object(
    { receipt: Type.Optional(wordForm<'true' | 'false'>(['true', 'false'])) },
    { additionalProperties: false },
  ),
);
export const wantsReceipt = ({ receipt }: ReceiptQuery): boolean => receipt === 'true';

export const RECEIPT_WORDS =
  'With `?receipt=true` the answer carries the receipt of your own event, signed by then; where it cannot be had now it is ' +
  '`RECEIPT_PENDING`, and the same request again gets the same answer with it.';

/**
 * A receipt, or nothing where this node cannot prove it now, whatever the reason: what is asked for did happen, and no answer
 * may look as if it had not.
 */
export async function inTime(log: ApiLog, asked: Promise<Receipt | undefined>): Promise<Receipt | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof SubmitError)) log.error(nameAndCode(error), 'a receipt could not be made');
    return undefined;
  }
}

/** Its text may name what the log must not hold. */
function nameAndCode(error: unknown): Readonly<{ name: string; code?: string }> {
  if (!(error instanceof Error)) return { name: typeof error };
  return { name: error.name, ...('code' in error && { code: String(error.code) }) };
}

/**
 * What `bank` was told of its own transfer in the entry `at`, or last of all when there is none. `undefined`: not to be had
 * in time.
 */
export function receiptOfTransfer(
  { core, log }: Prover,
  { bank, id, at }: Readonly<{ bank: ParticipantId; id: TransferId; at?: TransactionId | undefined }>,
): Promise<Receipt | undefined> {
  return inTime(log, core.receipts.transfer(bank, bank, id, at));
}

/**
 * What the caller was told of a lock by what it asked, or last of all where it had asked before; operators are told nothing,
 * and get the entry's receipt without claims. `undefined`: not to be had now.
 */
export function receiptOfLock(
  { core, log }: Prover,
  caller: Participant,
  lock: LockName,
  { outcome, transactionId }: Committed,
): Promise<Receipt | undefined> {
  if (caller.role !== 'bank') return inTime(log, core.receipts.transaction(transactionId));
  return inTime(log, core.receipts.lock(caller.id, lock, outcome.ok ? transactionId : undefined));
}

/** Receipts of many claims: what those of one entry share is kept once. */
export class ReceiptSheet {
  readonly receipts: Receipt[] = [];
  readonly #places = new Map<string, number>();

  /** The claim and where the rest of its receipt stands; nothing for a receipt without a claim. */
  add({ claims_proof, ...shared }: Receipt): ClaimOfReceipt | undefined {
    if (claims_proof === undefined) return undefined;
    const known = this.#places.get(shared.transaction_id);
    const receipt = known ?? this.receipts.push(shared) - 1;
    if (known === undefined) this.#places.set(shared.transaction_id, receipt);
    return { receipt, claims_proof };
  }
}
