import { type Hex, toHex } from '@drawbridge/protocol/bytes32';
import { encodeObserverEvidence } from '@drawbridge/protocol/observer-evidence';
import { expect, test } from '@jest/globals';
import { concatBytes } from '@noble/hashes/utils.js';
import { OBSERVER_CHECKS, type SignatureVerifier, verifyObserverEvidenceBytes } from './observers.ts';
import { signingObserver } from './testing/ed25519-keys.ts';
import { LOCK_LOG, observerRoot, type SigningObserver, signedLock } from './testing/observed-lock.ts';

const ITEMS = 100_000;
const SEED = 20_260_101;

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

const triple = (publicKey: Hex, message: Uint8Array, signature: Hex): string =>
  `${publicKey} ${toHex(message)} ${signature}`;
/** Everything that was ever signed. A thief can reuse it and cannot sign, so this answers as Ed25519 would, but faster. */
const signed = new Set<string>();
const signers: SigningObserver[] = [1, 2, 3].map(signingObserver).map(({ publicKey, sign }) => ({
  publicKey,
  sign: (message) => {
    const signature = sign(message);
    signed.add(triple(publicKey, message, signature));
    return signature;
  },
}));
const verifier: SignatureVerifier = (...args) => signed.has(triple(...args));
const root = observerRoot(signers);
const sound = encodeObserverEvidence(signedLock(signers, root));
/** Sound for another event: parts of it are spliced in, as a thief of true signatures would. */
const other = encodeObserverEvidence(signedLock(signers, root, { log: { ...LOCK_LOG, logIndex: 3 } }));

type Mutation = (bytes: Uint8Array, random: (below: number) => number) => Uint8Array;
const chunk = (length: number, random: (below: number) => number): [number, number] => {
  const from = random(length);
  return [from, from + 1 + random(Math.min(80, length - from))];
};
const MUTATIONS: readonly Mutation[] = [
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
    const [from, to] = chunk(bytes.length, random);
    return concatBytes(bytes.subarray(0, from), bytes.subarray(to));
  },
  (bytes, random) => {
    const [from, to] = chunk(bytes.length, random);
    return concatBytes(bytes.subarray(0, to), bytes.subarray(from));
  },
  (bytes, random) => {
    const [from, to] = chunk(Math.min(bytes.length, other.length), random);
    const spliced = Uint8Array.from(bytes);
    spliced.set(other.subarray(from, to), from);
    return spliced;
  },
];

const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);

test('what is mutated is sound', () => {
  expect(verifyObserverEvidenceBytes(sound, root, verifier)).toMatchObject({ ok: true });
  expect(verifyObserverEvidenceBytes(other, root, verifier)).toMatchObject({ ok: true });
});

test(`${ITEMS} mutants: every one is refused with a name, none crashes the verifier`, () => {
  const random = randomFrom(SEED);
  const refusals = new Map<string, number>();
  const faults: string[] = [];
  for (let i = 0; i < ITEMS; i++) {
    let mutant = sound;
    for (let step = 0; step <= random(3); step++) {
      mutant = MUTATIONS[random(MUTATIONS.length)]?.(mutant, random) ?? mutant;
      if (mutant.length === 0) break;
    }
    if (same(mutant, sound) || same(mutant, other)) continue;
    try {
      const result = verifyObserverEvidenceBytes(mutant, root, verifier);
      if (result.ok) faults.push(`accepted ${Buffer.from(mutant).toString('hex')}`);
      else refusals.set(result.check, (refusals.get(result.check) ?? 0) + 1);
    } catch (error) {
      faults.push(`${String(error)} on ${Buffer.from(mutant).toString('hex')}`);
    }
  }
  expect(faults).toEqual([]);
  const unknown = [...refusals.keys()].filter((check) => !OBSERVER_CHECKS.some((name) => name === check));
  expect(unknown).toEqual([]);
  // The mutants reach deep: many pass everything but the signatures.
  expect(refusals.get('signatures')).toBeGreaterThan(ITEMS / 50);
}, 60_000);
