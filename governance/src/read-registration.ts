/** Readers of the JSON form of what is registered. Form only; how the parts fit together is `registry.ts`'s. */
import { type Bytes32, fromHex, type Hex, parseBytes32, parseHex, ZERO_BYTES32 } from '@drawbridge/protocol/bytes32';
import type { AssetCode, EvmAddress, NetworkId, ParticipantId } from '@drawbridge/protocol/ids';
import { ed25519 } from '@noble/curves/ed25519.js';
import type { NetworkRegistration, VaultRegistration } from './action.ts';
import { isBic, isLei } from './lei.ts';
import { CORDA_VAULT_FIELDS, readCordaFinality, readCordaVaultPart } from './read-corda.ts';
import {
  readAddress,
  readAssetCode,
  readBytes32,
  readCapMinor,
  readNetworkId,
  readParticipantId,
} from './read-primitives.ts';
import type { Reading } from './reading.ts';
import {
  type Asset,
  type BootstrapKeys,
  type Checkpoint,
  CONSENSUS_RULES,
  type ConsensusFinality,
  type ExposureCap,
  type Finality,
  type ObserversFinality,
  type Participant,
  type ParticipantRole,
  type VaultMode,
} from './registration.ts';

/** Decimal places: 2⁶³ minor units have 19 digits. */
export const MAX_SCALE = 18;
/** Members of a bootstrap key set, observers of a network, connectors of a network. */
export const MAX_SIGNERS = 32;
const MAX_CERTIFICATES = 16;
/** Members of a validator set. */
export const MAX_VALIDATORS = 256;
/** Blocks whose hashes the core remembers of one network: 32 bytes each. */
export const MAX_GAP_BLOCKS = 65_536;
/** Fields of a header: the 15 of Frontier, and none beyond what any client has written. */
const HEADER_FIELDS = { min: 15, max: 32 };
const MAX_HEADER_FORKS = 16;
/** Blocks of an epoch, and so the votes that can stand at once. */
const MAX_EPOCH_LENGTH = 65_536;
const YEAR_S = 31_536_000;
/** No control characters and no half characters, which would not come back from bytes as they went in. */
const NAME = /^(?![\s\p{Cc}\p{Cs}])[^\p{Cc}\p{Cs}]{1,140}$/u;
const MAX_SEALING_KEY_CHARACTERS = 2_048;

const ROLES: readonly ParticipantRole[] = ['bank', 'auditor', 'connector', 'observer', 'relay', 'operator'];

/**
 * 32 bytes of an Ed25519 public key, with or without `0x`. Points of small order are refused: with one of them anybody
 * can make signatures that verify.
 */
export function readEd25519Key(r: Reading): Hex {
  const hex = r.parsed((text) => parseBytes32(text.startsWith('0x') ? text : `0x${text}`), NO_KEY);
  if (hex !== NO_KEY && !isStrongKey(fromHex(hex))) r.fail('is no safe key', 'an Ed25519 public key');
  return hex;
}
const NO_KEY = '0x' as Bytes32;

function isStrongKey(bytes: Uint8Array): boolean {
  try {
    return !ed25519.Point.fromBytes(bytes).isSmallOrder();
  } catch {
    return false;
  }
}

/** 64 bytes of an Ed25519 signature, with or without `0x`. */
export const readSignature = (r: Reading): Hex => {
  const hex = r.parsed((text) => parseHex(text.startsWith('0x') ? text : `0x${text}`), '0x' as Hex);
  if (hex.length !== 130) r.fail('has another length', '64 bytes of hex');
  return hex;
};

export function readAsset(r: Reading): Asset {
  r.object(['code', 'scale']);
  return {
    code: r.field('code', readAssetCode, '' as AssetCode),
    scale: r.field('scale', (scale) => scale.whole(0, MAX_SCALE), 0),
  };
}

export function readParticipant(r: Reading): Participant {
  r.object(['id', 'role', 'name', 'certificates'], ['lei', 'bic', 'supervises', 'sealingKey', 'attestationKey']);
  const participant: Participant = {
    id: r.field('id', readParticipantId, '' as ParticipantId),
    role: r.field('role', (role) => role.oneOf(ROLES, 'bank'), 'bank'),
    name: r.field('name', (name) => name.text(NAME, '1 to 140 characters of text'), ''),
    certificates: r.field('certificates', (list) => list.list(readBytes32, { min: 0, max: MAX_CERTIFICATES }), []),
    ...(r.has('lei') && { lei: readLei(r.at('lei')) }),
    ...(r.has('bic') && { bic: readBic(r.at('bic')) }),
    ...(r.has('supervises') && { supervises: r.at('supervises').list(readParticipantId, { min: 1 }) }),
    ...(r.has('sealingKey') && { sealingKey: readSealingKey(r.at('sealingKey')) }),
    ...(r.has('attestationKey') && { attestationKey: readEd25519Key(r.at('attestationKey')) }),
  };
  checkRole(r, participant);
  return participant;
}

