/**
 * Rule `qbft` (GoQuorum, Besu): extra data is RLP `[vanity, validators, vote, round, seals]`. The block hash is over the
 * header with an empty round and no seals; commit seals are over it with the round and no seals. The proposer is the miner.
 */
import { toBytes32 } from '@drawbridge/protocol/bytes32';
import { RLP } from '@ethereumjs/rlp';
import { itemsAround, listOfEncoded } from './bounded-rlp.ts';
import { refuse } from './consensus-refusal.ts';
import { type EthereumHeader, headerHash, scalarOf } from './ethereum-header.ts';
import {
  ADDRESS_BYTES,
  addressOf,
  bftConstantFault,
  extraList,
  isString,
  NO_BYTES,
  NO_ITEMS,
  NONCE_ZEROS,
  type Reading,
  stringsOf,
  VANITY_BYTES,
  voteOf,
} from './header-reading.ts';

const MAX_ROUND = 0xffff_ffff;
const ROUND = 3;

export function readQbftHeader(header: EthereumHeader): Reading {
  const fault = bftConstantFault(header);
  if (fault !== undefined) return refuse('constants', fault);
  if (header.nonce !== NONCE_ZEROS) return refuse('constants', 'the nonce is not zero');
  const extra = extraList(header.extraData, 5);
  if (extra === undefined) return refuse('extra', 'the extra data is not a canonical list of 5');
  const [vanity, validators, ballot, round, seals] = extra;
  const members = stringsOf(validators, ADDRESS_BYTES);
  const signatures = stringsOf(seals);
  if (!isString(vanity, VANITY_BYTES)) return refuse('extra', 'the vanity does not have 32 bytes');
  if (members === undefined) return refuse('extra', 'the validators are not addresses');
  if (signatures === undefined) return refuse('extra', 'the seals are not strings');
  if (!(round instanceof Uint8Array) || (scalarOf(round) ?? MAX_ROUND + 1) > MAX_ROUND) {
    return refuse('extra', 'the round is not a number');
  }
  const vote = voteOf(ballot);
  const isNone = Array.isArray(ballot) && ballot.length === 0;
  if (vote === undefined && !isNone) return refuse('extra', 'the vote is malformed');
  const { before } = itemsAround(header.extraData, ROUND);
  const hashed = (inRound: Uint8Array): Uint8Array => headerHash(header, listOfEncoded(before, inRound, NO_ITEMS));
  const hash = hashed(NO_BYTES);
  return {
    ok: true,
    hash: toBytes32(hash),
    proposer: header.miner,
    ...(vote && { vote }),
    get listed() {
      return members.map(addressOf);
    },
    commit: {
      get digest(): Uint8Array {
        return round.length === 0 ? hash : hashed(RLP.encode(round));
      },
      signatures,
    },
  };
}
