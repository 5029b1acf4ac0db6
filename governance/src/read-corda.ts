/** Readers of the JSON form of Corda networks and vaults. Form only; how the parts fit together is `registry.ts`'s. */
import { type Bytes32, type Hex, parseHex, ZERO_BYTES32 } from '@drawbridge/protocol/bytes32';
import {
  CORDA_VAULT_CLASSES,
  MAX_CORDA_GUARDIANS,
  MAX_CORDA_PERIOD_SECONDS,
  MAX_CORDA_PERMITS,
  MIN_CORDA_CAP_WINDOW_SECONDS,
} from '@drawbridge/protocol/corda-vault-classes';
import type { EvmAddress } from '@drawbridge/protocol/ids';
import { parseStateRef, type StateRef, stateAfter } from '@drawbridge/protocol/state-ref';
import type {
  CordaCashRegistration,
  CordaConstraintRegistration,
  CordaGuardiansRegistration,
  CordaNotaryFinality,
  CordaPartyName,
  CordaVaultPart,
} from './corda-registration.ts';
import { readAddress, readAmountMinor, readBytes32 } from './read-primitives.ts';
import type { Reading } from './reading.ts';

/** Keys that are only compared: every scheme of Corda, composite ones too. In bytes. */
const MAX_KEY_BYTES = 4_096;
/** The issuer's own bytes (`OpaqueBytes`). */
const MAX_REFERENCE_BYTES = 512;
const NAME_PART = /^(?![\s\p{Cc}\p{Cs}])[^\p{Cc}\p{Cs}]{1,128}$/u;
/** The keys that are verified, in the one encoding that Corda writes: secp256k1, secp256r1, Ed25519. RFC 5480, RFC 8410. */
const VERIFIED_KEY =
  /^0x(?:3056301006072a8648ce3d020106052b8104000a03420004[0-9a-f]{128}|3059301306072a8648ce3d020106082a8648ce3d03010703420004[0-9a-f]{128}|302a300506032b6570032100[0-9a-f]{64})$/;
const FINGERPRINT = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

export function readCordaFinality(r: Reading): CordaNotaryFinality {
  r.object(['rule', 'notary', 'fingerprints']);
  const fingerprints = r.field('fingerprints', readFingerprints, NO_FINGERPRINTS);
  return {
    rule: r.at('rule').oneOf(['corda-notary'], 'corda-notary'),
    notary: r.field('notary', readNotary, { name: NO_NAME, key: '0x', validating: true }),
    fingerprints,
  };
}

const NO_NAME: CordaPartyName = { organisation: '', locality: '', country: '' };
const NO_FINGERPRINTS = Object.fromEntries(
  CORDA_VAULT_CLASSES.map((name) => [name, '']),
) as CordaNotaryFinality['fingerprints'];

function readNotary(r: Reading): CordaNotaryFinality['notary'] {
  r.object(['name', 'key', 'validating']);
  return {
    name: r.field('name', readPartyName, NO_NAME),
    key: r.field('key', readVerifiedKey, '0x'),
    validating: r.field('validating', (flag) => flag.flag(), true),
  };
}

function readPartyName(r: Reading): CordaPartyName {
  r.object(['organisation', 'locality', 'country'], ['commonName', 'organisationUnit', 'state']);
  const part = (name: string): string =>
    r.field(name, (text) => text.text(NAME_PART, '1 to 128 characters of text'), '');
  return {
    ...(r.has('commonName') && { commonName: part('commonName') }),
    ...(r.has('organisationUnit') && { organisationUnit: part('organisationUnit') }),
    organisation: part('organisation'),
    locality: part('locality'),
    ...(r.has('state') && { state: part('state') }),
    country: r.field('country', (text) => text.text(/^[A-Z]{2}$/, 'two capital letters (ISO 3166)'), ''),
  };
}

/** One for each class; a fingerprint that two classes share would let one pass for the other. */
function readFingerprints(r: Reading): CordaNotaryFinality['fingerprints'] {
  r.object(CORDA_VAULT_CLASSES);
  const read = CORDA_VAULT_CLASSES.map((name): [string, string] => [
    name,
    r.field(name, (text) => text.text(FINGERPRINT, 'base64 of 16 bytes, as after net.corda: in a schema'), ''),
  ]);
  const given = read.map(([, fingerprint]) => fingerprint).filter((fingerprint) => fingerprint !== '');
  if (new Set(given).size !== given.length) r.fail('repeat one', 'a fingerprint of its own for each class');
  return Object.fromEntries(read) as CordaNotaryFinality['fingerprints'];
}

function readVerifiedKey(r: Reading): Hex {
  const key = r.parsed((text) => parseHex(text, 'key'), '0x' as Hex);
  if (key !== '0x' && !VERIFIED_KEY.test(key)) {
    r.fail('is no key that is verified', 'SubjectPublicKeyInfo of an Ed25519, secp256r1 or secp256k1 key');
  }
  return key;
}

