/**
 * Mutants of sealed headers and batches. Seals cannot be forged, so recovery is answered from what was truly signed; all
 * else is as in the core. None may crash the verifier, none may be taken for another block than the sealed one, and none
 * may take long.
 *
 *     HEADER_MUTANTS=1000000 node --experimental-vm-modules node_modules/jest/bin/jest.js \
 *       --selectProjects fuzz --testPathPatterns evidence/src/sealed-headers
 */
import { type Hex, toHex } from '@drawbridge/protocol/bytes32';
import type { EvmAddress } from '@drawbridge/protocol/ids';
import { RLP } from '@ethereumjs/rlp';
import { describe, expect, test } from '@jest/globals';
import { concatBytes } from '@noble/hashes/utils.js';
import { CONSENSUS_CHECKS } from './consensus-refusal.ts';
import { blockOf, factsOf, readHeader, type SealRecovery } from './sealed-header.ts';
import { SealedChain } from './testing/sealed-chain.ts';
import { type Signer, signer } from './testing/secp256k1-signers.ts';
import { chainFrom, dropKnown, step, type TrackedChain, verifyConflict, verifyHeaders } from './tracked-chain.ts';

const MUTANTS = Number(process.env.HEADER_MUTANTS ?? 20_000);
/** Of one mutant. What took longer is run again, since a busy machine stops whom it likes: every time must be too long. */
const MOST_MS = 50;
const RERUNS = 3;
const SEED = 20_260_104;
const RULES = ['qbft', 'ibft', 'ibft2', 'clique'] as const;

