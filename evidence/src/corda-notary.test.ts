/** Forgeries of rule `corda-notary`, each with the check that refuses it. All are truly signed but for what they forge. */
import { fromHex, toHex } from '@drawbridge/protocol/bytes32';
import { type CordaEvidence, type CordaGroup, encodeCordaEvidence } from '@drawbridge/protocol/corda-evidence';
import { parseNetworkId } from '@drawbridge/protocol/ids';
import { describe, expect, test } from '@jest/globals';
import { sha256 } from '@noble/hashes/sha2.js';
import { GROUP } from './corda-components.ts';
import { ECDSA_SECP256K1, ECDSA_SECP256R1 } from './corda-keys.ts';
import { type CordaFacts, verifyCordaEvidence, verifyCordaEvidenceBytes } from './corda-notary.ts';
import type { CordaRefusalCode } from './corda-refusal.ts';
import { signableBytes } from './corda-signable.ts';
import { cordaSigner, cordaVerifier, hexOf } from './testing/corda-keys.ts';
import {
  appended,
  bothSign,
  NOTARY,
  payment,
  REGISTRATION,
  ROOT,
  STRANGER,
  soundComponents,
  VAULT,
  withComponent,
} from './testing/corda-payment.ts';
import { rootOf } from './testing/corda-recordings.ts';
import { disclose, notarySignature, partialTree, partySignature } from './testing/corda-transactions.ts';

const verdict = (evidence: CordaEvidence, root = ROOT): string => {
  const result = verifyCordaEvidence(evidence, root, cordaVerifier);
  return result.ok ? 'ok' : result.code;
};
const SOUND = payment();
const OTHER_ID = sha256(Uint8Array.of(7));

function group(evidence: CordaEvidence, index: number): CordaGroup {
  const found = evidence.groups.find(({ groupIndex }) => groupIndex === index);
  if (found === undefined) throw new Error(`group ${index} is not shown`);
  return found;
}
/** Sound evidence in which one group is shown otherwise; ids and signatures stay. */
function showing(index: number, change: (shown: CordaGroup) => CordaGroup): CordaEvidence {
  const groups = SOUND.groups.map((shown) => (shown.groupIndex === index ? change(shown) : shown));
  return { ...SOUND, groups };
}

test('a sound payment is taken, and says what was proven', () => {
  const facts = verifyCordaEvidence(SOUND, ROOT, cordaVerifier) as CordaFacts;
  expect(facts).toMatchObject({ ok: true, rule: 'corda-notary', signedBy: [hexOf(NOTARY), hexOf(VAULT)] });
  expect(facts.transactionId).toBe(toHex(disclose({ components: soundComponents() }).id));
  const again = payment({ signatures: (id) => [...bothSign(id)].reverse() });
  expect(verifyCordaEvidence(again, ROOT, cordaVerifier)).toEqual(facts);
  const late = payment({ draft: { salt: sha256(Uint8Array.of(1)) } });
  expect(verifyCordaEvidence(late, ROOT, cordaVerifier)).not.toMatchObject({ digest: facts.digest });
});

test('what is truly signed and cannot be read is refused', () => {
  const strange = payment({
    components: (all) => withComponent(all, [GROUP.outputs, 0], (bytes) => appended(bytes, 0)),
  });
  expect(verdict(strange)).toBe('OUTPUT_INVALID');
});

test('a digest that a port brings is what components are hashed by', () => {
  let asked = 0;
  const digest = (bytes: Uint8Array): Uint8Array => {
    asked += 1;
    return sha256(bytes);
  };
  expect(verifyCordaEvidence(SOUND, ROOT, cordaVerifier, digest)).toMatchObject({ ok: true });
  expect(asked).toBe(SOUND.groups.flatMap(({ components }) => components).length);
  const wrong = (bytes: Uint8Array): Uint8Array => sha256(bytes).fill(0);
  expect(verifyCordaEvidence(SOUND, ROOT, cordaVerifier, wrong)).toMatchObject({ ok: false, check: 'components' });
});

