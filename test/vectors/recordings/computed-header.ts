/** What the verifiers compute of one recorded header, and whether that is what was recorded. */
import { recoverSealer } from '@drawbridge/enclave-core/relay/secp256k1';
import { factsOf, type HeaderForm, quorumOf, readHeader, type SealedHeader, sealFault } from '@drawbridge/evidence/sealed-header';
import { type ChainFront, type ConsensusFinality, nextValidators, stepFront } from '@drawbridge/evidence/tracked-chain';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { EvmAddress } from '@drawbridge/protocol/ids';
import { RLP } from '@ethereumjs/rlp';
import { addressesOf, addressOf, type Fields, fault, numberOf, recorded, wordOf } from './recording.ts';

export type Computed = Readonly<{
  number: number;
  hash: Bytes32;
  receiptsRoot: Bytes32;
  /** `undefined` for a genesis block, which nobody proposed. */
  proposer?: EvmAddress;
  /** Rules with commit seals only. */
  committers?: readonly EvmAddress[];
  /** Rules whose headers say it only. */
  round?: number;
  quorum?: number;
}>;

function committersOf({ reading: { commit } }: SealedHeader): readonly EvmAddress[] | undefined {
  if (commit === undefined) return undefined;
  const { digest, signatures } = commit;
  return signatures.map(
    (seal) =>
      recoverSealer(digest, seal.subarray(0, 64), seal[64] === 1 ? 1 : 0) ?? fault('a commit seal is no signature'),
  );
}

/** The round is under the seals, so it is read only of headers that verified. */
function roundOf({ header }: SealedHeader, rule: ConsensusFinality['rule']): number | undefined {
  if (rule !== 'qbft' && rule !== 'ibft2') return undefined;
  const round = RLP.decode(header.extraData)[3];
  return round instanceof Uint8Array ? round.reduce((value, byte) => value * 256 + byte, 0) : fault('there is no round');
}

const readOrFault = (rlp: Uint8Array, finality: HeaderForm): SealedHeader => {
  const read = readHeader(rlp, finality);
  return read.ok ? read : fault(`${read.code}: ${read.detail}`);
};

/** A header that begins a range without a known parent: pinned by its hash, sealed by one of the set that it lists. */
export function rootComputed(rlp: Uint8Array, finality: HeaderForm): Computed & { validators: EvmAddress[] } {
  const read = readOrFault(rlp, finality);
  const { number, receiptsRoot } = read.header;
  const { hash, listed = [] } = read.reading;
  if (listed.length === 0) fault('neither trustedValidators nor the first header names the set');
  const validators = listed.toSorted();
  if (number === 0) return { number, hash, receiptsRoot, validators };
  const found = factsOf(read, recoverSealer);
  if (!found.ok) return fault(`${found.code}: ${found.detail}`);
  const { proposer } = found.facts;
  if (!listed.includes(proposer)) fault('the proposer of the first header is not in the set that it lists');
  return { number, hash, receiptsRoot, validators, proposer };
}

/** Checks a header on top of `front`, under the set that seals the next block. @throws RecordingFault with the refusal. */
export function computedOf(
  rlp: Uint8Array,
  front: ChainFront,
  finality: ConsensusFinality,
): Readonly<{ computed: Computed; front: ChainFront }> {
  const read = readOrFault(rlp, finality);
  const found = factsOf(read, recoverSealer);
  if (!found.ok) return fault(`${found.code}: ${found.detail}`);
  const moved = stepFront(front, found.facts);
  if (!moved.ok) return fault(`${moved.code}: ${moved.detail}`);
  const validators = nextValidators(front);
  const sealing = sealFault(read, found.facts.proposer, validators, recoverSealer);
  if (sealing) return fault(`${sealing.code}: ${sealing.detail}`);
  const { number, hash, proposer } = found.facts;
  const committers = committersOf(read);
  const round = roundOf(read, finality.rule);
  const computed: Computed = {
    number,
    hash,
    receiptsRoot: read.header.receiptsRoot,
    proposer,
    ...(committers && { committers, quorum: quorumOf(validators.length) }),
    ...(round !== undefined && { round }),
  };
  return { computed, front: moved.chain };
}

export const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  JSON.stringify(a.toSorted()) === JSON.stringify(b.toSorted());

/** Compares what a manifest or a file expects of a header; what it does not say, or says to be null, is let be. */
export function checkExpected(computed: Computed, expected: Fields): void {
  const { number, hash, proposer, committers, round, quorum } = computed;
  if (recorded(expected.hash) && wordOf(expected.hash, 'hash') !== hash) fault(`block ${number} has another hash`);
  if (recorded(expected.proposer) && addressOf(expected.proposer, 'proposer') !== proposer) {
    fault(`block ${number} has another proposer`);
  }
  if (recorded(expected.round) && numberOf(expected.round, 'round') !== round) fault(`block ${number} has another round`);
  if (recorded(expected.quorum) && numberOf(expected.quorum, 'quorum') !== quorum) {
    fault(`block ${number} has another quorum`);
  }
  if (recorded(expected.committers) && !sameSet(addressesOf(expected.committers, 'committers'), committers ?? [])) {
    fault(`block ${number} has other committers`);
  }
}

/** What the node itself answered of who sealed a block. */
export function checkNodeAnswer(computed: Computed, { Hash, Author, Committers }: Fields): void {
  checkExpected(computed, { hash: Hash, proposer: Author, committers: Committers });
}
