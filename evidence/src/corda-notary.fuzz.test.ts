import {
  type CordaEvidence,
  encodeCordaEvidence,
  MAX_CORDA_COMPONENT_BYTES,
  MAX_CORDA_COMPONENTS,
} from '@drawbridge/protocol/corda-evidence';
import { expect, test } from '@jest/globals';
import { concatBytes } from '@noble/hashes/utils.js';
import { AmqpFault, MAX_AMQP_VALUES } from './corda-amqp.ts';
import { verifyCordaEvidence, verifyCordaEvidenceBytes } from './corda-notary.ts';
import { readComponent } from './corda-objects.ts';
import { CORDA_CHECKS } from './corda-refusal.ts';
import { TYPE } from './corda-types.ts';
import { writeComponent } from './testing/corda-amqp-writer.ts';
import { cordaVerifier } from './testing/corda-keys.ts';
import { payment, ROOT, soundComponents } from './testing/corda-payment.ts';

/** More by the environment, for a long run: DRAWBRIDGE_FUZZ_CASES=1000000. */
const CASES = Number(process.env.DRAWBRIDGE_FUZZ_CASES ?? 10_000);
const SEED = 20_260_301;
/** No mutant may take longer. */
const SLOWEST_MS = 250;

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

const sound = payment();
/** Another transaction: parts of it are spliced in, as a thief of true proofs would. */
const other = payment({ draft: { salt: new Uint8Array(32).fill(9) } });
const MUTATIONS: readonly ((bytes: Uint8Array, thief: Uint8Array, random: Random) => Uint8Array)[] = [
  (bytes, _, random) => bytes.with(random(bytes.length), random(256)),
  (bytes, _, random) => {
    const at = random(bytes.length);
    return bytes.with(at, (bytes[at] ?? 0) ^ (1 << random(8)));
  },
  (bytes, _, random) => bytes.slice(0, random(bytes.length)),
  (bytes, _, random) => concatBytes(bytes, Uint8Array.of(random(256))),
  (bytes, _, random) => {
    const at = random(bytes.length);
    return concatBytes(bytes.slice(0, at), bytes.slice(at + 1 + random(40)));
  },
  (bytes, thief, random) => {
    const at = random(bytes.length);
    const length = random(200);
    return concatBytes(bytes.slice(0, at), thief.slice(at, at + length), bytes.slice(at + length));
  },
];

function mutated(bytes: Uint8Array, thief: Uint8Array, random: Random): Uint8Array {
  let mutant = bytes;
  for (let i = 0; i <= random(3); i++) {
    if (mutant.length === 0) return mutant;
    mutant = MUTATIONS[random(MUTATIONS.length)]?.(mutant, thief, random) ?? mutant;
  }
  return mutant;
}

const pick = <Item>(items: readonly Item[], random: Random): Item => {
  const item = items[random(items.length)];
  if (item === undefined) throw new Error('there is nothing to pick');
  return item;
};
const swap = <Item>(items: readonly Item[], random: Random): readonly Item[] => {
  const at = random(items.length);
  return items.with(at, pick(items, random));
};

/** Items that are well formed: whole parts of two true proofs, exchanged, moved and left out. */
const PARTS: readonly ((evidence: CordaEvidence, random: Random) => CordaEvidence)[] = [
  (evidence, random) => ({ ...evidence, groupHashes: swap(evidence.groupHashes, random) }),
  (evidence, random) => {
    const at = random(evidence.groupHashes.length);
    return { ...evidence, groupHashes: evidence.groupHashes.with(at, pick(other.groupHashes, random)) };
  },
  (evidence, random) => ({ ...evidence, groups: swap(evidence.groups, random) }),
  (evidence, random) => ({
    ...evidence,
    groups: evidence.groups.with(random(evidence.groups.length), pick(other.groups, random)),
  }),
  (evidence, random) => ({ ...evidence, groups: evidence.groups.filter(() => random(4) > 0) }),
  (evidence, random) => ({
    ...evidence,
    groups: evidence.groups.map((group) =>
      random(4) > 0 ? group : { ...group, components: swap(group.components, random) },
    ),
  }),
  (evidence, random) => ({
    ...evidence,
    groups: evidence.groups.map((group) =>
      random(4) > 0 ? group : { ...group, tree: pick(evidence.groups, random).tree },
    ),
  }),
  (evidence, random) => ({
    ...evidence,
    signatures: evidence.signatures.with(random(2), pick(other.signatures, random)),
  }),
  (evidence, random) => ({ ...evidence, signatures: swap(evidence.signatures, random) }),
];

const SOUND_BYTES = encodeCordaEvidence(sound);
const SOUND_ID = idOf(verifyCordaEvidence(sound, ROOT, cordaVerifier));
function idOf(result: ReturnType<typeof verifyCordaEvidence>): string {
  if (!result.ok) throw new Error(result.code);
  return result.transactionId;
}

test(`${CASES} mutants: none proves another transaction, none throws, each refusal has a name`, () => {
  const random = randomFrom(SEED);
  const thief = encodeCordaEvidence(other);
  const seen = new Map<string, number>();
  let slowest = 0;
  for (let i = 0; i < CASES; i++) {
    const start = performance.now();
    const result =
      i % 2 === 0
        ? verifyCordaEvidenceBytes(mutated(SOUND_BYTES, thief, random), ROOT, cordaVerifier)
        : verifyCordaEvidence(pick(PARTS, random)(pick(PARTS, random)(sound, random), random), ROOT, cordaVerifier);
    slowest = Math.max(slowest, performance.now() - start);
    // Parts that were exchanged for themselves, or are not asked for, leave the proof as it was.
    if (result.ok) expect(result.transactionId).toBe(SOUND_ID);
    else expect(CORDA_CHECKS).toContain(result.check);
    const verdict = result.ok ? 'ok' : result.check;
    seen.set(verdict, (seen.get(verdict) ?? 0) + 1);
  }
  for (const check of ['form', 'components', 'complete', 'signatures', 'batch'] as const)
    expect(seen.has(check)).toBe(true);
  expect(slowest).toBeLessThan(SLOWEST_MS);
});

test(`${CASES} mutants of components: each is read or refused, none in another way`, () => {
  const random = randomFrom(SEED + 1);
  const outputs = soundComponents().get(1) ?? [];
  for (let i = 0; i < CASES; i++) {
    const start = performance.now();
    try {
      readComponent(mutated(pick(outputs, random), pick(outputs, random), random), ROOT.types, [TYPE.transactionState]);
    } catch (error) {
      if (!(error instanceof AmqpFault)) throw error;
    }
    expect(performance.now() - start).toBeLessThan(SLOWEST_MS);
  }
});

/** Truly hashed and signed: the costliest that a notary and a vault party of ill will could have the core read. */
test('the costliest item is refused within a bounded time', () => {
  const wide = writeComponent({
    kind: 'list',
    items: Array.from({ length: MAX_AMQP_VALUES + 1 }, () => ({ kind: 'null' })),
  });
  const count = Math.min(MAX_CORDA_COMPONENTS, Math.floor(900_000 / wide.length));
  expect(wide.length).toBeLessThan(MAX_CORDA_COMPONENT_BYTES);
  const evidence = payment({
    components: (all) =>
      all.set(
        1,
        Array.from({ length: count }, () => wide),
      ),
  });
  const bytes = encodeCordaEvidence(evidence);
  const start = performance.now();
  expect(verifyCordaEvidenceBytes(bytes, ROOT, cordaVerifier)).toMatchObject({ ok: false, code: 'OUTPUT_INVALID' });
  expect(performance.now() - start).toBeLessThan(1_000);
});