test('the digest is of network and id', () => {
  const network = parseNetworkId('other');
  const elsewhere = verifyCordaEvidence({ ...SOUND, network }, { ...ROOT, network }, cordaVerifier) as CordaFacts;
  const here = verifyCordaEvidence(SOUND, ROOT, cordaVerifier) as CordaFacts;
  expect(elsewhere.transactionId).toBe(here.transactionId);
  expect(elsewhere.digest).not.toBe(here.digest);
});

test('a batch of many, and keys of each scheme, are taken', () => {
  const others = Array.from({ length: 12 }, (_, i) => sha256(Uint8Array.of(i)));
  const batched = payment({ signatures: (id) => [partySignature(VAULT, id), notarySignature(NOTARY, id, { others })] });
  expect(verdict(batched)).toBe('ok');
  for (const scheme of [ECDSA_SECP256K1, ECDSA_SECP256R1] as const) {
    const vault = cordaSigner(scheme, 9);
    const root = rootOf({ ...REGISTRATION, vaultParty: { key: hexOf(vault) } });
    const platformVersion = 140;
    const signed = payment({
      signatures: (id) => [
        partySignature(vault, id, { platformVersion }),
        notarySignature(NOTARY, id, { platformVersion }),
      ],
    });
    expect(verdict(signed, root)).toBe('ok');
  }
});

type Forgery = readonly [what: string, code: CordaRefusalCode, evidence: () => CordaEvidence];

const FORM: readonly Forgery[] = [
  ['another version', 'FORM_INVALID', () => ({ ...SOUND, version: 2 as 1 })],
  ['another rule', 'FORM_INVALID', () => ({ ...SOUND, rule: 'qbft' as 'corda-notary' })],
  ['another kind', 'FORM_INVALID', () => ({ ...SOUND, kind: 'event' as 'transaction' })],
  ['another network', 'NETWORK_MISMATCH', () => ({ ...SOUND, network: parseNetworkId('other') })],
];

const nodeHash = (left: Uint8Array | undefined, right: Uint8Array | undefined): Uint8Array =>
  sha256(Uint8Array.from([...(left ?? []), ...(right ?? [])]));
const TREES: readonly Forgery[] = [
  [
    'two nodes of the tree as a list of groups',
    'GROUP_HASHES_INVALID',
    () => {
      const padded = [...SOUND.groupHashes, ...Array.from({ length: 7 }, () => new Uint8Array(32))];
      const pairs = Array.from({ length: 8 }, (_, i) => nodeHash(padded[2 * i], padded[2 * i + 1]));
      return { ...SOUND, groupHashes: pairs };
    },
  ],
  [
    'more groups than a tree of depth 4 has',
    'GROUP_HASHES_INVALID',
    () => ({ ...SOUND, groupHashes: Array.from({ length: 17 }, () => OTHER_ID) }),
  ],
  [
    'padding as a group',
    'GROUP_HASHES_INVALID',
    () => ({ ...SOUND, groupHashes: [...SOUND.groupHashes, new Uint8Array(32)] }),
  ],
  ['an absent group at the end', 'GROUP_HASHES_INVALID', () => payment({ draft: { groupCount: 10 } })],
  [
    'a group without a meaning',
    'GROUP_UNKNOWN',
    () => payment({ components: (all) => all.set(10, [Uint8Array.of(1)]), draft: { groupCount: 11 } }),
  ],
  ['a group twice', 'GROUP_ORDER_INVALID', () => ({ ...SOUND, groups: [...SOUND.groups, group(SOUND, 8)] })],
  ['groups in another order', 'GROUP_ORDER_INVALID', () => ({ ...SOUND, groups: [...SOUND.groups].reverse() })],
  [
    'outputs as a group that has no hash',
    'COMPONENT_UNPROVEN',
    () => ({ ...SOUND, groups: [...SOUND.groups, { ...group(SOUND, 1), groupIndex: 12 }] }),
  ],
  [
    'components of one group as another',
    'COMPONENT_UNPROVEN',
    () => showing(3, () => ({ ...group(SOUND, 8), groupIndex: 3 })),
  ],
  [
    'another component under a leaf',
    'COMPONENT_UNPROVEN',
    () =>
      showing(1, (shown) => ({
        ...shown,
        components: shown.components.map((one) => ({ ...one, bytes: Uint8Array.of(1) })),
      })),
  ],
  [
    'another nonce',
    'COMPONENT_UNPROVEN',
    () =>
      showing(1, (shown) => ({ ...shown, components: shown.components.map((one) => ({ ...one, nonce: OTHER_ID })) })),
  ],
  [
    'outputs in another order',
    'COMPONENT_UNPROVEN',
    () => showing(1, (shown) => ({ ...shown, components: [...shown.components].reverse() })),
  ],
  [
    'a leaf without a component',
    'COMPONENT_UNPROVEN',
    () => showing(1, (shown) => ({ ...shown, components: shown.components.slice(1) })),
  ],
  [
    'a component without a leaf',
    'COMPONENT_UNPROVEN',
    () => showing(1, (shown) => ({ ...shown, components: [...shown.components, ...shown.components.slice(0, 1)] })),
  ],
  ['another tree', 'COMPONENT_UNPROVEN', () => showing(8, (shown) => ({ ...shown, tree: group(SOUND, 3).tree }))],
  [
    'leaves at two depths',
    'COMPONENT_UNPROVEN',
    () => {
      const { groupHashes, groups } = unevenOutputs();
      return { ...SOUND, groupHashes, groups };
    },
  ],
];

