/** States and commands of the vault's CorDapp as facts. Form only: whether they belong together is `corda-vault-transaction.ts`'s. */
import { MAX_AMOUNT_MINOR } from '@drawbridge/protocol/amount';
import { type Bytes32, fromHex, type Hex, toBytes32, toHex } from '@drawbridge/protocol/bytes32';
import { type CordaVaultClass, cordaClassName } from '@drawbridge/protocol/corda-vault-classes';
import type { EvmAddress } from '@drawbridge/protocol/ids';
import { type Instruction, kindOf, MAX_TRAIL_BYTES } from '@drawbridge/protocol/instruction';
import { AmqpFault } from './corda-amqp.ts';
import { CordaFields, type CordaParty, partyOf } from './corda-facts.ts';
import type { CordaObject } from './corda-objects.ts';

export type CordaVaultControl = Readonly<{
  authority: EvmAddress;
  /** 1 to 2³² − 1. */
  epoch: number;
  guardianNonce: bigint;
  /** Of the instruction that made the state; zero where guardians did, and at first. */
  lastInstruction: Bytes32;
  pausedByAuthority: boolean;
  pausedByGuardian: boolean;
  /** Unix seconds; 0 without a proposal. */
  proposalNotBefore: bigint;
  proposedAuthority?: EvmAddress;
}>;

/** `mode`: 1 escrow, 2 issue. Bytes as they stand in the state; the contract knows their forms. */
export type CordaVaultTerms = Readonly<{
  asset: Bytes32;
  capWindowSeconds: bigint;
  cashConstraint: Hex;
  currency: string;
  genesisHash: Bytes32;
  guardianDelaySeconds: bigint;
  guardianThreshold: number;
  guardians: Hex;
  issuerKey: Hex;
  issuerReference: Hex;
  mode: number;
  networkIdHash: Bytes32;
  permitCap: bigint;
  permits: number;
  serviceId: Bytes32;
}>;

/** Of every state that the vault party keeps. */
type OfVault = Readonly<{ vaultId: Bytes32; vaultParty: CordaParty }>;
export type CordaVaultState = OfVault & Readonly<{ control: CordaVaultControl; terms: CordaVaultTerms }>;
/** `current`, `previous`, `oldest`: minor units that passed in the half window `bucket` and in the two before it. */
export type CordaPermitState = OfVault &
  Readonly<{
    bucket: bigint;
    current: bigint;
    index: number;
    lastInstruction: Bytes32;
    oldest: bigint;
    previous: bigint;
  }>;
export type CordaCoinState = OfVault & Readonly<{ amountMinor: bigint }>;
export type CordaLockState = OfVault &
  Readonly<{
    amountMinor: bigint;
    currency: string;
    depositor: CordaParty;
    issuerKey: Hex;
    issuerReference: Hex;
    lockId: Bytes32;
    reference: Bytes32;
  }>;
export type CordaTokenState = Readonly<{ amountMinor: bigint; currency: string; owner: CordaParty; vaultId: Bytes32 }>;

export const GUARD_ACTIONS = ['pause', 'unpause', 'propose', 'complete', 'cancel'] as const;
/** `signatures`: 65 bytes each, one after the other. */
export type CordaGuard = Readonly<{ signatures: Hex }> &
  (
    | Readonly<{ action: 'propose'; authority: EvmAddress }>
    | Readonly<{ action: 'pause' | 'unpause' | 'cancel' }>
    | Readonly<{ action: 'complete' }>
  );

const ADDRESS_BYTES = 20;
const MAX_EPOCH = 2n ** 32n - 1n;

const malformed = (message: string): never => {
  throw new AmqpFault(message);
};

/** Fields of a class of the CorDapp, by what they mean. */
class VaultFields {
  readonly #fields: CordaFields;

  constructor(object: CordaObject, name: CordaVaultClass) {
    this.#fields = new CordaFields(object, cordaClassName(name));
  }

