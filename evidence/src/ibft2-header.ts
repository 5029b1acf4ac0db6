/**
 * Rule `ibft2` (Besu): extra data is RLP `[vanity, validators, vote, round, seals]`, the round always 4 bytes. The block
 * hash is over the header with `[vanity, validators, vote]`, commit seals over it with the round as well. The proposer is
 * the miner. By Besu's published codec; no header of a Besu network was seen.
 */
import { toBytes32 } from '@drawbridge/protocol/bytes32';
import { itemsAround, listOfEncoded } from './bounded-rlp.ts';
import { refuse } from './consensus-refusal.ts';
import { type EthereumHeader, headerHash } from './ethereum-header.ts';
import {
  ADDRESS_BYTES,
  addressOf,
  bftConstantFault,
  extraList,
  isString,
  NONCE_ZEROS,
  type Reading,
  stringsOf,
  VANITY_BYTES,
  voteOf,
} from './header-reading.ts';

const ROUND_BYTES = 4;
const ROUND = 3;
const SEALS = 4;

export function readIbft2Header(header: EthereumHeader): Reading {
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
  if (!isString(round, ROUND_BYTES)) return refuse('extra', 'the round does not have 4 bytes');
  const vote = voteOf(ballot);
  const isNone = isString(ballot, 0);
  if (vote === undefined && !isNone) return refuse('extra', 'the vote is malformed');
  return {
    ok: true,
    hash: toBytes32(headerHash(header, listOfEncoded(itemsAround(header.extraData, ROUND).before))),
    proposer: header.miner,
    ...(vote && { vote }),
    get listed() {
      return members.map(addressOf);
    },
    commit: {
      get digest(): Uint8Array {
        return headerHash(header, listOfEncoded(itemsAround(header.extraData, SEALS).before));
      },
      signatures,
    },
  };
}