/** Three outputs in a tree that Corda would not make: one beside a node of two. */
function unevenOutputs(): Pick<CordaEvidence, 'groupHashes' | 'groups'> {
  const outputs = soundComponents().get(GROUP.outputs) ?? [];
  const components = soundComponents().set(GROUP.outputs, [...outputs, ...outputs.slice(0, 1)]);
  const { groupHashes, groups } = disclose({ components });
  const even = groups.find(({ groupIndex }) => groupIndex === GROUP.outputs);
  if (even === undefined || !('left' in even.tree)) throw new Error('there is no tree');
  const { left, right } = even.tree;
  if (!('left' in left) || !('left' in right) || !('included' in right.left)) throw new Error('the tree is small');
  const tree = { left, right: right.left };
  const lone = sha256(Uint8Array.from([...rootOfPair(left), ...right.left.included]));
  return {
    groupHashes: groupHashes.map((hash, at) => (at === GROUP.outputs ? lone : hash)),
    groups: groups.map((shown) => (shown.groupIndex === GROUP.outputs ? { ...shown, tree } : shown)),
  };
}
function rootOfPair(tree: Readonly<{ left: unknown; right: unknown }>): Uint8Array {
  const { left, right } = tree as Readonly<{ left: { included: Uint8Array }; right: { included: Uint8Array } }>;
  return nodeHash(left.included, right.included);
}

const hiding = (hidden: number, kept: ReadonlySet<number> = new Set()): CordaEvidence => {
  const components = soundComponents();
  const input = components.get(GROUP.inputs) ?? [];
  components.set(GROUP.references, input);
  components.set(GROUP.timeWindow, input);
  const shown = new Map([...components].map(([index, items]) => [index, new Set(items.keys())]));
  shown.set(hidden, new Set(kept));
  return payment({
    components: (all) => all.set(GROUP.references, input).set(GROUP.timeWindow, input),
    draft: { shown },
  });
};
const HIDDEN: readonly Forgery[] = [
  ...Object.entries(GROUP)
    .filter(([name]) => !['attachments', 'parameters', 'attachmentsOf412'].includes(name))
    .map(([name, index]): Forgery => [`${name} not shown`, 'GROUP_INCOMPLETE', () => hiding(index)]),
  ['only the first output shown', 'GROUP_INCOMPLETE', () => hiding(GROUP.outputs, new Set([0]))],
  ['only the second output shown', 'GROUP_INCOMPLETE', () => hiding(GROUP.outputs, new Set([1]))],
];

