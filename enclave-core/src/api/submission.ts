/** From terms to the answer of `POST /v1/transfers`: one item of a batch and a single request are answered alike. */
import { type ProblemDocument, problemDocument } from '@drawbridge/protocol/api/problem';
import type { TransferResource } from '@drawbridge/protocol/api/transfer';
import type { ParticipantId, TransferId } from '@drawbridge/protocol/ids';
import type { Committed, CoreService } from '../core-service.ts';
import type { TransferTerms } from '../settlement/command.ts';
import type { Transfer } from '../settlement/record.ts';
import { sameTerms } from '../settlement/terms.ts';
import { refusalProblem } from './problems.ts';
import { transferResource } from './resources.ts';

export type Submitted =
  | Readonly<{ status: 201 | 200; transfer: TransferResource }>
  | Readonly<{ problem: ProblemDocument }>;

/** A transfer wherever it is: live, or ended and in the history. */
export function findTransfer(
  core: Pick<CoreService, 'view' | 'history'>,
  bank: ParticipantId,
  id: TransferId,
): Transfer | undefined {
  return core.view.liveTransfer(bank, id) ?? core.history.transfer(bank, id);
}

/** `201` when it is new, `200` when the same terms were there before, otherwise the problem. */
export function answerSubmission(
  core: CoreService,
  terms: TransferTerms,
  { outcome, transfer: known }: Committed,
): Submitted {
  if (!outcome.ok && outcome.code !== 'TRANSFER_ID_SPENT') return { problem: refusalProblem(outcome) };
  const transfer = known ?? findTransfer(core, terms.debtor, terms.id);
  if (outcome.ok) {
    if (!transfer) throw new Error('accepted transfer is neither live nor in the history');
    return { status: outcome.repeated ? 200 : 201, transfer: transferResource(transfer, true, core.view) };
  }
  if (!transfer || !sameTerms(transfer.terms, terms)) return { problem: problemDocument('TRANSFER_ID_CONFLICT') };
  return { status: 200, transfer: transferResource(transfer, true, core.view) };
}