  word(name: string): Bytes32 {
    const bytes = this.#fields.bytes(name);
    return bytes.length === 32 ? toBytes32(bytes) : malformed(`${name} does not have 32 bytes`);
  }
  addressOrNone(name: string): EvmAddress | undefined {
    const bytes = this.#fields.bytes(name);
    if (bytes.length === 0) return undefined;
    return bytes.length === ADDRESS_BYTES ? (toHex(bytes) as EvmAddress) : malformed(`${name} is no address`);
  }
  address(name: string): EvmAddress {
    return this.addressOrNone(name) ?? malformed(`${name} is empty`);
  }
  hex(name: string): Hex {
    return toHex(this.#fields.bytes(name));
  }
  natural(name: string): bigint {
    const value = this.#fields.long(name);
    return value >= 0n ? value : malformed(`${name} is below 0`);
  }
  /** Minor units, above 0. */
  amount(name: string): bigint {
    const value = this.natural(name);
    return value > 0n && value <= MAX_AMOUNT_MINOR ? value : malformed(`${name} is no amount`);
  }
  epoch(): number {
    const value = this.natural('epoch');
    return value <= MAX_EPOCH ? Number(value) : malformed('an epoch does not fit 32 bits');
  }
  seconds(name: string): number {
    const value = this.natural(name);
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : malformed(`${name} is out of range`);
  }
  int(name: string): number {
    return this.#fields.int(name);
  }
  flag(name: string): boolean {
    return this.#fields.flag(name);
  }
  text(name: string): string {
    return this.#fields.text(name);
  }
  party(name: string): CordaParty {
    return partyOf(this.#fields.object(name));
  }
  object(name: string): CordaObject {
    return this.#fields.object(name);
  }
  ofVault(): OfVault {
    return { vaultId: this.word('vaultId'), vaultParty: this.party('vaultParty') };
  }
}

function controlOf(object: CordaObject): CordaVaultControl {
  const fields = new VaultFields(object, 'VaultControl');
  const proposedAuthority = fields.addressOrNone('proposedAuthority');
  return {
    authority: fields.address('authority'),
    epoch: fields.epoch(),
    guardianNonce: fields.natural('guardianNonce'),
    lastInstruction: fields.word('lastInstruction'),
    pausedByAuthority: fields.flag('pausedByAuthority'),
    pausedByGuardian: fields.flag('pausedByGuardian'),
    proposalNotBefore: fields.natural('proposalNotBefore'),
    ...(proposedAuthority === undefined ? {} : { proposedAuthority }),
  };
}

function termsOf(object: CordaObject): CordaVaultTerms {
  const fields = new VaultFields(object, 'VaultTerms');
  return {
    asset: fields.word('asset'),
    capWindowSeconds: fields.natural('capWindowSeconds'),
    cashConstraint: fields.hex('cashConstraint'),
    currency: fields.text('currency'),
    genesisHash: fields.word('genesisHash'),
    guardianDelaySeconds: fields.natural('guardianDelaySeconds'),
    guardianThreshold: fields.int('guardianThreshold'),
    guardians: fields.hex('guardians'),
    issuerKey: fields.hex('issuerKey'),
    issuerReference: fields.hex('issuerReference'),
    mode: fields.int('mode'),
    networkIdHash: fields.word('networkIdHash'),
    permitCap: fields.natural('permitCap'),
    permits: fields.int('permits'),
    serviceId: fields.word('serviceId'),
  };
}

/** @throws AmqpFault for another class and for fields that no such state has; so do all readers here. */
export function vaultStateOf(object: CordaObject): CordaVaultState {
  const fields = new VaultFields(object, 'VaultState');
  return { ...fields.ofVault(), control: controlOf(fields.object('control')), terms: termsOf(fields.object('terms')) };
}

export function permitStateOf(object: CordaObject): CordaPermitState {
  const fields = new VaultFields(object, 'PermitState');
  return {
    ...fields.ofVault(),
    bucket: fields.natural('bucket'),
    current: fields.natural('current'),
    index: fields.int('index'),
    lastInstruction: fields.word('lastInstruction'),
    oldest: fields.natural('oldest'),
    previous: fields.natural('previous'),
  };
}

export function coinStateOf(object: CordaObject): CordaCoinState {
  const fields = new VaultFields(object, 'CoinState');
  return { ...fields.ofVault(), amountMinor: fields.amount('amount') };
}

export function lockStateOf(object: CordaObject): CordaLockState {
  const fields = new VaultFields(object, 'LockState');
  return {
    ...fields.ofVault(),
    amountMinor: fields.amount('amount'),
    currency: fields.text('currency'),
    depositor: fields.party('depositor'),
    issuerKey: fields.hex('issuerKey'),
    issuerReference: fields.hex('issuerReference'),
    lockId: fields.word('lockId'),
    reference: fields.word('reference'),
  };
}

export function tokenStateOf(object: CordaObject): CordaTokenState {
  const fields = new VaultFields(object, 'TokenState');
  return {
    amountMinor: fields.amount('amount'),
    currency: fields.text('currency'),
    owner: fields.party('owner'),
    vaultId: fields.word('vaultId'),
  };
}

/** Of the authority, over the instruction in a command: as many bytes as there are. */
export const signatureOf = (object: CordaObject): Uint8Array =>
  fromHex(new VaultFields(object, 'Instruct').hex('signature'));

/** The instruction in a command. Its signature the contract checked; the core knows what it signed, and needs it not. */
export function instructionOf(object: CordaObject): Instruction {
  const fields = new VaultFields(object, 'Instruct');
  const trail = fields.hex('trail');
  if (trail.length > 2 + 2 * MAX_TRAIL_BYTES) malformed('a trail is too long');
  return {
    id: fields.word('id'),
    kind: kindOf(fields.int('kind')) ?? malformed('the kind of an instruction is unknown'),
    subject: fields.word('subject'),
    asset: fields.word('asset'),
    amountMinor: fields.natural('amount'),
    beneficiary: fields.word('beneficiary'),
    inputs: fields.word('inputs'),
    notAfterSeconds: fields.seconds('notAfter'),
    epoch: fields.epoch(),
    trail,
  };
}

export function guardOf(object: CordaObject): CordaGuard {
  const fields = new VaultFields(object, 'Guard');
  const action = GUARD_ACTIONS[fields.int('action') - 1] ?? malformed('the action of guardians is unknown');
  const signatures = fields.hex('signatures');
  if (action === 'propose') return { action, authority: fields.address('authority'), signatures };
  if (fields.addressOrNone('authority') !== undefined) malformed('an authority goes with a proposal alone');
  return { action, signatures };
}
