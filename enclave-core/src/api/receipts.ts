/** Receipts in answers: of what a write did, and of many claims at once without repeating what they share. */
import type { Participant } from '@drawbridge/governance/registration';
import { wordForm } from '@drawbridge/protocol/api/forms';
import type { ClaimOfReceipt } from '@drawbridge/protocol/api/receipt';
import { type Wire, wire } from '@drawbridge/protocol/api/wire';
import type { ParticipantId, TransferId } from '@drawbridge/protocol/ids';
import type { Receipt } from '@drawbridge/protocol/ledger/receipt';
import { Type } from '@sinclair/typebox';
import type { CoreService, TransactionId } from '../core-service.ts';
import type { ParticipantEvent } from '../settlement/record.ts';
import type { UnmatchedLock } from '../settlement/view.ts';

type Core = Pick<CoreService, 'receipts' | 'view' | 'history'>;

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
  'With `?receipt=true` the answer carries the receipt of your own event, signed by then; where that takes too long it is ' +
  '`RECEIPT_PENDING`, and the same request again gets the same answer with it.';

/**
 * A receipt, or nothing where this node cannot prove it now, whatever the reason: what is asked for did happen, and no answer
 * may look as if it had not.
 */
export async function inTime(asked: Promise<Receipt | undefined>): Promise<Receipt | undefined> {
  try {
    return await asked;
  } catch (error) {
    if ((error as { name?: unknown }).name === 'SubmitError') return undefined;
    throw error;
  }
}

/**
 * What `bank` was told of its own transfer in the entry `at`, or last of all when there is none. `undefined`: not to be had
 * in time.
 */
export function receiptOfTransfer(
  { receipts }: Core,
  { bank, id, at }: Readonly<{ bank: ParticipantId; id: TransferId; at?: TransactionId | undefined }>,
): Promise<Receipt | undefined> {
  return inTime(receipts.transfer(bank, bank, id, at));
}

/** Newest events of a bank among which one about a lock is looked for. */
const LOCK_EVENTS_SEARCHED = 2_000;

/**
 * What the caller was told last of a lock; operators are told nothing, and get the entry's receipt without claims.
 * `undefined`: not to be had in time, or told too long ago to be found here.
 */
export async function receiptOfLock(
  core: Core,
  caller: Participant,
  { network, asset, lockId }: Pick<UnmatchedLock, 'network' | 'asset' | 'lockId'>,
  transactionId: TransactionId,
): Promise<Receipt | undefined> {
  if (caller.role !== 'bank') return inTime(core.receipts.transaction(transactionId));
  const isIt = ({ body }: ParticipantEvent): boolean =>
    body.type === 'lock' && body.lockId === lockId && body.network === network && body.asset === asset;
  const first = Math.max(0, core.view.eventCount(caller.id) - LOCK_EVENTS_SEARCHED);
  const event = core.history.events(caller.id, first, LOCK_EVENTS_SEARCHED).items.findLast(isIt);
  return event && inTime(core.receipts.event(caller.id, event.number));
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