function readLei(r: Reading): string {
  const lei = r.text(/^[0-9A-Z]{20}$/, '20 capital letters or digits (ISO 17442)');
  if (lei !== '' && !isLei(lei)) r.fail('has wrong check digits', 'check digits by ISO 17442');
  return lei;
}
function readBic(r: Reading): string {
  if (typeof r.value === 'string' && isBic(r.value)) return r.value;
  r.fail('is no BIC', '8 or 11 capital letters or digits (ISO 9362)');
  return '';
}
function readSealingKey(r: Reading): string {
  const pem = r.text(
    /^-----BEGIN PUBLIC KEY-----\n[A-Za-z0-9+/=\n]+\n-----END PUBLIC KEY-----\n?$/,
    'an RSA public key as PEM (SPKI)',
  );
  if (pem.length > MAX_SEALING_KEY_CHARACTERS)
    r.fail('is too long', `at most ${MAX_SEALING_KEY_CHARACTERS} characters`);
  return pem;
}

/** Which fields go with which role. */
function checkRole(r: Reading, participant: Participant): void {
  const { role } = participant;
  const only = (field: 'supervises' | 'sealingKey' | 'attestationKey', owner: ParticipantRole, what: string): void => {
    if (role === owner && !r.has(field)) r.at(field).fail('is missing', what);
    if (role !== owner && r.has(field)) r.at(field).fail(`does not go with role ${role}`, `only with role ${owner}`);
  };
  only('supervises', 'auditor', 'the banks that the auditor supervises');
  only('sealingKey', 'connector', 'the RSA public key that instructions are sealed to');
  only('attestationKey', 'observer', 'the Ed25519 public key that the observer attests with');
  if (role === 'bank' && !r.has('lei')) r.at('lei').fail('is missing', 'the LEI of the bank');
  if (role === 'bank' && r.has('lei') && r.has('id') && participant.id !== participant.lei) {
    r.at('id').fail('differs from the LEI', 'the LEI as the id of a bank');
  }
  if (role !== 'observer' && Array.isArray(r.at('certificates').value) && participant.certificates.length === 0) {
    r.at('certificates').fail('is empty', 'the SHA-256 of at least one client certificate');
  }
}

/** Each rule has fields of its own; of an unknown rule nothing else is read. */
export function readFinality(r: Reading): Finality {
  const rules = ['observers', ...CONSENSUS_RULES, 'corda-notary'] as const;
  const { value } = r.at('rule');
  if (value === 'corda-notary') return readCordaFinality(r);
  if (value === 'observers') return readObserversFinality(r);
  if (CONSENSUS_RULES.some((rule) => rule === value)) return readConsensusFinality(r);
  if (!r.has('rule')) r.object(['rule']);
  else r.at('rule').oneOf(rules, 'observers');
  return NO_FINALITY;
}

const BLOCK = [0, 2 ** 52] as const;

function readConsensusFinality(r: Reading): ConsensusFinality {
  r.object(
    ['rule', 'checkpoint', 'epochLength', 'headerFields', 'trustingPeriodS', 'maxGapBlocks'],
    r.at('rule').value === 'clique' ? ['periodS'] : [],
  );
  const finality: ConsensusFinality = {
    rule: r.at('rule').oneOf(CONSENSUS_RULES, 'qbft'),
    checkpoint: r.field('checkpoint', readCheckpoint, NO_CHECKPOINT),
    epochLength: r.field('epochLength', (length) => length.whole(1, MAX_EPOCH_LENGTH), 1),
    headerFields: r.field('headerFields', (list) => list.list(readHeaderFields, { min: 1, max: MAX_HEADER_FORKS }), []),
    trustingPeriodS: r.field('trustingPeriodS', (period) => period.whole(60, YEAR_S), 60),
    maxGapBlocks: r.field('maxGapBlocks', (blocks) => blocks.whole(1, MAX_GAP_BLOCKS), 1),
    ...(r.has('periodS') && { periodS: r.at('periodS').whole(0, 86_400) }),
  };
  if (finality.rule === 'clique' && finality.checkpoint.blockNumber % finality.epochLength !== 0) {
    r.at('checkpoint').at('blockNumber').fail('is no block that ends an epoch', 'a multiple of epochLength (clique)');
  }
  finality.headerFields.forEach(({ fromBlock }, i) => {
    const before = finality.headerFields[i - 1]?.fromBlock;
    if (before === undefined ? fromBlock !== 0 : fromBlock <= before) {
      r.at('headerFields').fail(
        'does not ascend from block 0',
        'the first from block 0, each later than the one before',
      );
    }
  });
  return finality;
}

function readHeaderFields(r: Reading): ConsensusFinality['headerFields'][number] {
  r.object(['fromBlock', 'count']);
  return {
    fromBlock: r.field('fromBlock', (block) => block.whole(...BLOCK), 0),
    count: r.field('count', (count) => count.whole(HEADER_FIELDS.min, HEADER_FIELDS.max), HEADER_FIELDS.min),
  };
}

