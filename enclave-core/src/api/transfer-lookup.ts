/** Which transfer a request names, as far as its caller reaches. */
import type { Participant } from '@drawbridge/governance/registration';
import { ParticipantIdForm, TransferIdForm } from '@drawbridge/protocol/api/forms';
import type { FieldError } from '@drawbridge/protocol/api/problem';
import { type Wire, wire } from '@drawbridge/protocol/api/wire';
import type { ParticipantId, TransferId } from '@drawbridge/protocol/ids';
import { Type } from '@sinclair/typebox';
import type { CoreService } from '../core-service.ts';
import type { Transfer } from '../settlement/record.ts';
import { defaultSubjects, type Operation, reaches } from './access.ts';
import type { ApiReply } from './context.ts';
import { sendProblem } from './problems.ts';
import { findTransfer } from './submission.ts';

export type IdParams = Readonly<{ id: TransferId }>;
export const IdParamsSchema: Wire<IdParams> = wire<IdParams>()(Type.Object({ id: TransferIdForm }));
export type BankQuery = Readonly<{ bank?: ParticipantId }>;
export const BankQuerySchema: Wire<BankQuery> = wire<BankQuery>()(
  Type.Object({ bank: Type.Optional(ParticipantIdForm) }, { additionalProperties: false }),
);

export const BANK_WORDS =
  'Ids are scoped to the debtor bank. Without `bank` a bank reads its own transfer and an auditor that of the banks that ' +
  'it supervises; to read one that another bank sends you, name that bank: events do.';

const BANK_REQUIRED: readonly FieldError[] = [
  { path: '/bank', message: 'is required here and must be the participant id of the debtor' },
];

/** The transfer, or the reason why there is none for this caller. */
export function lookUpTransfer(
  core: Pick<CoreService, 'view' | 'history'>,
  caller: Participant,
  operation: Operation,
  { id, bank }: Readonly<{ id: TransferId; bank?: ParticipantId | undefined }>,
): Transfer | 'NOT_FOUND' | 'TRANSFER_ID_AMBIGUOUS' {
  const banks = bank === undefined ? defaultSubjects(caller, operation) : [bank];
  const [transfer, another] = banks.flatMap((one) => findTransfer(core, one, id) ?? []);
  if (!transfer) return 'NOT_FOUND';
  const { debtor, creditor } = transfer.terms;
  if (!reaches(caller, operation, [debtor, creditor])) return 'NOT_FOUND';
  return another ? 'TRANSFER_ID_AMBIGUOUS' : transfer;
}

export function sendNoTransfer(reply: ApiReply, why: 'NOT_FOUND' | 'TRANSFER_ID_AMBIGUOUS'): ApiReply {
  return why === 'NOT_FOUND' ? sendProblem(reply, why) : sendProblem(reply, why, BANK_REQUIRED);
}
