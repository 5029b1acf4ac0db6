/** Readers of the words that registrations and actions are made of. */
import { MAX_AMOUNT_MINOR, parseAmountMinor } from '@drawbridge/protocol/amount';
import { type Bytes32, type Hex, parseBytes32, ZERO_BYTES32 } from '@drawbridge/protocol/bytes32';
import {
  type AssetCode,
  type EvmAddress,
  type NetworkId,
  type ParticipantId,
  parseAssetCode,
  parseEvmAddress,
  parseNetworkId,
  parseParticipantId,
} from '@drawbridge/protocol/ids';
import { type NodeId, parseNodeId } from '@drawbridge/protocol/ledger/node-id';
import type { Reading } from './reading.ts';

export const readAssetCode = (r: Reading): AssetCode => r.parsed(parseAssetCode, '' as AssetCode);
export const readNetworkId = (r: Reading): NetworkId => r.parsed(parseNetworkId, '' as NetworkId);
export const readParticipantId = (r: Reading): ParticipantId => r.parsed(parseParticipantId, '' as ParticipantId);
/** As a node prints it: SHA-256 of its public key, 64 small hex digits. */
export const readNodeId = (r: Reading): NodeId => r.parsed(parseNodeId, '' as NodeId);
/** Never zero: a zero word stands for nothing, and nothing is accepted for it. */
export const readBytes32 = (r: Reading): Bytes32 => notZero(r, r.parsed(parseBytes32, ZERO_BYTES32));
export const readAddress = (r: Reading): EvmAddress => notZero(r, r.parsed(parseEvmAddress, '0x' as EvmAddress));

function notZero<T extends Hex>(r: Reading, hex: T): T {
  if (typeof r.value === 'string' && /^0x0+$/.test(r.value)) r.fail('is zero', 'a value that is not zero');
  return hex;
}

/** Minor units, 0 allowed, as a decimal string. */
export const readCapMinor = (r: Reading): bigint => (r.value === '0' ? 0n : readAmountMinor(r));
export const readAmountMinor = (r: Reading): bigint => r.parsed(parseAmountMinor, MAX_AMOUNT_MINOR);
