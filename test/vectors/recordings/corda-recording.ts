/**
 * Checks one recording of Corda with the verifiers of `evidence/`: the id from components, salt and group hashes, the tear-off,
 * every signature over bytes that are made here, and the whole rule where the outputs are cash. Corda's word on itself
 * (`isNotary`, `signedBytes`, `validPerCorda`) is compared, never used.
 */
import { cordaSignatureVerifier } from '@drawbridge/enclave-core/relay/corda-signatures';
import { AmqpFault } from '@drawbridge/evidence/corda-amqp';
import { GROUP, groupHashesFault, shownGroup, transactionId } from '@drawbridge/evidence/corda-components';
import { type CordaParty, outputOf, partyOf, stateRefOf, timeWindowOf } from '@drawbridge/evidence/corda-facts';
import { isStrictSignature, parseCordaKey } from '@drawbridge/evidence/corda-keys';
import { verifyCordaEvidenceBytes } from '@drawbridge/evidence/corda-notary';
import { readComponent } from '@drawbridge/evidence/corda-objects';
import { signableBytes } from '@drawbridge/evidence/corda-signable';
import { isSigned, notarisedHash, partyHash } from '@drawbridge/evidence/corda-signatures';
import { cordaTrustRoot } from '@drawbridge/evidence/corda-trust-root';
import { CORDA_TYPES, cordaTypes, TYPE, transactionStateOf } from '@drawbridge/evidence/corda-types';
import { disclose, NETWORK } from '@drawbridge/evidence/testing/corda-transactions';
import { fromHex, type Hex, toHex } from '@drawbridge/protocol/bytes32';
import { type CordaGroup, type CordaSignature, encodeCordaEvidence } from '@drawbridge/protocol/corda-evidence';
import type { CordaPartialTree } from '@drawbridge/protocol/corda-partial-tree';
import {
  type CordaRecording,
  type Fields,
  fault,
  fieldsOf,
  isFields,
  listOf,
  numberOf,
  recorded,
} from './recording.ts';

const verify = cordaSignatureVerifier();
const TYPES = cordaTypes([...CORDA_TYPES, transactionStateOf([TYPE.cash])]);
const WINDOWS = [TYPE.windowFrom, TYPE.windowUntil, TYPE.windowBetween];
/** Deeper trees are refused before they are walked. */
const MAX_DEPTH = 32;

/** Hex with or without `0x`, in either case. */
function hexOf(value: unknown, what: string): Hex {
  const text = typeof value === 'string' ? value.replace(/^0x/, '').toLowerCase() : '';
  return /^(?:[0-9a-f]{2})+$/.test(text) ? `0x${text}` : fault(`${what} is not hex`);
}
const bytesOf = (value: unknown, what: string): Uint8Array => fromHex(hexOf(value, what));
function wordOf(value: unknown, what: string): Uint8Array {
  const bytes = bytesOf(value, what);
  return bytes.length === 32 ? bytes : fault(`${what} does not have 32 bytes`);
}
function same(found: Hex, expected: unknown, what: string): void {
  if (recorded(expected) && hexOf(expected, what) !== found) fault(`${what} is not as recorded`);
}
function countIs(expected: unknown, found: number, what: string): void {
  if (recorded(expected) && numberOf(expected, what) !== found) fault(`there are ${found} ${what}, not as recorded`);
}

function treeOf(value: unknown, depth = 0): CordaPartialTree {
  if (depth > MAX_DEPTH) return fault('a tree is too deep');
  const tree = fieldsOf(value, 'tree');
  if (recorded(tree.included)) return { included: wordOf(tree.included, 'included leaf') };
  if (recorded(tree.leaf)) return { leaf: wordOf(tree.leaf, 'leaf') };
  return { left: treeOf(tree.left, depth + 1), right: treeOf(tree.right, depth + 1) };
}

type Components = ReadonlyMap<number, readonly Uint8Array[]>;

function componentsOf(groups: unknown): Components {
  return new Map(
    listOf(groups, 'componentGroups').map((item) => {
      const { groupIndex, components } = fieldsOf(item, 'group');
      return [
        numberOf(groupIndex, 'groupIndex'),
        listOf(components, 'components').map((one) => bytesOf(one, 'component')),
      ];
    }),
  );
}