const readBoundedHex =
  (maxBytes: number) =>
  (r: Reading): Hex => {
    const hex = r.parsed((text) => parseHex(text), '0x' as Hex);
    const bytes = hex.length / 2 - 1;
    if (typeof r.value === 'string' && (bytes < 1 || bytes > maxBytes)) {
      r.fail(`has ${bytes} bytes`, `1 to ${maxBytes} bytes of hex`);
    }
    return hex;
  };
const readKey = readBoundedHex(MAX_KEY_BYTES);

function readConstraint(r: Reading): CordaConstraintRegistration {
  if (r.at('kind').value === 'signature') {
    r.object(['kind', 'key']);
    return { kind: 'signature', key: r.field('key', readKey, '0x') };
  }
  r.object(['kind', 'attachment']);
  if (r.has('kind')) r.at('kind').oneOf(['hash', 'signature'], 'hash');
  return { kind: 'hash', attachment: r.field<Bytes32>('attachment', readBytes32, ZERO_BYTES32) };
}
const NO_CONSTRAINT: CordaConstraintRegistration = { kind: 'hash', attachment: ZERO_BYTES32 };

function readCash(r: Reading): CordaCashRegistration {
  r.object(['constraint', 'issuerKey', 'issuerReference']);
  return {
    constraint: r.field('constraint', readConstraint, NO_CONSTRAINT),
    issuerKey: r.field('issuerKey', readKey, '0x'),
    issuerReference: r.field('issuerReference', readBoundedHex(MAX_REFERENCE_BYTES), '0x'),
  };
}

const NO_GUARDIANS: CordaGuardiansRegistration = { addresses: [], threshold: 1, delaySeconds: 1 };

function readGuardians(r: Reading): CordaGuardiansRegistration {
  r.object(['addresses', 'threshold', 'delaySeconds']);
  const read = (list: Reading): EvmAddress[] => list.list(readAddress, { min: 1, max: MAX_CORDA_GUARDIANS });
  const addresses = r.field('addresses', read, []);
  if (new Set(addresses).size !== addresses.length) r.at('addresses').fail('repeat one', 'each guardian once');
  const most = Math.max(addresses.length, 1);
  return {
    addresses,
    threshold: r.field('threshold', (threshold) => threshold.whole(1, most), 1),
    delaySeconds: r.field('delaySeconds', (delay) => delay.whole(1, MAX_CORDA_PERIOD_SECONDS), 1),
  };
}

const NO_REF = '0x' as StateRef;
const readStateRef = (r: Reading): StateRef => r.parsed(parseStateRef, NO_REF);

/** Fields of a vault that only Corda's have. */
export const CORDA_VAULT_FIELDS = [
  'vaultId',
  'party',
  'constraint',
  'currency',
  'permitCapMinor',
  'capWindowSeconds',
  'guardians',
  'state',
  'permits',
] as const;

/** @param mode of the vault: escrow holds cash, and issue issues a token of its own. */
export function readCordaVaultPart(r: Reading, mode: 'escrow' | 'issue'): CordaVaultPart {
  const escrow = mode === 'escrow';
  const [form, expected] = escrow
    ? [/^[A-Z]{3}$/, 'three capital letters (ISO 4217)']
    : [/^[A-Za-z0-9.-]{1,32}$/, '1 to 32 letters, digits, dots or hyphens'];
  if (escrow && !r.has('cash')) r.at('cash').fail('is missing', 'the one cash that an escrow vault takes');
  if (!escrow && r.has('cash')) r.at('cash').fail('does not go with mode issue', 'only with mode escrow');
  const part: CordaVaultPart = {
    vaultId: r.field('vaultId', readBytes32, ZERO_BYTES32),
    party: r.field('party', readVerifiedKey, '0x'),
    constraint: r.field('constraint', readConstraint, NO_CONSTRAINT),
    currency: r.field('currency', (text) => text.text(form, expected), ''),
    ...(r.has('cash') && { cash: readCash(r.at('cash')) }),
    permitCapMinor: r.field('permitCapMinor', readAmountMinor, 1n),
    capWindowSeconds: r.field(
      'capWindowSeconds',
      (window) => window.whole(MIN_CORDA_CAP_WINDOW_SECONDS, MAX_CORDA_PERIOD_SECONDS),
      MIN_CORDA_CAP_WINDOW_SECONDS,
    ),
    guardians: r.field('guardians', readGuardians, NO_GUARDIANS),
    state: r.field('state', readStateRef, NO_REF),
    permits: r.field('permits', (list) => list.list(readStateRef, { min: 1, max: MAX_CORDA_PERMITS }), []),
  };
  if (part.state !== NO_REF) demandCreated(r, part);
  return part;
}

/** What a creation makes has its places there; other refs would be of a vault that was used. */
function demandCreated(r: Reading, { state, permits }: CordaVaultPart): void {
  if (!state.endsWith(FIRST_OUTPUT)) r.at('state').fail('is not output 0', 'the first output of the creation');
  const follows = (ref: StateRef, at: number): boolean => ref === NO_REF || ref === stateAfter(state, 1 + at);
  if (!permits.every(follows))
    r.at('permits').fail('do not follow the state', 'outputs 1, 2 and so on of the creation');
}
const FIRST_OUTPUT = '00000000';
