/**
 * Receipts on the wire. One alone is whole (`ledger/receipt.ts`); where several are answered at once, what the claims of one
 * entry share stands once in `receipts`, and each claim says which of them it belongs to.
 */
import { Type } from '@sinclair/typebox';
import type { ParticipantId } from '../ids.ts';
import type { ClaimsProof, LeafComponents, ProofStep, Receipt } from '../ledger/receipt.ts';
import { EXAMPLE_DEBTOR, EXAMPLE_NODE } from './examples.ts';
import { CountForm, NodeIdForm, ParticipantIdForm, TransactionIdForm } from './forms.ts';
import { type Wire, wire } from './wire.ts';

/** Most events whose claims are answered at once. */
export const MAX_EVENT_RECEIPTS = 100;

const HexDigestForm: Wire<string> = Type.String({
  pattern: '^[0-9a-f]{64}$',
  description: '64 lower-case hex digits',
  examples: ['5a'.repeat(32)],
});

const ProofStepSchema: Wire<ProofStep> = Type.Unsafe<ProofStep>(
  Type.Object(
    { left: Type.Optional(HexDigestForm), right: Type.Optional(HexDigestForm) },
    { description: 'the digest beside the path, on its left or on its right' },
  ),
);

const ClaimsProofSchema: Wire<ClaimsProof> = wire<ClaimsProof>()(
  Type.Object(
    {
      claim: Type.String({ description: 'JSON; its exact bytes count' }),
      salt: HexDigestForm,
      proof: Type.Array(ProofStepSchema),
    },
    { title: 'ClaimsProof', description: "proof of one of an entry's claims, which says nothing of the others" },
  ),
);

const LeafComponentsSchema: Wire<LeafComponents> = wire<LeafComponents>()(
  Type.Object({
    write_set_digest: HexDigestForm,
    commit_evidence: Type.String({ examples: [`ce:2.1042:${'6b'.repeat(32)}`] }),
    claims_digest: HexDigestForm,
  }),
);

/** The form of CCF's classic receipts, with what they do not have beside it. */
export const ReceiptSchema: Wire<Receipt> = Type.Unsafe<Receipt>(
  Type.Object(
    {
      cert: Type.String({ description: 'the certificate of the node that signed, PEM' }),
      node_id: NodeIdForm,
      signature: Type.String({ description: 'base64 of a DER ECDSA signature over the root, taken as a digest' }),
      proof: Type.Array(ProofStepSchema),
      leaf_components: Type.Optional(LeafComponentsSchema),
      leaf: Type.Optional(HexDigestForm),
      service_endorsements: Type.Optional(Type.Array(Type.String())),
      transaction_id: TransactionIdForm,
      platform: Type.String({ examples: ['virtual'] }),
      rollbackProtected: Type.Boolean({ description: 'whether a rolled-back disk would have been noticed' }),
      claims_proof: Type.Optional(ClaimsProofSchema),
    },
    {
      title: 'Receipt',
      description:
        'a receipt in the form of CCF: `leaf_components`, or `leaf` where the transaction is a signature; verify it with ' +
        '`drawbridge verify receipt`, or without its claim with the Python package `ccf`',
      examples: [
        {
          cert: '-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n',
          node_id: EXAMPLE_NODE,
          signature: 'MGUCMQ==',
          proof: [{ left: '7c'.repeat(32) }, { right: '8d'.repeat(32) }],
          leaf_components: {
            write_set_digest: '9e'.repeat(32),
            commit_evidence: `ce:2.1042:${'6b'.repeat(32)}`,
            claims_digest: 'af'.repeat(32),
          },
          transaction_id: '2.1042',
          platform: 'virtual',
          rollbackProtected: false,
        } satisfies Receipt,
      ],
    },
  ),
);

/** A claim, and the place in `receipts` of the receipt that it completes. */
export type ClaimOfReceipt = Readonly<{ receipt: number; claims_proof: ClaimsProof }>;
export const ClaimOfReceiptSchema: Wire<ClaimOfReceipt> = wire<ClaimOfReceipt>()(
  Type.Object(
    {
      receipt: CountForm,
      claims_proof: ClaimsProofSchema,
    },
    { description: 'with it, the receipt at that place in `receipts` is whole' },
  ),
);

/** The receipt of one claim. @throws RangeError where `receipts` has none at its place */
export function wholeReceipt(receipts: readonly Receipt[], { receipt, claims_proof }: ClaimOfReceipt): Receipt {
  const shared = receipts[receipt];
  if (shared === undefined) throw new RangeError(`there is no receipt ${receipt}`);
  return { ...shared, claims_proof };
}

export type EventReceipt = ClaimOfReceipt & Readonly<{ number: number }>;
export type EventReceiptPage = Readonly<{
  participant: ParticipantId;
  /** One for each event, in order and without gaps. */
  events: readonly EventReceipt[];
  /** Without claims; one for each entry that left events on this page. */
  receipts: readonly Receipt[];
  /** Pass as `after` for the next page; absent at the end. */
  next?: number;
  /** Number of the newest event of the stream. */
  last: number;
}>;
const EventReceiptSchema: Wire<EventReceipt> = wire<EventReceipt>()(
  Type.Object({ number: CountForm, receipt: CountForm, claims_proof: ClaimsProofSchema }),
);
export const EventReceiptPageSchema: Wire<EventReceiptPage> = wire<EventReceiptPage>()(
  Type.Object(
    {
      participant: ParticipantIdForm,
      events: Type.Array(EventReceiptSchema),
      receipts: Type.Array(ReceiptSchema),
      next: Type.Optional(CountForm),
      last: CountForm,
    },
    {
      title: 'EventReceiptPage',
      examples: [{ participant: EXAMPLE_DEBTOR, events: [], receipts: [], last: 0 } satisfies EventReceiptPage],
    },
  ),
);
