/** Transfers: what a bank sends, what its two banks see, batches and pages. */
import { Type } from '@sinclair/typebox';
import type { Bytes32 } from '../bytes32.ts';
import type { AssetCode, NetworkId, ParticipantId, TransferId, VaultAddress } from '../ids.ts';
import type { Receipt } from '../ledger/receipt.ts';
import {
  EXAMPLE_ASSET,
  EXAMPLE_BENEFICIARY,
  EXAMPLE_CREATED,
  EXAMPLE_CREDITOR,
  EXAMPLE_DEBTOR,
  EXAMPLE_DELIVER_BY,
  EXAMPLE_DEPOSITOR,
  EXAMPLE_DESTINATION,
  EXAMPLE_FUND_BY,
  EXAMPLE_SOURCE,
  EXAMPLE_TRANSFER,
  EXAMPLE_VAULT,
  exampleWord,
} from './examples.ts';
import {
  AddressInputForm,
  AmountForm,
  type AmountText,
  AssetCodeForm,
  Bytes32Form,
  CountForm,
  NetworkIdForm,
  ParticipantIdForm,
  TimeForm,
  type TimeText,
  TransactionIdForm,
  TransferIdForm,
  VaultAddressForm,
  wordForm,
} from './forms.ts';
import { type ProblemDocument, ProblemSchema, problemDocument } from './problem.ts';
import { type ClaimOfReceipt, ClaimOfReceiptSchema, ReceiptSchema } from './receipt.ts';
import { type Wire, wire } from './wire.ts';

/** Most transfers in one batch. */
export const MAX_BATCH_TRANSFERS = 1_000;

export type OnVoid = 'return' | 'refund';
/** Where the money goes when it cannot be delivered: the account, or the source network. */
const OnVoidForm: Wire<OnVoid> = wordForm<OnVoid>(['return', 'refund']);
const RemittanceForm: Wire<string> = Type.String({
  maxLength: 140,
  pattern: '^[^\\u0000-\\u001f\\u007f]*$',
  description: 'a remittance text of at most 140 characters without control characters',
  examples: ['INV-2031-0042'],
});

/** The terms of a transfer. The debtor is the caller. */
export type TransferRequest = Readonly<{
  id: TransferId;
  asset: AssetCode;
  amountMinor: AmountText;
  creditor: ParticipantId;
  /** Funds arrive by a deposit of this address on this network. */
  source?: Readonly<{ network: NetworkId; depositor: string }>;
  /** Funds leave to this address on this network. */
  destination?: Readonly<{ network: NetworkId; beneficiary: string }>;
  /** Required with `source`. */
  fundBy?: TimeText;
  /** Required with `destination`; later than `fundBy`. */
  deliverBy?: TimeText;
  /** `return` when absent. */
  onVoid?: OnVoid;
  remittance?: string;
}>;

export const TransferRequestSchema: Wire<TransferRequest> = wire<TransferRequest>()(
  Type.Object(
    {
      id: TransferIdForm,
      asset: AssetCodeForm,
      amountMinor: AmountForm,
      creditor: ParticipantIdForm,
      source: Type.Optional(
        Type.Object(
          { network: NetworkIdForm, depositor: AddressInputForm },
          { additionalProperties: false, description: 'an object with network and depositor' },
        ),
      ),
      destination: Type.Optional(
        Type.Object(
          { network: NetworkIdForm, beneficiary: AddressInputForm },
          { additionalProperties: false, description: 'an object with network and beneficiary' },
        ),
      ),
      fundBy: Type.Optional(TimeForm),
      deliverBy: Type.Optional(TimeForm),
      onVoid: Type.Optional(OnVoidForm),
      remittance: Type.Optional(RemittanceForm),
    },
    {
      title: 'TransferRequest',
      additionalProperties: false,
      description: 'an object with the terms of a transfer',
      examples: [
        {
          id: EXAMPLE_TRANSFER,
          asset: EXAMPLE_ASSET,
          amountMinor: '125000',
          creditor: EXAMPLE_CREDITOR,
          source: { network: EXAMPLE_SOURCE, depositor: EXAMPLE_DEPOSITOR },
          destination: { network: EXAMPLE_DESTINATION, beneficiary: EXAMPLE_BENEFICIARY },
          fundBy: EXAMPLE_FUND_BY,
          deliverBy: EXAMPLE_DELIVER_BY,
          remittance: 'INV-2031-0042',
        } satisfies TransferRequest,
      ],
    },
  ),
);

