/**
 * Rule `ibft` (GoQuorum, legacy): extra data is vanity ‖ RLP `[validators, proposer's seal, commit seals]`. The block hash
 * is over the header without commit seals; the round is nowhere. Commit seals are over that hash with the byte 02 behind,
 * hashed; the proposer's seal is over the hash of the header without any seal, hashed again. Miner and nonce are the vote.
 */
import { toBytes32 } from '@drawbridge/protocol/bytes32';
import { concatBytes } from '@noble/hashes/utils.js';
import { itemsAround, listOfEncoded } from './bounded-rlp.ts';
import { refuse } from './consensus-refusal.ts';
import { type EthereumHeader, headerHash } from './ethereum-header.ts';
import {
  ADDRESS_BYTES,
  addressOf,
  bftConstantFault,
  extraList,
  minerVote,
  NO_BYTES,
  NO_ITEMS,
  NONCE_ONES,
  NONCE_ZEROS,
  type Reading,
  stringsOf,
  VANITY_BYTES,
} from './header-reading.ts';
import { keccak256 } from './keccak.ts';

const COMMIT_MARK = Uint8Array.of(2);
const PROPOSER_SEAL = 1;
const SEALS = 2;

export function readIbftHeader(header: EthereumHeader): Reading {
  const fault = bftConstantFault(header);
  if (fault !== undefined) return refuse('constants', fault);
  if (header.nonce !== NONCE_ZEROS && header.nonce !== NONCE_ONES) {
    return refuse('constants', 'the nonce is no vote');
  }
  const vanity = header.extraData.subarray(0, VANITY_BYTES);
  const list = header.extraData.subarray(VANITY_BYTES);
  const extra = extraList(list, 3);
  if (extra === undefined) return refuse('extra', 'the extra data has no canonical list of 3 behind 32 bytes');
  const [validators, signature, seals] = extra;
  const members = stringsOf(validators, ADDRESS_BYTES);
  const signatures = stringsOf(seals);
  if (members === undefined) return refuse('extra', 'the validators are not addresses');
  if (!(signature instanceof Uint8Array)) return refuse('extra', 'the proposer has no seal');
  if (signatures === undefined) return refuse('extra', 'the seals are not strings');
  const hashed = (...items: readonly Uint8Array[]): Uint8Array =>
    headerHash(header, concatBytes(vanity, listOfEncoded(...items)));
  const hash = hashed(itemsAround(list, SEALS).before, NO_ITEMS);
  const vote = minerVote(header);
  return {
    ok: true,
    hash: toBytes32(hash),
    proposer: {
      get digest(): Uint8Array {
        return keccak256(hashed(itemsAround(list, PROPOSER_SEAL).before, NO_BYTES, NO_ITEMS));
      },
      signature,
    },
    ...(vote && { vote }),
    get listed() {
      return members.map(addressOf);
    },
    commit: {
      get digest(): Uint8Array {
        return keccak256(concatBytes(hash, COMMIT_MARK));
      },
      signatures,
    },
  };
}
