import {
  type ConsensusEvidence,
  encodeConsensusEvidence,
  MAX_PROOF_BYTES,
  MAX_PROOF_NODES,
} from '@drawbridge/protocol/consensus-evidence';
import { expect, test } from '@jest/globals';
import { concatBytes } from '@noble/hashes/utils.js';
import { EVIDENCE_CHECKS, verifyConsensusEvidence, verifyConsensusEvidenceBytes } from './consensus-evidence.ts';
import { LOCK, LOCK_RECEIPT, provenLock, TRANSFER } from './testing/proven-lock.ts';

/** More by the environment, for a long run: DRAWBRIDGE_FUZZ_CASES=1000000. */
const CASES = Number(process.env.DRAWBRIDGE_FUZZ_CASES ?? 10_000);
const SEED = 20_260_102;
/** No mutant may take longer. */
const SLOWEST_MS = 50;

/** xorshift32: the same mutants in every run. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
type Random = ReturnType<typeof randomFrom>;

const two = { ...LOCK_RECEIPT, logs: [TRANSFER, LOCK, { ...LOCK, topics: LOCK.topics.toReversed() }] };
const { evidence: sound, root } = await provenLock({ count: 40, index: 9, receipt: two });
/** Of another block: parts of it are spliced in, as a thief of true proofs would. */
const { evidence: other } = await provenLock({ count: 40, index: 11, number: 1_001 });

const BYTES: readonly ((bytes: Uint8Array, thief: Uint8Array, random: Random) => Uint8Array)[] = [
  (bytes, _, random) => bytes.with(random(bytes.length), random(256)),
  (bytes, _, random) => {
    const at = random(bytes.length);
    return bytes.with(at, (bytes[at] ?? 0) ^ (1 << random(8)));
  },
  (bytes, _, random) => bytes.subarray(0, 1 + random(bytes.length)),
  (bytes, _, random) => concatBytes(bytes, Uint8Array.of(random(256))),
  (bytes, _, random) => {
    const at = random(bytes.length);
    return concatBytes(bytes.subarray(0, at), Uint8Array.of(random(256)), bytes.subarray(at));
  },
  (bytes, thief, random) => {
    const from = random(Math.min(bytes.length, thief.length));
    const spliced = Uint8Array.from(bytes);
    spliced.set(thief.subarray(from, Math.min(from + 1 + random(80), bytes.length)), from);
    return spliced;
  },
  (_, thief) => thief,
];
const mutated = (bytes: Uint8Array, thief: Uint8Array, random: Random): Uint8Array =>
  BYTES[random(BYTES.length)]?.(bytes, thief, random) ?? bytes;

const PARTS: readonly ((item: ConsensusEvidence, random: Random) => ConsensusEvidence)[] = [
  (item, random) => ({ ...item, header: mutated(item.header, other.header, random) }),
  (item, random) => ({ ...item, transactionIndex: random(60) }),
  (item, random) => ({ ...item, logIndexInReceipt: random(6) }),
  (item, random) => {
    const at = random(item.proof.length);
    const node = item.proof[at] ?? new Uint8Array(1);
    return { ...item, proof: item.proof.with(at, mutated(node, other.proof[at] ?? node, random)) };
  },
  (item, random) => ({ ...item, proof: item.proof.toSpliced(random(item.proof.length), 1) }),
  (item, random) => {
    const at = random(other.proof.length);
    return { ...item, proof: item.proof.toSpliced(random(item.proof.length + 1), 0, other.proof[at] ?? item.header) };
  },
  (item) => ({ ...item, proof: item.proof.toReversed() }),
];

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const textOf = (item: ConsensusEvidence): string =>
  [hex(item.header), item.transactionIndex, item.logIndexInReceipt, ...item.proof.map(hex)].join(' ');

test('what is mutated is sound', () => {
  expect(verifyConsensusEvidence(sound, root)).toMatchObject({ ok: true });
});

type Result = ReturnType<typeof verifyConsensusEvidence>;
type Case = Readonly<{ text: string; verify: () => Result }>;

/** Runs every case but the sound one: what went wrong, how often each check refused, and the case that took longest. */
function run(next: (random: Random) => Case, soundText: string) {
  const random = randomFrom(SEED);
  const refusals = new Map<string, number>();
  const faults: string[] = [];
  let slowest: { ms: number; again: () => Result } | undefined;
  for (let i = 0; i < CASES; i++) {
    const { text, verify } = next(random);
    if (text === soundText) continue;
    const start = performance.now();
    try {
      const result = verify();
      if (result.ok) faults.push(`accepted ${text}`);
      else refusals.set(result.check, (refusals.get(result.check) ?? 0) + 1);
    } catch (error) {
      faults.push(`${String(error)} on ${text}`);
    }
    const ms = performance.now() - start;
    if (ms > (slowest?.ms ?? 0)) slowest = { ms, again: verify };
  }
  return { faults, refusals, slowestMs: slowest ? leastMs(slowest.again) : 0 };
}

/** What a case takes without what else the machine did: the least of several runs. */
function leastMs(work: () => unknown): number {
  const times = Array.from({ length: 5 }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
  return Math.min(...times);
}

function mutantOf(item: ConsensusEvidence, random: Random): ConsensusEvidence {
  let mutant = item;
  for (let step = 0; step <= random(3); step++) mutant = PARTS[random(PARTS.length)]?.(mutant, random) ?? mutant;
  return mutant;
}
const unnamed = (checks: Iterable<string>): string[] =>
  [...checks].filter((check) => !EVIDENCE_CHECKS.some((name) => name === check));

test(`${CASES} items with parts changed: none proves anything, none crashes the verifier, none takes long`, () => {
  const { faults, refusals, slowestMs } = run((random) => {
    const mutant = mutantOf(sound, random);
    return { text: textOf(mutant), verify: () => verifyConsensusEvidence(mutant, root) };
  }, textOf(sound));
  expect(faults).toEqual([]);
  expect(unnamed(refusals.keys())).toEqual([]);
  // The mutants reach deep: the walk of the proof, and what lies behind it.
  expect(refusals.get('proof')).toBeGreaterThan(CASES / 10);
  expect(refusals.get('log')).toBeGreaterThan(CASES / 100);
  expect(slowestMs).toBeLessThan(SLOWEST_MS);
}, 1_200_000);

test(`${CASES} encodings with bytes changed: the same`, () => {
  const encoded = encodeConsensusEvidence(sound);
  const thief = encodeConsensusEvidence(other);
  const { faults, refusals, slowestMs } = run((random) => {
    const mutant = mutated(encoded, thief, random);
    return { text: hex(mutant), verify: () => verifyConsensusEvidenceBytes(mutant, root) };
  }, hex(encoded));
  expect(faults).toEqual([]);
  expect(unnamed(refusals.keys())).toEqual([]);
  expect(refusals.get('form')).toBeGreaterThan(CASES / 10);
  expect(refusals.get('proof')).toBeGreaterThan(CASES / 10);
  expect(slowestMs).toBeLessThan(SLOWEST_MS);
}, 1_200_000);

test('the largest proof of nodes that nobody named is refused at its first', () => {
  const proof = Array.from({ length: MAX_PROOF_NODES }, () =>
    new Uint8Array(MAX_PROOF_BYTES / MAX_PROOF_NODES).fill(0xc1),
  );
  const item = { ...sound, proof };
  expect(verifyConsensusEvidence(item, root)).toMatchObject({ ok: false, check: 'proof' });
  expect(leastMs(() => verifyConsensusEvidence(item, root))).toBeLessThan(SLOWEST_MS);
});