/** In the order of a transfer's life. The first six are live, the others final. */
export const TRANSFER_STATES = [
  'PROPOSED',
  'AWAITING_FUNDS',
  'FUNDED',
  'RELAYING',
  'VOIDING',
  'REFUNDING',
  'SETTLED',
  'REJECTED',
  'EXPIRED',
  'CANCELLED',
  'RETURNED',
  'REFUNDED',
] as const;
export type TransferStateName = (typeof TRANSFER_STATES)[number];
export const TransferStateForm: Wire<TransferStateName> = wordForm(TRANSFER_STATES);

/** The deposit to make while a transfer awaits its funds: `lock(reference, …)` on the vault, by the declared depositor. */
export type LockCall = Readonly<{
  network: NetworkId;
  /**
   * EVM: the vault contract; its `token()` is what to approve, its `unit()` how many base units make a minor unit. Corda:
   * the vault's id, by which the vault party's node finds it.
   */
  vault: VaultAddress;
  amountMinor: AmountText;
  reference: Bytes32;
  fundBy: TimeText;
}>;
const LockCallSchema: Wire<LockCall> = wire<LockCall>()(
  Type.Object(
    {
      network: NetworkIdForm,
      vault: VaultAddressForm,
      amountMinor: AmountForm,
      reference: Bytes32Form,
      fundBy: TimeForm,
    },
    {
      title: 'LockCall',
      examples: [
        {
          network: EXAMPLE_SOURCE,
          vault: EXAMPLE_VAULT,
          amountMinor: '125000',
          reference: exampleWord('b'),
          fundBy: EXAMPLE_FUND_BY,
        } satisfies LockCall,
      ],
    },
  ),
);

/**
 * A transfer as the caller may see it. What would link the debtor's deposit to it (`source`, `lock`, `lockId`,
 * refunds among `instructions`) is for the debtor and its auditors alone.
 */
export type TransferResource = Readonly<{
  id: TransferId;
  debtor: ParticipantId;
  creditor: ParticipantId;
  asset: AssetCode;
  amountMinor: AmountText;
  source?: Readonly<{ network: NetworkId; depositor: string }>;
  destination?: Readonly<{ network: NetworkId; beneficiary: string }>;
  fundBy?: TimeText;
  deliverBy?: TimeText;
  onVoid: OnVoid;
  remittance?: string;
  state: TransferStateName;
  /** Why it ended so: an ISO 20022 status reason code, or a word of ours where none fits. */
  reason?: string;
  createdAt: TimeText;
  updatedAt: TimeText;
  /** Only in `AWAITING_FUNDS`: the deposit to make now. */
  lock?: LockCall;
  /** The lock that funded it. */
  lockId?: Bytes32;
  /** Every instruction written for it, oldest first; for the creditor those at the destination. */
  instructions: readonly Bytes32[];
  /** With `?receipt=true`: of the caller's own event in the entry that was asked for. */
  receipt?: Receipt;
}>;

