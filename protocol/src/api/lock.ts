/** Locks that fit no transfer: held in suspense until they are refunded or, if only late, credited. */
import { Type } from '@sinclair/typebox';
import type { Bytes32 } from '../bytes32.ts';
import type { AssetCode, NetworkId } from '../ids.ts';
import { type TransferName, TransferNameSchema } from './account.ts';
import { AmountForm, type AmountText, AssetCodeForm, Bytes32Form, NetworkIdForm } from './forms.ts';
import { type Wire, wire } from './wire.ts';

export type UnmatchedStateName = 'UNMATCHED' | 'REFUNDING' | 'REFUNDED' | 'CLAIMED';
export const UnmatchedStateForm: Wire<UnmatchedStateName> = Type.Unsafe<UnmatchedStateName>(
  Type.String({ enum: ['UNMATCHED', 'REFUNDING', 'REFUNDED', 'CLAIMED'] }),
);
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
      why: Type.Optional(
        Type.Unsafe<UnmatchedWhy>(
          Type.String({ enum: ['reference', 'depositor', 'amount', 'late', 'repeated', 'cap'] }),
        ),
      ),
    },
    { title: 'Lock' },
  ),
);
export const LockPageSchema: Wire<LockPage> = wire<LockPage>()(
  Type.Object({ locks: Type.Array(LockSchema), next: Type.Optional(Type.String()) }),
);
