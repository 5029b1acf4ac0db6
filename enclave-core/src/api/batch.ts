/** A batch is one submit: malformed items keep their own problems, the rest go to the ledger together. */
import { problemDocument } from '@drawbridge/protocol/api/problem';
import {
  type BatchResponse,
  type BatchResult,
  type TransferRequest,
  TransferRequestSchema,
} from '@drawbridge/protocol/api/transfer';
import type { ParticipantId } from '@drawbridge/protocol/ids';
import type { CoreService, TransactionId } from '../core-service.ts';
import type { Command, TransferTerms } from '../settlement/command.ts';
import { mapBounded } from './bounded-map.ts';
import type { ApiContext } from './context.ts';
import { ReceiptSheet, receiptOfTransfer } from './receipts.ts';
import { answerSubmission } from './submission.ts';
import { termsOf } from './transfer-terms.ts';
import { type Checker, checkerOf } from './validation.ts';

const checker: Checker<TransferRequest> = checkerOf<TransferRequest>(TransferRequestSchema);

/** Terms, or the answer to an item that never reaches the ledger. */
function prepare(item: unknown, debtor: ParticipantId): TransferTerms | BatchResult {
  const terms = checker.accepts(item) ? termsOf(item, debtor) : checker.errors(item);
  return Array.isArray(terms) ? { status: 400, problem: problemDocument('REQUEST_INVALID', undefined, terms) } : terms;
}
const isTerms = (prepared: TransferTerms | BatchResult): prepared is TransferTerms => 'debtor' in prepared;

/** Adds the proof of each accepted item, or leaves it out where it cannot be had now. */
export async function withProofs(
  context: ApiContext,
  bank: ParticipantId,
  results: readonly BatchResult[],
): Promise<BatchResponse> {
  const receipts = await mapBounded(
    results,
    context.limits.receiptsAtOnce,
    async ({ status, transfer, transactionId }) =>
      transfer &&
      receiptOfTransfer(context, {
        bank,
        id: transfer.id,
        at: status === 201 ? (transactionId as TransactionId | undefined) : undefined,
      }),
  );
  const sheet = new ReceiptSheet();
  const proven = results.map((result, place): BatchResult => {
    const receipt = receipts[place];
    const proof = receipt && sheet.add(receipt);
    return proof ? { ...result, proof } : result;
  });
  return { results: proven, receipts: sheet.receipts };
}

/** One answer per item, in order. `transactionId` is that of the last entry that holds one of them. */
export async function submitBatch(
  core: CoreService,
  debtor: ParticipantId,
  items: readonly unknown[],
): Promise<{ results: BatchResult[]; transactionId?: TransactionId }> {
  const prepared = items.map((item) => prepare(item, debtor));
  const commands: Command[] = [];
  for (const terms of prepared) if (isTerms(terms)) commands.push({ type: 'submitTransfer', terms });
  const committed = commands.length > 0 ? await core.submit(commands) : [];
  if (committed.length !== commands.length) throw new Error('core answered fewer outcomes than commands');
  let place = 0;
  const results = prepared.map((item): BatchResult => {
    const done = isTerms(item) ? committed[place++] : undefined;
    if (!isTerms(item) || !done) return item as BatchResult;
    const { transactionId } = done;
    const answer = answerSubmission(core, item, done);
    return 'problem' in answer
      ? { status: answer.problem.status, problem: answer.problem, transactionId }
      : { status: answer.status, transfer: answer.transfer, transactionId };
  });
  const last = committed.at(-1);
  return last ? { results, transactionId: last.transactionId } : { results };
}
