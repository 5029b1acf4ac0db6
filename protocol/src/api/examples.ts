/** One consistent set of made-up values for the documentation: a bank in EUR pays across two networks. */
import type { Bytes32 } from '../bytes32.ts';
import type { AssetCode, EvmAddress, NetworkId, ParticipantId, TransferId } from '../ids.ts';
import type { NodeId } from '../ledger/node-id.ts';

export const EXAMPLE_ASSET = 'EUR' as AssetCode;
export const EXAMPLE_DEBTOR = '5493001KJTIIGC8Y1R12' as ParticipantId;
export const EXAMPLE_CREDITOR = '529900T8BM49AURSDO55' as ParticipantId;
export const EXAMPLE_SOURCE = 'quorum-a' as NetworkId;
export const EXAMPLE_DESTINATION = 'quorum-b' as NetworkId;
export const EXAMPLE_TRANSFER = '8a562c67-ca16-48ba-b074-65581be6f011' as TransferId;
export const EXAMPLE_DEPOSITOR: EvmAddress = `0x${'1b'.repeat(20)}` as EvmAddress;
export const EXAMPLE_BENEFICIARY: EvmAddress = `0x${'2c'.repeat(20)}` as EvmAddress;
export const EXAMPLE_VAULT: EvmAddress = `0x${'3d'.repeat(20)}` as EvmAddress;
export const EXAMPLE_NODE: NodeId = '4e'.repeat(32) as NodeId;
/** A made-up 32-byte word, a different one for each letter of hex. */
export const exampleWord = (digit: string): Bytes32 => `0x${`${digit}7`.repeat(32)}` as Bytes32;
export const EXAMPLE_CREATED = '2031-05-06T07:08:09.120Z';
export const EXAMPLE_FUND_BY = '2031-05-06T07:38:09.000Z';
export const EXAMPLE_DELIVER_BY = '2031-05-06T08:08:09.000Z';