/** Addresses are sorted: the set has one form, whatever order a client lists it in. */
function readCheckpoint(r: Reading): Checkpoint {
  r.object(['blockNumber', 'blockHash', 'timestampS', 'validators']);
  const validators = r.field('validators', (list) => list.list(readAddress, { min: 1, max: MAX_VALIDATORS }), []);
  if (new Set(validators).size !== validators.length) r.at('validators').fail('repeat one', 'each validator once');
  return {
    blockNumber: r.field('blockNumber', (block) => block.whole(...BLOCK), 0),
    blockHash: r.field('blockHash', readBytes32, ZERO_BYTES32),
    timestampS: r.field('timestampS', (time) => time.whole(...BLOCK), 0),
    validators: validators.toSorted(),
  };
}
const NO_CHECKPOINT: Checkpoint = { blockNumber: 0, blockHash: ZERO_BYTES32, timestampS: 0, validators: [] };

function readObserversFinality(r: Reading): ObserversFinality {
  r.object(['rule', 'observers', 'threshold', 'depthBlocks']);
  return {
    rule: 'observers',
    observers: r.field('observers', (list) => list.list(readParticipantId, { min: 1, max: MAX_SIGNERS }), []),
    threshold: r.field('threshold', (threshold) => threshold.whole(1, MAX_SIGNERS), 1),
    depthBlocks: r.field('depthBlocks', (depth) => depth.whole(1, 100_000), 1),
  };
}

/** Stand-in of a finality that was not readable. */
export const NO_FINALITY: ObserversFinality = { rule: 'observers', observers: [], threshold: 1, depthBlocks: 1 };

export function readNetwork(r: Reading): NetworkRegistration {
  const isCorda = r.at('kind').value === 'corda';
  r.object(['id', 'kind', ...(isCorda ? [] : ['chainId']), 'genesisHash', 'finality', 'connectors']);
  if (r.has('kind')) r.at('kind').oneOf(['evm', 'corda'], 'evm');
  const id = r.field('id', readNetworkId, '' as NetworkId);
  const chainId = r.field('chainId', (chain) => chain.whole(1, Number.MAX_SAFE_INTEGER), 1);
  const genesisHash = r.field('genesisHash', readBytes32, ZERO_BYTES32);
  const finality = r.field('finality', readFinality, NO_FINALITY);
  const readConnectors = (list: Reading) => list.list(readParticipantId, { min: 1, max: MAX_SIGNERS });
  const connectors = r.field('connectors', readConnectors, []);
  const isNotary = finality.rule === 'corda-notary';
  if (isCorda && isNotary) return { id, kind: 'corda', genesisHash, finality, connectors };
  if (!isNotary && !isCorda) return { id, kind: 'evm', chainId, genesisHash, finality, connectors };
  const rules = isCorda ? 'rule corda-notary' : `rule observers, ${CONSENSUS_RULES.join(', ')}`;
  if (r.has('finality')) r.at('finality').fail(`does not go with kind ${isCorda ? 'corda' : 'evm'}`, rules);
  return { id, kind: 'evm', chainId, genesisHash, finality: NO_FINALITY, connectors };
}

const VAULT_FIELDS = ['network', 'asset', 'mode', 'authority'] as const;

/** A vault that has a `vaultId` is one on Corda; whether its network is too, the registry tells. */
export function readVault(r: Reading): VaultRegistration {
  const isCorda = r.has('vaultId');
  if (isCorda) r.object([...VAULT_FIELDS, ...CORDA_VAULT_FIELDS], ['cash']);
  else r.object([...VAULT_FIELDS, 'address', 'fromBlock']);
  const network = r.field('network', readNetworkId, '' as NetworkId);
  const asset = r.field('asset', readAssetCode, '' as AssetCode);
  const mode = r.field<VaultMode>('mode', (choice) => choice.oneOf(['escrow', 'issue'], 'escrow'), 'escrow');
  const authority = r.field('authority', readAddress, '0x' as EvmAddress);
  if (isCorda) return { network, asset, mode, authority, ...readCordaVaultPart(r, mode) };
  return {
    network,
    asset,
    mode,
    address: r.field('address', readAddress, '0x' as EvmAddress),
    authority,
    fromBlock: r.field('fromBlock', (block) => block.whole(0, Number.MAX_SAFE_INTEGER), 0),
  };
}

export function readExposureCap(r: Reading): ExposureCap {
  r.object(['network', 'asset', 'amountMinor']);
  return {
    network: r.field('network', readNetworkId, '' as NetworkId),
    asset: r.field('asset', readAssetCode, '' as AssetCode),
    amountMinor: r.field('amountMinor', readCapMinor, 0n),
  };
}

export function readBootstrap(r: Reading): BootstrapKeys {
  r.object(['keys', 'threshold']);
  return {
    keys: r.field('keys', (keys) => keys.list(readEd25519Key, { min: 1, max: MAX_SIGNERS }), []),
    threshold: r.field('threshold', (threshold) => threshold.whole(1, MAX_SIGNERS), 1),
  };
}
