/**
 * Rule `clique` (geth, EIP-225): extra data is vanity ‖ signers, in epoch blocks only ‖ seal of 65 bytes. The seal is over
 * the header without it; the block hash is over all of it. Miner and nonce are the vote, and zero in epoch blocks.
 */
import { toBytes32, toHex } from '@drawbridge/protocol/bytes32';
import type { EvmAddress } from '@drawbridge/protocol/ids';
import { refuse } from './consensus-refusal.ts';
import { type EthereumHeader, headerHash } from './ethereum-header.ts';
import {
  cliqueConstantFault,
  minerVote,
  NO_ADDRESS,
  NONCE_ONES,
  NONCE_ZEROS,
  type Reading,
  VANITY_BYTES,
} from './header-reading.ts';

const SEAL_BYTES = 65;
const ADDRESS_BYTES = 20;

/** @param epochLength blocks after which votes end and the set is listed. */
export function readCliqueHeader(header: EthereumHeader, epochLength: number): Reading {
  const { extraData, miner, nonce, number } = header;
  const fault = cliqueConstantFault(header);
  if (fault !== undefined) return refuse('constants', fault);
  if (nonce !== NONCE_ZEROS && nonce !== NONCE_ONES) return refuse('constants', 'the nonce is no vote');
  const signersBytes = extraData.length - VANITY_BYTES - SEAL_BYTES;
  if (signersBytes < 0) return refuse('extra', 'the extra data is too short for a seal');
  const hash = toBytes32(headerHash(header));
  const sealedAt = VANITY_BYTES + signersBytes;
  const proposer = {
    get digest(): Uint8Array {
      return headerHash(header, extraData.subarray(0, sealedAt));
    },
    signature: extraData.subarray(sealedAt),
  };
  if (number % epochLength !== 0) {
    if (signersBytes > 0) return refuse('extra', 'signers are listed within an epoch');
    const vote = minerVote(header);
    return { ok: true, hash, proposer, ...(vote && { vote }) };
  }
  if (signersBytes % ADDRESS_BYTES !== 0) return refuse('extra', 'the signers are not addresses');
  if (miner !== NO_ADDRESS || nonce !== NONCE_ZEROS) return refuse('constants', 'an epoch block holds a vote');
  const listed = Array.from({ length: signersBytes / ADDRESS_BYTES }, (_, i) => {
    const from = VANITY_BYTES + i * ADDRESS_BYTES;
    return toHex(extraData.subarray(from, from + ADDRESS_BYTES)) as EvmAddress;
  });
  return { ok: true, hash, proposer, listed };
}