type Random = (below: number) => number;
/** xorshift32: the same mutants in every run. */
function randomFrom(seed: number): Random {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Everything that was signed, and by whom. */
const signed = new Map<string, EvmAddress>();
/** Anything else, were it a signature, would be some stranger's: strangers by the half, nobody by the half. */
const recover: SealRecovery = (digest, signature, recovery) =>
  signed.get(`${toHex(digest)}${toHex(signature)}${recovery}`) ??
  ((signature[0] ?? 0) % 2 === 0 ? (`0x${'5a'.repeat(20)}` as EvmAddress) : undefined);
/** Signs as `signer` does, and is believed. */
const recording = (inner: Signer): Signer => ({
  address: inner.address,
  seal: (digest) => {
    const seal = inner.seal(digest);
    signed.set(`${toHex(digest)}${toHex(seal.subarray(0, 64))}${seal[64]}`, inner.address);
    return seal;
  },
});

type Item = Uint8Array | readonly Item[];
const span = (length: number, random: Random): [number, number] => {
  const from = random(length);
  return [from, from + 1 + random(Math.min(80, length - from))];
};
/** Of the bytes, blindly. */
const BLIND: readonly ((bytes: Uint8Array, random: Random, other: Uint8Array) => Uint8Array)[] = [
  (bytes, random) => bytes.with(random(bytes.length), random(256)),
  (bytes, random) => {
    const at = random(bytes.length);
    return bytes.with(at, (bytes[at] ?? 0) ^ (1 << random(8)));
  },
  (bytes, random) => bytes.subarray(0, random(bytes.length)),
  (bytes, random) => {
    const at = random(bytes.length + 1);
    return concatBytes(bytes.subarray(0, at), Uint8Array.of(random(256)), bytes.subarray(at));
  },
  (bytes, random) => {
    const [from, to] = span(bytes.length, random);
    return concatBytes(bytes.subarray(0, from), bytes.subarray(to));
  },
  (bytes, random) => {
    const [from, to] = span(bytes.length, random);
    return concatBytes(bytes.subarray(0, to), bytes.subarray(from));
  },
  (bytes, random, other) => {
    const [from, to] = span(Math.min(bytes.length, other.length), random);
    const spliced = Uint8Array.from(bytes);
    spliced.set(other.subarray(from, to), from);
    return spliced;
  },
];

/** Changes one item somewhere in the tree, and keeps the RLP sound, so that mutants come deep. */
function mutatedItem(item: Item, random: Random, other: Item | undefined): Item {
  if (item instanceof Uint8Array) return mutatedString(item, random, other);
  const at = random(item.length + 1);
  const pick = item[at];
  if (pick === undefined || random(12) === 0) {
    return [item, [...item, item[0] ?? new Uint8Array()], item.slice(0, -1), item.toReversed()][random(4)] ?? item;
  }
  const twin = other instanceof Uint8Array ? undefined : other?.[at];
  return item.with(at, random(8) === 0 && twin !== undefined ? twin : mutatedItem(pick, random, twin));
}
function mutatedString(bytes: Uint8Array, random: Random, other: Item | undefined): Item {
  switch (random(6)) {
    case 0:
      return other ?? new Uint8Array();
    case 1:
      return concatBytes(bytes, Uint8Array.of(random(256)));
    case 2:
      return bytes.subarray(0, random(bytes.length + 1));
    case 3:
      return [bytes];
    default:
      return bytes.length === 0 ? Uint8Array.of(random(256)) : bytes.with(random(bytes.length), random(256));
  }
}

const EXTRA = 12;
/** Where the RLP in extra data begins; `undefined` for rule `clique`, which has none. */
const EXTRA_FROM = { qbft: 0, ibft2: 0, ibft: 32, clique: undefined } as const;

function mutatedHeader(rlp: Uint8Array, random: Random, other: Uint8Array, from: number | undefined): Uint8Array {
  if (random(2) === 0) return BLIND[random(BLIND.length)]?.(rlp, random, other) ?? rlp;
  const fields = RLP.decode(rlp) as Uint8Array[];
  const others = RLP.decode(other) as Uint8Array[];
  const extra = fields[EXTRA] ?? new Uint8Array();
  if (from === undefined || random(3) === 0) return RLP.encode(mutatedItem(fields, random, others) as Uint8Array[]);
  const list = RLP.decode(extra.subarray(from)) as Item;
  const otherList = RLP.decode((others[EXTRA] ?? extra).subarray(from)) as Item;
  const changed = RLP.encode(mutatedItem(list, random, otherList) as Uint8Array[]);
  return RLP.encode(fields.with(EXTRA, concatBytes(extra.subarray(0, from), changed)));
}

function mutatedBatch(
  batch: readonly Uint8Array[],
  headers: readonly Uint8Array[],
  random: Random,
  from: number | undefined,
): readonly Uint8Array[] {
  const at = random(batch.length);
  const one = batch[at] as Uint8Array;
  const other = headers[random(headers.length)] as Uint8Array;
  switch (random(20)) {
    case 0:
      return batch.toSpliced(at, 1);
    case 1:
      return batch.toSpliced(at, 0, other);
    case 2:
      return batch.with(at, other);
    default:
      return batch.with(at, mutatedHeader(one, random, other, from));
  }
}

/** Headers on which a mutant of the first is tried: enough that a clique block becomes final. */
const WIDTH = { qbft: 1, ibft: 1, ibft2: 1, clique: 3 } as const;

describe.each(RULES)('%s', (rule) => {
  const sealed = new SealedChain({ rule, validators: 4, epochLength: 5 });
  sealed.validators = sealed.validators.map(recording);
  sealed.add();
  sealed.add({ vote: { candidate: signer(901).address, add: true } });
  sealed.grow(6);
  const { finality, headers } = sealed;
  const trueHash = new Map<number, Hex>(sealed.blocks.map(({ number, hash }) => [number, hash]));
  /** The chain before each header. */
  const chains: TrackedChain[] = [chainFrom(finality)];
  for (const rlp of headers) {
    const read = readHeader(rlp, finality);
    const found = read.ok ? factsOf(read, recover) : read;
    const moved = found.ok ? step(chains.at(-1) as TrackedChain, found.facts) : found;
    if (moved.ok) chains.push(moved.chain);
  }
  const grown = chains.at(-1) as TrackedChain;

  test('what is mutated is sound', () => {
    expect(grown.head.number).toBe(8);
    for (const [at, chain] of chains.slice(0, 6).entries()) {
      expect(verifyHeaders(chain, finality, headers.slice(at, at + WIDTH[rule]), recover)).toMatchObject({ ok: true });
    }
  });

  type Try = Readonly<{ start: TrackedChain; batch: readonly Uint8Array[] }>;
  /** What a mutant came to: the check that refused it, or `taken`. @throws for what must not be */
  function verdict({ start, batch }: Try): string {
    const proof = verifyHeaders(start, finality, batch, recover);
    const rest = dropKnown(grown, finality, batch);
    const conflict = verifyConflict(grown, finality, batch, recover);
    if (conflict.ok) throw new Error('a conflict was proven');
    for (const refusal of [proof, rest, conflict]) {
      if (!refusal.ok && !CONSENSUS_CHECKS.includes(refusal.check)) throw new Error('a refusal has no name');
    }
    if (!proof.ok) return proof.check;
    let chain = start;
    for (const [i, facts] of proof.blocks.entries()) {
      const block = blockOf(batch[i] as Uint8Array, finality);
      if (trueHash.get(facts.number) !== facts.hash) throw new Error('a block was taken with another hash');
      if (!block.ok || block.hash !== facts.hash) throw new Error('the bytes are of another block than the facts');
      const moved = step(chain, facts);
      if (!moved.ok) throw new Error(`facts that were verified are refused: ${moved.check}`);
      chain = moved.chain;
    }
    return 'taken';
  }
  function mutant(random: Random): Try {
    const at = random(headers.length - 2);
    const whole = random(20) === 0;
    const start = chains[whole ? 0 : at] as TrackedChain;
    let batch = whole ? headers : headers.slice(at, at + WIDTH[rule]);
    for (let change = 0; change <= random(2); change++) {
      if (batch.length > 0 && batch.every(({ length }) => length > 0)) batch = mutated(batch, random);
    }
    return { start, batch };
  }
  /** By structure where the batch is RLP, else blindly. */
  function mutated(batch: readonly Uint8Array[], random: Random): readonly Uint8Array[] {
    try {
      return mutatedBatch(batch, headers, random, EXTRA_FROM[rule]);
    } catch {
      // What was changed before is no RLP any more.
      const at = random(batch.length);
      const one = batch[at] as Uint8Array;
      return batch.with(at, BLIND[random(BLIND.length)]?.(one, random, headers[0] as Uint8Array) ?? one);
    }
  }
  const timed = (run: () => void): number => {
    const from = performance.now();
    run();
    return performance.now() - from;
  };

  test(`${MUTANTS / RULES.length} mutants: no crash, no other block, no long wait`, () => {
    const random = randomFrom(SEED + RULES.indexOf(rule));
    const seen = new Map<string, number>();
    const faults: string[] = [];
    for (let i = 0; i < MUTANTS / RULES.length; i++) {
      const tried = mutant(random);
      try {
        const run = (): void => {
          const check = verdict(tried);
          seen.set(check, (seen.get(check) ?? 0) + 1);
        };
        if (timed(run) > MOST_MS) {
          const again = Array.from({ length: RERUNS }, () => timed(run));
          if (Math.min(...again) > MOST_MS) throw new Error(`takes ${Math.min(...again)} ms`);
        }
      } catch (error) {
        faults.push(`${String(error)}: ${tried.batch.map(toHex).join(' ')}`);
      }
    }
    expect(faults.slice(0, 3)).toEqual([]);
    // Mutants come as far as the seals, and some change nothing that is hashed.
    const deep = ['sealer', 'seal', 'proposer', 'set', 'quorum'].map((check) => seen.get(check) ?? 0);
    expect(deep.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(MUTANTS / RULES.length / 10);
  }, 7_200_000);
});