/** @throws RecordingFault for the first thing that is refused, or not as recorded. */
export function checkCordaRecording({ entry, data }: CordaRecording): void {
  const id = wordOf(data.txId, 'txId');
  same(toHex(id), entry.txId, 'txId of the manifest');
  if (recorded(data.digest) && data.digest !== 'SHA-256') fault('the transaction is hashed by another algorithm');
  const components = recorded(data.componentGroups) ? componentsOf(data.componentGroups) : undefined;
  const hashed = components === undefined ? undefined : hashesOf(components, data, id);
  const tornOff = recorded(data.filtered) ? tearOff(fieldsOf(data.filtered, 'filtered'), id, components) : undefined;
  const notary = notaryOf(components?.get(GROUP.notary) ?? tornOff?.get(GROUP.notary));
  for (const bytes of components?.get(GROUP.inputs) ?? [])
    decoded(() => stateRefOf(readComponent(bytes, TYPES, [TYPE.stateRef])));
  for (const bytes of components?.get(GROUP.timeWindow) ?? [])
    decoded(() => timeWindowOf(readComponent(bytes, TYPES, WINDOWS)));
  const signatures = listOf(data.sigs, 'sigs').map((item) => checkSignature(fieldsOf(item, 'signature'), id, notary));
  checkTemplate(data.template, signatures);
  const expected = isFields(entry.expect) ? entry.expect : {};
  countIs(expected.notarySignatures, signatures.filter(({ byNotary }) => byNotary).length, 'notary signatures');
  countIs(expected.partySignatures, signatures.filter(({ byNotary }) => !byNotary).length, 'party signatures');
  if (components === undefined || hashed === undefined) return;
  checkCounts(expected.groups, components);
  checkRule({ components, ...hashed, signatures, notary, id });
}

type Hashed = Readonly<{ groupHashes: readonly Uint8Array[]; groups: readonly CordaGroup[] }>;

/** The id by the salt, as only who has the whole transaction can compute it. */
function hashesOf(components: Components, data: Fields, id: Uint8Array): Hashed {
  const salt = wordOf(data.privacySalt, 'privacySalt');
  const {
    groupHashes,
    groups,
    id: computed,
  } = disclose({ components, salt, groupCount: Math.max(...components.keys()) + 1 });
  same(toHex(computed), toHex(id), 'the id');
  const detail = groupHashesFault(groupHashes);
  return detail === undefined ? { groupHashes, groups } : fault(detail);
}

/** What a tear-off shows, at the places that its trees give. */
function tearOff(filtered: Fields, id: Uint8Array, components: Components | undefined): Components {
  same(toHex(id), filtered.id, 'id of the tear-off');
  const groupHashes = listOf(filtered.groupHashes, 'groupHashes').map((hash) => wordOf(hash, 'group hash'));
  same(toHex(transactionId(groupHashes)), toHex(id), 'the id of the group hashes');
  return new Map(
    listOf(filtered.filteredComponentGroups, 'filteredComponentGroups').map((item) => {
      const { groupIndex, components: shown, nonces, partialMerkleTree } = fieldsOf(item, 'group');
      const index = numberOf(groupIndex, 'groupIndex');
      const nonceOf = listOf(nonces, 'nonces');
      const bytes = listOf(shown, 'components');
      if (nonceOf.length !== bytes.length) fault('there is not a nonce for each component');
      const group = {
        groupIndex: index,
        components: bytes.map((one, at) => ({ bytes: bytesOf(one, 'component'), nonce: wordOf(nonceOf[at], 'nonce') })),
        tree: treeOf(partialMerkleTree),
      };
      const found = shownGroup(group, groupHashes[index] ?? fault('a group has no hash'));
      if (typeof found === 'string') return fault(found);
      for (const { index: place, bytes: one } of found.components) {
        if (components !== undefined && toHex(components.get(index)?.[place] ?? new Uint8Array()) !== toHex(one)) {
          fault(`component ${place} of group ${index} is not the one that stands there`);
        }
      }
      return [index, found.components.map((one) => one.bytes)];
    }),
  );
}

function decoded<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof AmqpFault) return fault(error.message);
    throw error;
  }
}

const notaryOf = (components: readonly Uint8Array[] | undefined): CordaParty | undefined => {
  const [bytes, ...more] = components ?? [];
  if (more.length > 0) return fault('the transaction names two notaries');
  return bytes === undefined ? undefined : decoded(() => partyOf(readComponent(bytes, TYPES, [TYPE.party])));
};

type Checked = Readonly<{ byNotary: boolean; signature: CordaSignature }>;