export const TransferSchema: Wire<TransferResource> = wire<TransferResource>()(
  Type.Object(
    {
      id: TransferIdForm,
      debtor: ParticipantIdForm,
      creditor: ParticipantIdForm,
      asset: AssetCodeForm,
      amountMinor: AmountForm,
      source: Type.Optional(Type.Object({ network: NetworkIdForm, depositor: Type.String() })),
      destination: Type.Optional(Type.Object({ network: NetworkIdForm, beneficiary: Type.String() })),
      fundBy: Type.Optional(TimeForm),
      deliverBy: Type.Optional(TimeForm),
      onVoid: OnVoidForm,
      remittance: Type.Optional(Type.String()),
      state: TransferStateForm,
      reason: Type.Optional(Type.String({ examples: ['AM04'] })),
      createdAt: TimeForm,
      updatedAt: TimeForm,
      lock: Type.Optional(LockCallSchema),
      lockId: Type.Optional(Bytes32Form),
      instructions: Type.Array(Bytes32Form),
      receipt: Type.Optional(ReceiptSchema),
    },
    {
      title: 'Transfer',
      examples: [
        {
          id: EXAMPLE_TRANSFER,
          debtor: EXAMPLE_DEBTOR,
          creditor: EXAMPLE_CREDITOR,
          asset: EXAMPLE_ASSET,
          amountMinor: '125000',
          source: { network: EXAMPLE_SOURCE, depositor: EXAMPLE_DEPOSITOR },
          destination: { network: EXAMPLE_DESTINATION, beneficiary: EXAMPLE_BENEFICIARY },
          fundBy: EXAMPLE_FUND_BY,
          deliverBy: EXAMPLE_DELIVER_BY,
          onVoid: 'return',
          remittance: 'INV-2031-0042',
          state: 'AWAITING_FUNDS',
          createdAt: EXAMPLE_CREATED,
          updatedAt: EXAMPLE_CREATED,
          lock: {
            network: EXAMPLE_SOURCE,
            vault: EXAMPLE_VAULT,
            amountMinor: '125000',
            reference: exampleWord('b'),
            fundBy: EXAMPLE_FUND_BY,
          },
          instructions: [],
        } satisfies TransferResource,
      ],
    },
  ),
);

export type TransferPage = Readonly<{
  transfers: readonly TransferResource[];
  /** Pass as `after` for the next page; absent at the end. */
  next?: string;
}>;
export const TransferPageSchema: Wire<TransferPage> = wire<TransferPage>()(
  Type.Object({ transfers: Type.Array(TransferSchema), next: Type.Optional(Type.String()) }),
);

/** Items are validated one by one: a malformed item has its own problem and does not touch the others. */
export type BatchRequest = Readonly<{ transfers: readonly unknown[] }>;
export const BatchRequestSchema: Wire<BatchRequest> = wire<BatchRequest>()(
  Type.Object(
    {
      transfers: Type.Array(Type.Unknown({ description: 'a TransferRequest' }), {
        minItems: 1,
        maxItems: MAX_BATCH_TRANSFERS,
        description: `a list of 1 to ${MAX_BATCH_TRANSFERS} transfers`,
      }),
    },
    { additionalProperties: false, description: 'an object with the list transfers' },
  ),
);

/** The answer to one item: what a single request would have been answered. */
export type BatchResult = Readonly<{
  /** 201 or 200 with `transfer`; otherwise the status of `problem`. */
  status: number;
  transfer?: TransferResource;
  problem?: ProblemDocument;
  /** `view.seqno` of the entry that decided it. */
  transactionId?: string;
  /** With `?receipt=true`, beside `transfer`; absent where none can be had yet. */
  proof?: ClaimOfReceipt;
}>;
export type BatchResponse = Readonly<{
  /** One for each item, in the order of the request. */
  results: readonly BatchResult[];
  /** With `?receipt=true`: without claims, one for each entry that holds a transfer of this answer. */
  receipts?: readonly Receipt[];
}>;
const BatchResultSchema: Wire<BatchResult> = wire<BatchResult>()(
  Type.Object(
    {
      status: CountForm,
      transfer: Type.Optional(TransferSchema),
      problem: Type.Optional(ProblemSchema),
      transactionId: Type.Optional(TransactionIdForm),
      proof: Type.Optional(ClaimOfReceiptSchema),
    },
    {
      title: 'BatchResult',
      examples: [
        {
          status: 409,
          problem: problemDocument('TRANSFER_ID_CONFLICT'),
          transactionId: '2.1042',
        } satisfies BatchResult,
      ],
    },
  ),
);
export const BatchResponseSchema: Wire<BatchResponse> = wire<BatchResponse>()(
  Type.Object({ results: Type.Array(BatchResultSchema), receipts: Type.Optional(Type.Array(ReceiptSchema)) }),
);
