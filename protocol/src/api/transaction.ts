/** Transactions and what became of them, and errors as CCF writes them. */
import { Type } from '@sinclair/typebox';
import { TransactionIdForm, wordForm } from './forms.ts';
import { type Wire, wire } from './wire.ts';

/** `Invalid`: it never happened and never will. `Unknown`: it may still come. A committed one stays so. */
export type TransactionStatusName = 'Committed' | 'Pending' | 'Invalid' | 'Unknown';
export type TransactionAnswer = Readonly<{ transaction_id: string; status: TransactionStatusName }>;
export const TransactionAnswerSchema: Wire<TransactionAnswer> = wire<TransactionAnswer>()(
  Type.Object(
    {
      transaction_id: TransactionIdForm,
      status: wordForm<TransactionStatusName>(['Committed', 'Pending', 'Invalid', 'Unknown']),
    },
    { examples: [{ transaction_id: '2.1042', status: 'Committed' } satisfies TransactionAnswer] },
  ),
);

export type CommitAnswer = Readonly<{ transaction_id: string }>;
export const CommitAnswerSchema: Wire<CommitAnswer> = wire<CommitAnswer>()(
  Type.Object({ transaction_id: TransactionIdForm }),
);

export type CcfErrorCode =
  | 'InvalidQueryParameterValue'
  | 'InvalidResourceName'
  | 'ResourceNotFound'
  | 'TransactionPendingOrUnknown'
  | 'TransactionInvalid'
  | 'UnsupportedHttpVerb'
  | 'PrimaryNotFound'
  | 'NodeCannotHandleRequest'
  | 'InternalError';
export type CcfError = Readonly<{ error: Readonly<{ code: string; message: string }> }>;
export const CcfErrorSchema: Wire<CcfError> = wire<CcfError>()(
  Type.Object(
    { error: Type.Object({ code: Type.String({ examples: ['ResourceNotFound'] }), message: Type.String() }) },
    { title: 'CcfError', description: 'an error in the form of CCF' },
  ),
);