/** Without the notary's group a batch tree tells whose a signature is. */
function checkSignature(item: Fields, id: Uint8Array, notary: CordaParty | undefined): Checked {
  const signature: CordaSignature = {
    key: bytesOf(item.by_spki, 'by_spki'),
    platformVersion: numberOf(item.platformVersion, 'platformVersion'),
    scheme: numberOf(item.schemeNumberID, 'schemeNumberID'),
    signature: bytesOf(item.signature, 'signature'),
    ...(recorded(item.partialMerkleTree) ? { batchTree: treeOf(item.partialMerkleTree) } : {}),
  };
  const key = parseCordaKey(signature.key) ?? fault('a key is of no scheme that is verified');
  if (key.scheme !== signature.scheme) fault('a signature is of another scheme than its key');
  if (!isStrictSignature(key.scheme, signature.signature)) fault('a signature does not have the form of its scheme');
  const byNotary = notary === undefined ? signature.batchTree !== undefined : notary.key === key.hex;
  if (recorded(item.isNotary) && item.isNotary !== byNotary) fault('whose signature it is, is not as recorded');
  const hash =
    (byNotary ? notarisedHash : partyHash)(signature, id) ?? fault('a batch does not show this transaction alone');
  same(toHex(hash), item.signedHash, 'the hash that was signed');
  same(toHex(signableBytes(hash, signature)), item.signedBytes, 'what was signed');
  if (!isSigned(signature, key, hash, verify)) fault('a signature is not of its key over this transaction');
  if (item.validPerCorda === false) fault('Corda refused a signature that is taken here');
  return { byNotary, signature };
}

/** The bytes under a signature with zeros for the hash. */
function checkTemplate(template: unknown, signatures: readonly Checked[]): void {
  if (!recorded(template)) return;
  const expected = hexOf(template, 'template');
  const made = signatures.map(({ signature }) => toHex(signableBytes(new Uint8Array(32), signature)));
  if (!made.includes(expected)) fault('no signature is over the template');
}

function checkCounts(groups: unknown, components: Components): void {
  if (!recorded(groups)) return;
  const expected = listOf(groups, 'groups').map((item) => listOf(item, 'group').map((each) => numberOf(each, 'group')));
  const found = [...components].map(([index, items]) => [index, items.length]).toSorted(([a = 0], [b = 0]) => a - b);
  if (JSON.stringify(expected) !== JSON.stringify(found))
    fault('the groups do not have as many components as recorded');
}

type Whole = Hashed &
  Readonly<{ components: Components; signatures: readonly Checked[]; notary: CordaParty | undefined; id: Uint8Array }>;

/** The rule as the core would run it, with a registration that fits: only cash can be read, and only what was notarised proven. */
function checkRule({ components, groupHashes, groups, signatures, notary, id }: Whole): void {
  const notarys = signatures.find(({ byNotary }) => byNotary)?.signature;
  const partys = signatures.find(({ byNotary }) => !byNotary)?.signature;
  if (notarys === undefined || partys === undefined || notary?.name === undefined) return;
  const outputs = (components.get(GROUP.outputs) ?? []).map(readableOutput);
  const constraints = outputs.flatMap((output) => (output === undefined ? [] : [output.constraint]));
  const [contract] = outputs.map((output) => output?.contract);
  if (contract === undefined || constraints.length !== outputs.length) return;
  const root = cordaTrustRoot({
    network: NETWORK,
    notary: { name: notary.name, key: notary.key, validating: false },
    vaultParty: { key: toHex(partys.key) },
    contracts: [{ contract, states: [TYPE.cash], constraints }],
    commands: CORDA_TYPES.flatMap(({ name }) => (name.includes('$Commands$') ? [name] : [])),
    types: [],
  });
  if (!root.ok) return fault(root.detail);
  const evidence = encodeCordaEvidence({
    version: 1,
    rule: 'corda-notary',
    kind: 'transaction',
    network: NETWORK,
    groupHashes,
    groups,
    signatures: [notarys, partys],
  });
  const facts = verifyCordaEvidenceBytes(evidence, root.root, verify);
  if (!facts.ok) return fault(`${facts.code}: ${facts.detail}`);
  if (facts.transactionId !== toHex(id)) fault('another transaction was proven');
}

/** An output that the pinned types can read. States of other CorDapps, and constraints that bind no jar, are not among them. */
function readableOutput(bytes: Uint8Array): ReturnType<typeof outputOf> | undefined {
  try {
    return outputOf(readComponent(bytes, TYPES, [TYPE.transactionState]));
  } catch (error) {
    if (error instanceof AmqpFault) return undefined;
    throw error;
  }
}
