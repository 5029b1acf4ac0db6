/** Schemas of the texts and numbers that the wire types share: ids, hex words, amounts, times, pages. */
import { Type } from '@sinclair/typebox';
import type { Bytes32 } from '../bytes32.ts';
import type { AssetCode, NetworkId, ParticipantId, TransferId, VaultAddress } from '../ids.ts';
import type { NodeId } from '../ledger/node-id.ts';
import type { StateRef } from '../state-ref.ts';
import { MAX_PAGE_ITEMS, type Wire } from './wire.ts';

/** A positive whole number of minor units as a decimal string, without leading zeros, below 2⁶³. */
export type AmountText = string;
/** A balance or a movement in minor units as a decimal string, with `-` where it is negative. */
export type SignedAmountText = string;
/** RFC 3339 with a zone, to the millisecond at most: `2031-05-06T07:08:09.123Z`. */
export type TimeText = string;

export const ParticipantIdForm: Wire<ParticipantId> = Type.Unsafe<ParticipantId>(
  Type.String({
    pattern: '^[A-Za-z0-9][A-Za-z0-9.-]{0,31}$',
    description: 'a participant id: 1–32 letters, digits, dots or hyphens (a bank has its LEI)',
    examples: ['5493001KJTIIGC8Y1R12'],
  }),
);
export const AssetCodeForm: Wire<AssetCode> = Type.Unsafe<AssetCode>(
  Type.String({
    pattern: '^[A-Z0-9][A-Z0-9.-]{0,15}$',
    description: 'an asset code: 1–16 capital letters, digits, dots or hyphens',
    examples: ['EUR'],
  }),
);
export const NetworkIdForm: Wire<NetworkId> = Type.Unsafe<NetworkId>(
  Type.String({
    pattern: '^[a-z][a-z0-9-]{0,47}$',
    description: 'a network id: 1–48 lower-case letters, digits or hyphens, beginning with a letter',
    examples: ['quorum-a'],
  }),
);
export const TransferIdForm: Wire<TransferId> = Type.Unsafe<TransferId>(
  Type.String({
    pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$',
    description: 'a UUID in lower case (also the UETR of the payment)',
    examples: ['8a562c67-ca16-48ba-b074-65581be6f011'],
  }),
);
export const Bytes32Form: Wire<Bytes32> = Type.Unsafe<Bytes32>(
  Type.String({
    pattern: '^0x[0-9a-f]{64}$',
    description: '0x and 64 lower-case hex digits',
    examples: [`0x${'5a'.repeat(32)}`],
  }),
);
export const VaultAddressForm: Wire<VaultAddress> = Type.Unsafe<VaultAddress>(
  Type.String({
    pattern: '^0x(?:[0-9a-f]{40}|[0-9a-f]{64})$',
    description:
      'where a vault is: an address of 20 bytes, on Corda the 32 bytes of its id, as 0x and lower-case hex digits',
    examples: [`0x${'1b'.repeat(20)}`],
  }),
);
export const StateRefForm: Wire<StateRef> = Type.Unsafe<StateRef>(
  Type.String({
    pattern: '^0x[0-9a-f]{72}$',
    description: 'a state on Corda: 0x, 64 lower-case hex digits of its transaction, 8 of its index',
    examples: [`0x${'5a'.repeat(32)}00000001`],
  }),
);
/** What callers may send: checksummed and lower-case addresses are the same. */
export const AddressInputForm: Wire<string> = Type.String({
  pattern: '^0x(?:[0-9a-fA-F]{40}|[0-9a-fA-F]{64})$',
  description: 'an address on the network: 0x and 40 hex digits; on Corda keccak256 of the DER of a key: 0x and 64',
  examples: [`0x${'1b'.repeat(20)}`],
});
export const NodeIdForm: Wire<NodeId> = Type.Unsafe<NodeId>(
  Type.String({
    pattern: '^[0-9a-f]{64}$',
    description: 'a node id: 64 lower-case hex digits, SHA-256 of its public key (SPKI, DER)',
    examples: ['4e'.repeat(32)],
  }),
);
export const TransactionIdForm: Wire<string> = Type.String({
  pattern: '^[1-9][0-9]{0,14}\\.[1-9][0-9]{0,14}$',
  description: 'a transaction id: view.seqno, both at least 1',
  examples: ['2.1042'],
});
export const AmountForm: Wire<AmountText> = Type.String({
  pattern: '^[1-9][0-9]{0,18}$',
  description: 'a positive whole number of minor units, as a decimal string without leading zeros, below 2^63',
  examples: ['125000'],
});
export const SignedAmountForm: Wire<SignedAmountText> = Type.String({
  pattern: '^(0|-?[1-9][0-9]{0,38})$',
  description: 'a whole number of minor units as a decimal string',
  examples: ['125000'],
});
export const TimeForm: Wire<TimeText> = Type.String({
  pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,3})?(Z|[+-][0-9]{2}:[0-9]{2})$',
  description: 'a time as in RFC 3339 with a zone, for example 2031-05-06T07:08:09Z',
  examples: ['2031-05-06T07:08:09.123Z'],
});
/** One of a few words. The pattern repeats the list for validators that know no `enum`. */
export function wordForm<T extends string>(words: readonly T[]): Wire<T> {
  return Type.Unsafe<T>(
    Type.String({ enum: [...words], pattern: `^(${words.join('|')})$`, description: `one of ${words.join(', ')}` }),
  );
}
export const CountForm: Wire<number> = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'a whole number, 0 or more',
});
export const AfterForm: Wire<number> = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'the number of the last item already seen; 0 starts at the oldest',
});
export const LimitForm: Wire<number> = Type.Integer({
  minimum: 1,
  maximum: MAX_PAGE_ITEMS,
  description: `the most items to answer: 1 to ${MAX_PAGE_ITEMS}`,
});
