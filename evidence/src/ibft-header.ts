/**
 * Rule `ibft` (GoQuorum, legacy): extra data is vanity ‖ RLP `[validators, proposer's seal, commit seals]`. The block hash
 * is over the header without commit seals; the round is nowhere. Commit seals are over that hash with the byte 02 behind,
 * hashed; the proposer's seal is over the hash of the header without any seal, hashed again. Miner and nonce are the vote.
 */
import { toBytes32 } from '@drawbridge/protocol/bytes32';
import { RLP } from '@ethereumjs/rlp';
import { concatBytes } from '@noble/hashes/utils.js';
import type { RlpItem } from './bounded-rlp.ts';
import { refuse } from './consensus-refusal.ts';
import { type EthereumHeader, headerHash } from './ethereum-header.ts';
import {
  addressesOf,
  bftConstantFault,
  extraList,
  minerVote,
  NONCE_ONES,
  NONCE_ZEROS,
  type Reading,
  stringsOf,
  VANITY_BYTES,
} from './header-reading.ts';
import { keccak256 } from './keccak.ts';

const COMMIT_MARK = Uint8Array.of(2);
const EMPTY = new Uint8Array();

export function readIbftHeader(header: EthereumHeader): Reading {
  const fault = bftConstantFault(header);
  if (fault !== undefined) return refuse('constants', fault);
  if (header.nonce !== NONCE_ZEROS && header.nonce !== NONCE_ONES) {
    return refuse('constants', 'the nonce is no vote');
  }
  const vanity = header.extraData.subarray(0, VANITY_BYTES);
  const extra = extraList(header.extraData.subarray(VANITY_BYTES), 3);
  if (extra === undefined) return refuse('extra', 'the extra data has no canonical list of 3 behind 32 bytes');
  const [validators, signature, seals] = extra;
  const listed = addressesOf(validators);
  const signatures = stringsOf(seals);
  if (validators === undefined || listed === undefined) return refuse('extra', 'the validators are not addresses');
  if (!(signature instanceof Uint8Array)) return refuse('extra', 'the proposer has no seal');
  if (signatures === undefined) return refuse('extra', 'the seals are not strings');
  const hashed = (proposerSeal: RlpItem): Uint8Array =>
    headerHash(header, concatBytes(vanity, RLP.encode([validators, proposerSeal, []])));
  const hash = hashed(signature);
  const vote = minerVote(header);
  return {
    ok: true,
    hash: toBytes32(hash),
    proposer: {
      get digest(): Uint8Array {
        return keccak256(hashed(EMPTY));
      },
      signature,
    },
    ...(vote && { vote }),
    listed,
    commit: { digest: keccak256(concatBytes(hash, COMMIT_MARK)), signatures },
  };
}
