/** Accounts and statements: amounts as decimal strings of minor units. */
import { Type } from '@sinclair/typebox';
import type { AssetCode, NetworkId, ParticipantId, TransferId } from '../ids.ts';
import {
  EXAMPLE_ASSET,
  EXAMPLE_CREATED,
  EXAMPLE_CREDITOR,
  EXAMPLE_DEBTOR,
  EXAMPLE_DESTINATION,
  EXAMPLE_TRANSFER,
} from './examples.ts';
import {
  AssetCodeForm,
  CountForm,
  NetworkIdForm,
  ParticipantIdForm,
  SignedAmountForm,
  type SignedAmountText,
  TimeForm,
  type TimeText,
  TransferIdForm,
  wordForm,
} from './forms.ts';
import { type Wire, wire } from './wire.ts';

export type AccountResource = Readonly<{
  participant: ParticipantId;
  asset: AssetCode;
  postedMinor: SignedAmountText;
  /** Reserved for funded transfers that are not yet instructed. */
  pendingMinor: SignedAmountText;
  /** `posted − pending`. */
  availableMinor: SignedAmountText;
  /** Statement lines so far. */
  lines: number;
}>;
export type AccountList = Readonly<{ accounts: readonly AccountResource[] }>;

export const AccountSchema: Wire<AccountResource> = wire<AccountResource>()(
  Type.Object(
    {
      participant: ParticipantIdForm,
      asset: AssetCodeForm,
      postedMinor: SignedAmountForm,
      pendingMinor: SignedAmountForm,
      availableMinor: SignedAmountForm,
      lines: CountForm,
    },
    {
      title: 'Account',
      examples: [
        {
          participant: EXAMPLE_DEBTOR,
          asset: EXAMPLE_ASSET,
          postedMinor: '900000',
          pendingMinor: '125000',
          availableMinor: '775000',
          lines: 42,
        } satisfies AccountResource,
      ],
    },
  ),
);
export const AccountListSchema: Wire<AccountList> = wire<AccountList>()(
  Type.Object({ accounts: Type.Array(AccountSchema) }),
);

export type StatementLineKind = 'payment' | 'deposit' | 'withdrawal' | 'return' | 'refund' | 'claim';
/** A transfer by the bank whose it is and its id. */
export type TransferName = Readonly<{ bank: ParticipantId; id: TransferId }>;
export const TransferNameSchema: Wire<TransferName> = wire<TransferName>()(
  Type.Object({ bank: ParticipantIdForm, id: TransferIdForm }),
);

export type StatementLineResource = Readonly<{
  /** Contiguous per account, from 1, so that omission shows. */
  line: number;
  /** Positive = credit. */
  deltaMinor: SignedAmountText;
  /** Posted balance after it. */
  balanceMinor: SignedAmountText;
  kind: StatementLineKind;
  counterparty?: ParticipantId;
  network?: NetworkId;
  transfer?: TransferName;
  at: TimeText;
}>;
export type StatementPage = Readonly<{
  participant: ParticipantId;
  asset: AssetCode;
  lines: readonly StatementLineResource[];
  /** Pass as `after` for the next page; absent at the end. */
  next?: number;
}>;

const StatementLineSchema: Wire<StatementLineResource> = wire<StatementLineResource>()(
  Type.Object(
    {
      line: CountForm,
      deltaMinor: SignedAmountForm,
      balanceMinor: SignedAmountForm,
      kind: wordForm<StatementLineKind>(['payment', 'deposit', 'withdrawal', 'return', 'refund', 'claim']),
      counterparty: Type.Optional(ParticipantIdForm),
      network: Type.Optional(NetworkIdForm),
      transfer: Type.Optional(TransferNameSchema),
      at: TimeForm,
    },
    {
      title: 'StatementLine',
      examples: [
        {
          line: 42,
          deltaMinor: '-125000',
          balanceMinor: '775000',
          kind: 'withdrawal',
          counterparty: EXAMPLE_CREDITOR,
          network: EXAMPLE_DESTINATION,
          transfer: { bank: EXAMPLE_DEBTOR, id: EXAMPLE_TRANSFER },
          at: EXAMPLE_CREATED,
        } satisfies StatementLineResource,
      ],
    },
  ),
);
export const StatementPageSchema: Wire<StatementPage> = wire<StatementPage>()(
  Type.Object({
    participant: ParticipantIdForm,
    asset: AssetCodeForm,
    lines: Type.Array(StatementLineSchema),
    next: Type.Optional(CountForm),
  }),
);