const signedBy = (signatures: Parameters<typeof payment>[0] & object): CordaEvidence => payment(signatures);
const SIGNATURES: readonly Forgery[] = [
  [
    'a stranger for the notary',
    'SIGNER_UNKNOWN',
    () => signedBy({ signatures: (id) => [partySignature(VAULT, id), notarySignature(STRANGER, id)] }),
  ],
  [
    'a stranger as well',
    'SIGNER_UNKNOWN',
    () => signedBy({ signatures: (id) => [...bothSign(id), partySignature(STRANGER, id)] }),
  ],
  [
    'the notary twice',
    'SIGNER_DUPLICATE',
    () => signedBy({ signatures: (id) => [...bothSign(id), notarySignature(NOTARY, id)] }),
  ],
  [
    'the vault party twice',
    'SIGNER_DUPLICATE',
    () => signedBy({ signatures: (id) => [...bothSign(id), partySignature(VAULT, id)] }),
  ],
  [
    'the notary by a part of its key',
    'SIGNER_UNKNOWN',
    () =>
      signedBy({
        signatures: (id) => [
          partySignature(VAULT, id),
          { ...notarySignature(NOTARY, id), key: NOTARY.spki.subarray(0, 43) },
        ],
      }),
  ],
  ['no notary', 'NOTARY_SIGNATURE_MISSING', () => signedBy({ signatures: (id) => [partySignature(VAULT, id)] })],
  ['nobody', 'NOTARY_SIGNATURE_MISSING', () => signedBy({ signatures: () => [] })],
  [
    'no vault party beside a notary that runs no contracts',
    'VAULT_SIGNATURE_MISSING',
    () => signedBy({ signatures: (id) => [notarySignature(NOTARY, id)] }),
  ],
  [
    'another scheme than the notary key has',
    'SCHEME_MISMATCH',
    () => signedBy({ signatures: (id) => [partySignature(VAULT, id), notarySignature(NOTARY, id, { scheme: 2 })] }),
  ],
  [
    'another scheme than the vault key has',
    'SCHEME_MISMATCH',
    () => signedBy({ signatures: (id) => [partySignature(VAULT, id, { scheme: 3 }), notarySignature(NOTARY, id)] }),
  ],
  [
    'a signature with a byte more',
    'SIGNATURE_MALFORMED',
    () =>
      signedBy({
        signatures: (id) => bothSign(id).map((one) => ({ ...one, signature: Uint8Array.from([...one.signature, 0]) })),
      }),
  ],
  [
    'the vault signature with a byte less',
    'SIGNATURE_MALFORMED',
    () =>
      signedBy({
        signatures: (id) => [
          { ...partySignature(VAULT, id), signature: new Uint8Array(63) },
          notarySignature(NOTARY, id),
        ],
      }),
  ],
  [
    'the notary signed as a party does',
    'BATCH_INVALID',
    () => signedBy({ signatures: (id) => [partySignature(VAULT, id), partySignature(NOTARY, id)] }),
  ],
  [
    'the batch of another transaction',
    'BATCH_INVALID',
    () => signedBy({ signatures: (id) => [partySignature(VAULT, id), notarySignature(NOTARY, OTHER_ID)] }),
  ],
  [
    'a batch that cuts this transaction off',
    'BATCH_INVALID',
    () =>
      signedBy({
        signatures: (id) => {
          const { batchTree: _, ...signed } = notarySignature(NOTARY, id);
          return [partySignature(VAULT, id), { ...signed, batchTree: { leaf: sha256(id) } }];
        },
      }),
  ],
  [
    'a batch that shows another beside it',
    'BATCH_INVALID',
    () =>
      signedBy({
        signatures: (id) => {
          const signed = notarySignature(NOTARY, id, { others: [OTHER_ID] });
          const batchTree = partialTree([sha256(id), sha256(OTHER_ID)], new Set([0, 1]));
          return [partySignature(VAULT, id), { ...signed, batchTree }];
        },
      }),
  ],
  [
    'the vault party signed a batch',
    'BATCH_INVALID',
    () => signedBy({ signatures: (id) => [notarySignature(VAULT, id), notarySignature(NOTARY, id)] }),
  ],
  [
    'the id itself as the leaf of a batch',
    'BATCH_INVALID',
    () =>
      signedBy({
        signatures: (id) => [partySignature(VAULT, id), { ...partySignature(NOTARY, id), batchTree: { included: id } }],
      }),
  ],
  [
    'the notary of another id',
    'SIGNATURE_INVALID',
    () => signedBy({ signatures: (id) => [partySignature(VAULT, id), forged(NOTARY, id)] }),
  ],
  [
    'the vault party of another id',
    'SIGNATURE_INVALID',
    () => signedBy({ signatures: (id) => [partySignature(VAULT, OTHER_ID), notarySignature(NOTARY, id)] }),
  ],
  [
    'the vault party with the name of the notary',
    'SIGNATURE_INVALID',
    () =>
      signedBy({
        signatures: (id) => [partySignature(VAULT, id), { ...notarySignature(VAULT, id), key: NOTARY.spki }],
      }),
  ],
  [
    'another platform version than was signed',
    'SIGNATURE_INVALID',
    () => signedBy({ signatures: (id) => bothSign(id).map((one) => ({ ...one, platformVersion: 13 })) }),
  ],
];
/** A tree that shows this transaction, under a signature of another one. */
const forged = (signer: typeof NOTARY, id: Uint8Array) => ({
  ...notarySignature(signer, id),
  signature: signer.sign(signableBytes(sha256(OTHER_ID), { platformVersion: 12, scheme: 4 })),
});

