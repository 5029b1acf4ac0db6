/** Tracked chains and what headers say, as lists. */
import type { BlockFacts, TrackedChain } from '@drawbridge/evidence/tracked-chain';
import { MAX_GAP_BLOCKS, MAX_VALIDATORS } from '@drawbridge/governance/read-registration';
import { CONSENSUS_RULES } from '@drawbridge/governance/registration';
import type { EvmAddress, NetworkId } from '@drawbridge/protocol/ids';
import { readNetworkId } from './terms-tuple.ts';
import {
  bytesOf,
  type Cbor,
  orAbsent,
  orNull,
  readBytes32,
  readChoice,
  readFlag,
  readHex,
  readList,
  readTuple,
  readWhole,
  TupleError,
  wholeOf,
} from './tuples.ts';

/** Standing votes of one chain: each member has one on each candidate. */
const MAX_VOTES = MAX_VALIDATORS * MAX_VALIDATORS;

function readAddress(value: unknown): EvmAddress {
  const hex = readHex(value);
  if (hex.length !== 42) throw new TupleError('expected an address');
  return hex as EvmAddress;
}

export const blockTuple = (block: BlockFacts): Cbor => [
  wholeOf(block.number),
  bytesOf(block.hash),
  bytesOf(block.parentHash),
  wholeOf(block.timestampS),
  bytesOf(block.proposer),
  orNull(block.vote, ({ candidate, add }) => [bytesOf(candidate), add]),
];

export function readBlock(value: unknown): BlockFacts {
  const [number, hash, parentHash, timestampS, proposer, vote] = readTuple(value, 6);
  const read = orAbsent(vote, (pair) => {
    const [candidate, add] = readTuple(pair, 2);
    return { candidate: readAddress(candidate), add: readFlag(add) };
  });
  return {
    number: readWhole(number),
    hash: readBytes32(hash),
    parentHash: readBytes32(parentHash),
    timestampS: readWhole(timestampS),
    proposer: readAddress(proposer),
    ...(read && { vote: read }),
  };
}

export const chainTuple = (network: string, chain: TrackedChain): Cbor => [
  network,
  chain.rule,
  wholeOf(chain.epochLength),
  wholeOf(chain.maxGapBlocks),
  [wholeOf(chain.head.number), bytesOf(chain.head.hash), wholeOf(chain.head.timestampS)],
  chain.hashes.map(bytesOf),
  chain.sets.map(({ fromBlock, validators }) => [wholeOf(fromBlock), validators.map(bytesOf)]),
  chain.votes.map(({ voter, candidate, add }) => [bytesOf(voter), bytesOf(candidate), add]),
  chain.recents.map(({ number, sealer }) => [wholeOf(number), bytesOf(sealer)]),
];

export function readChain(value: unknown): [NetworkId, TrackedChain] {
  const [network, rule, epochLength, maxGapBlocks, head, hashes, sets, votes, recents] = readTuple(value, 9);
  const [number, hash, timestampS] = readTuple(head, 3);
  return [
    readNetworkId(network),
    {
      rule: readChoice(rule, CONSENSUS_RULES),
      epochLength: readWhole(epochLength),
      maxGapBlocks: readWhole(maxGapBlocks),
      head: { number: readWhole(number), hash: readBytes32(hash), timestampS: readWhole(timestampS) },
      hashes: readList(hashes, MAX_GAP_BLOCKS + 1).map(readBytes32),
      sets: readList(sets, MAX_GAP_BLOCKS + 2).map((set) => {
        const [fromBlock, validators] = readTuple(set, 2);
        return { fromBlock: readWhole(fromBlock), validators: readList(validators, MAX_VALIDATORS).map(readAddress) };
      }),
      votes: readList(votes, MAX_VOTES).map((vote) => {
        const [voter, candidate, add] = readTuple(vote, 3);
        return { voter: readAddress(voter), candidate: readAddress(candidate), add: readFlag(add) };
      }),
      recents: readList(recents, MAX_VALIDATORS).map((recent) => {
        const [at, sealer] = readTuple(recent, 2);
        return { number: readWhole(at), sealer: readAddress(sealer) };
      }),
    },
  ];
}
