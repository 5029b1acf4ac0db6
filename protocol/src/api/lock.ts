/** Locks that fit no transfer: held in suspense until they are refunded or, if only late, credited. */
import { Type } from '@sinclair/typebox';
import type { Bytes32 } from '../bytes32.ts';
import type { AssetCode, NetworkId } from '../ids.ts';
import type { Receipt } from '../ledger/receipt.ts';
import { type TransferName, TransferNameSchema } from './account.ts';
import {
  EXAMPLE_ASSET,
  EXAMPLE_DEBTOR,
  EXAMPLE_DEPOSITOR,
  EXAMPLE_SOURCE,
  EXAMPLE_TRANSFER,
  exampleWord,
} from './examples.ts';
import { AmountForm, type AmountText, AssetCodeForm, Bytes32Form, NetworkIdForm, wordForm } from './forms.ts';
import { ReceiptSchema } from './receipt.ts';
import { type Wire, wire } from './wire.ts';

/** `VOIDING`: its refund was cancelled; `UNMATCHED` again, or `REFUNDED` if the network executed the refund first. */
export type UnmatchedStateName = 'UNMATCHED' | 'REFUNDING' | 'VOIDING' | 'REFUNDED' | 'CLAIMED';
export const UnmatchedStateForm: Wire<UnmatchedStateName> = wordForm<UnmatchedStateName>([
  'UNMATCHED',
  'REFUNDING',
  'VOIDING',
  'REFUNDED',
  'CLAIMED',
]);
export type UnmatchedWhy = 'reference' | 'depositor' | 'amount' | 'late' | 'repeated' | 'cap';

/** Operators get where the lock is and its state; the bank that its reference names, and its auditors, get the rest. */
export type LockResource = Readonly<{
  network: NetworkId;
  asset: AssetCode;
  lockId: Bytes32;
  state: UnmatchedStateName;
  depositor?: string;
  amountMinor?: AmountText;
  transfer?: TransferName;
  /** What did not fit. */
  why?: UnmatchedWhy;
  /** With `?receipt=true`: for the bank of its own event, for operators of the entry alone. */
  receipt?: Receipt;
}>;
export type LockPage = Readonly<{
  locks: readonly LockResource[];
  /** Pass as `after` for the next page; absent at the end. */
  next?: string;
}>;

export const LockSchema: Wire<LockResource> = wire<LockResource>()(
  Type.Object(
    {
      network: NetworkIdForm,
      asset: AssetCodeForm,
      lockId: Bytes32Form,
      state: UnmatchedStateForm,
      depositor: Type.Optional(Type.String()),
      amountMinor: Type.Optional(AmountForm),
      transfer: Type.Optional(TransferNameSchema),
      why: Type.Optional(wordForm<UnmatchedWhy>(['reference', 'depositor', 'amount', 'late', 'repeated', 'cap'])),
      receipt: Type.Optional(ReceiptSchema),
    },
    {
      title: 'Lock',
      examples: [
        {
          network: EXAMPLE_SOURCE,
          asset: EXAMPLE_ASSET,
          lockId: exampleWord('c'),
          state: 'UNMATCHED',
          depositor: EXAMPLE_DEPOSITOR,
          amountMinor: '125000',
          transfer: { bank: EXAMPLE_DEBTOR, id: EXAMPLE_TRANSFER },
          why: 'late',
        } satisfies LockResource,
      ],
    },
  ),
);
export const LockPageSchema: Wire<LockPage> = wire<LockPage>()(
  Type.Object({ locks: Type.Array(LockSchema), next: Type.Optional(Type.String()) }),
);