describe('forgeries of trees and signatures', () => {
  test.each([...FORM, ...TREES, ...HIDDEN, ...SIGNATURES])('%s: %s', (_, code, evidence) => {
    expect(verdict(evidence())).toBe(code);
  });
});

test('a notary that validates needs no vault party, and what else is signed is still checked', () => {
  const root = rootOf({ ...REGISTRATION, notary: { ...REGISTRATION.notary, validating: true } });
  const alone = payment({ signatures: (id) => [notarySignature(NOTARY, id)] });
  expect(verifyCordaEvidence(alone, root, cordaVerifier)).toMatchObject({ ok: true, signedBy: [hexOf(NOTARY)] });
  expect(verdict(payment(), root)).toBe('ok');
  const bad = payment({ signatures: (id) => [partySignature(VAULT, OTHER_ID), notarySignature(NOTARY, id)] });
  expect(verdict(bad, root)).toBe('SIGNATURE_INVALID');
});

test('attachments and network parameters need not be shown', () => {
  const shown = new Map([...soundComponents()].map(([index, items]) => [index, new Set(items.keys())]));
  shown.delete(GROUP.attachments);
  shown.delete(GROUP.parameters);
  expect(verdict(payment({ draft: { shown } }))).toBe('ok');
});

test('the group of attachments of Corda 4.12 is known', () => {
  const components = (all: Map<number, readonly Uint8Array[]>) => void all.set(9, all.get(3) ?? []).delete(3);
  expect(verdict(payment({ components, draft: { groupCount: 10 } }))).toBe('ok');
});

test('bytes that are no item are refused, not thrown', () => {
  const bytes = encodeCordaEvidence(SOUND);
  expect(verifyCordaEvidenceBytes(bytes, ROOT, cordaVerifier)).toMatchObject({ ok: true });
  for (const wrong of [fromHex('0x'), bytes.subarray(1), Uint8Array.from([...bytes, 0])]) {
    expect(verifyCordaEvidenceBytes(wrong, ROOT, cordaVerifier)).toMatchObject({ ok: false, code: 'FORM_INVALID' });
  }
});

test('a refusal asks no signature before the hashes are right', () => {
  let asked = 0;
  const counting = (...args: Parameters<typeof cordaVerifier>): boolean => {
    asked++;
    return cordaVerifier(...args);
  };
  for (const [, , evidence] of [...FORM, ...TREES, ...HIDDEN]) verifyCordaEvidence(evidence(), ROOT, counting);
  expect(asked).toBe(0);
});
