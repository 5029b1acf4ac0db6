/** Corda's own objects as facts: references, parties, outputs, cash and time windows. Every fault is an `AmqpFault`. */
import { type Bytes32, type Hex, toBytes32, toHex } from '@drawbridge/protocol/bytes32';
import { AmqpFault } from './corda-amqp.ts';
import type { CordaObject, CordaValue } from './corda-objects.ts';
import { TYPE } from './corda-types.ts';

/** A name as its fields, which Corda compares one by one. */
export type CordaName = Readonly<{
  commonName?: string;
  organisationUnit?: string;
  organisation: string;
  locality: string;
  state?: string;
  country: string;
}>;

/** `name`: absent of an anonymous party. `key`: SubjectPublicKeyInfo. */
export type CordaParty = Readonly<{ name?: CordaName; key: Hex }>;

/** An output of an earlier transaction. */
export type CordaStateRef = Readonly<{ transactionId: Bytes32; index: number }>;

/** What governs an output: a jar signed by a key, or one jar. */
export type CordaConstraint =
  | Readonly<{ kind: 'signature'; key: Hex }>
  | Readonly<{ kind: 'hash'; attachment: Bytes32 }>;

export type CordaOutput = Readonly<{
  data: CordaObject;
  /** Name of the contract's class. */
  contract: string;
  constraint: CordaConstraint;
  notary: CordaParty;
  /** Index of the output without which this one cannot be spent. */
  encumbrance?: number;
}>;

export type CordaCash = Readonly<{
  /** In units of `displayTokenSize`; above 0. */
  quantity: bigint;
  /** A decimal as Java prints it: `0.01` for a currency of two digits. Says how to show the quantity; nothing is counted by it. */
  displayTokenSize: string;
  /** ISO 4217. */
  currency: string;
  issuer: CordaParty;
  /** What the issuer calls the deposit, in its own bytes. */
  issuerReference: Hex;
  owner: CordaParty;
}>;

/** `nanos`: 0 to 999,999,999. */
export type CordaInstant = Readonly<{ epochSeconds: number; nanos: number }>;

/** `from`: included; `until`: not. At least one of them. */
export type CordaTimeWindow = Readonly<{ from?: CordaInstant; until?: CordaInstant }>;

const wrong = (message: string): never => {
  throw new AmqpFault(message);
};

const CURRENCY = /^[A-Z]{3}$/;
const NANOS = 1_000_000_000;

/** The fields of an object by name, each of the kind that is asked for; readers of our own states use it too. */
export class CordaFields {
  readonly #object: CordaObject;

  constructor(object: CordaObject, type: string) {
    if (object.type !== type) wrong(`${object.type} is not ${type}`);
    this.#object = object;
  }

  #field(name: string): CordaValue {
    const value = this.#object.fields?.get(name);
    return value === undefined ? wrong(`${this.#object.type} has no ${name}`) : value;
  }

  object(name: string): CordaObject {
    const value = this.#field(name);
    return isObject(value) ? value : wrong(`${name} is not an object`);
  }
  text(name: string): string {
    const value = this.#field(name);
    return typeof value === 'string' ? value : wrong(`${name} is not text`);
  }
  textOrNone(name: string): string | undefined {
    return this.#field(name) === null ? undefined : this.text(name);
  }
  int(name: string): number {
    const value = this.#field(name);
    return typeof value === 'number' ? value : wrong(`${name} is not an int`);
  }
  intOrNone(name: string): number | undefined {
    return this.#field(name) === null ? undefined : this.int(name);
  }
  long(name: string): bigint {
    const value = this.#field(name);
    return typeof value === 'bigint' ? value : wrong(`${name} is not a long`);
  }
  flag(name: string): boolean {
    const value = this.#field(name);
    return typeof value === 'boolean' ? value : wrong(`${name} is not a boolean`);
  }
  bytes(name: string): Uint8Array {
    const value = this.#field(name);
    return value instanceof Uint8Array ? value : wrong(`${name} is not bytes`);
  }
}

const isObject = (value: CordaValue): value is CordaObject =>
  typeof value === 'object' && value !== null && !(value instanceof Uint8Array);

function contentText({ content, type }: CordaObject): string {
  return typeof content === 'string' ? content : wrong(`${type} is not text`);
}
function contentHex({ content, type }: CordaObject): Hex {
  return content instanceof Uint8Array ? toHex(content) : wrong(`${type} is not bytes`);
}

function sha256Of(object: CordaObject): Bytes32 {
  const bytes = new CordaFields(object, TYPE.sha256).bytes('bytes');
  return bytes.length === 32 ? toBytes32(bytes) : wrong('a hash does not have 32 bytes');
}

/** A key as it was written, of any scheme. */
export function keyOf(object: CordaObject): Hex {
  return object.type === TYPE.publicKey ? contentHex(object) : wrong(`${object.type} is not a key`);
}

export function stateRefOf(object: CordaObject): CordaStateRef {
  const fields = new CordaFields(object, TYPE.stateRef);
  const index = fields.int('index');
  if (index < 0) return wrong('an index is below 0');
  return { transactionId: sha256Of(fields.object('txhash')), index };
}

function nameOf(object: CordaObject): CordaName {
  const fields = new CordaFields(object, TYPE.x500Name);
  const commonName = fields.textOrNone('commonName');
  const organisationUnit = fields.textOrNone('organisationUnit');
  const state = fields.textOrNone('state');
  return {
    ...(commonName === undefined ? {} : { commonName }),
    ...(organisationUnit === undefined ? {} : { organisationUnit }),
    organisation: fields.text('organisation'),
    locality: fields.text('locality'),
    ...(state === undefined ? {} : { state }),
    country: fields.text('country'),
  };
}

/** Field by field, as Corda compares names. */
export const sameName = (a: CordaName, b: CordaName): boolean =>
  a.commonName === b.commonName &&
  a.organisationUnit === b.organisationUnit &&
  a.organisation === b.organisation &&
  a.locality === b.locality &&
  a.state === b.state &&
  a.country === b.country;

/** A party, anonymous or not. */
export function partyOf(object: CordaObject): CordaParty {
  if (object.type === TYPE.anonymousParty) {
    return { key: keyOf(new CordaFields(object, TYPE.anonymousParty).object('owningKey')) };
  }
  const fields = new CordaFields(object, TYPE.party);
  return { name: nameOf(fields.object('name')), key: keyOf(fields.object('owningKey')) };
}

export function sameConstraint(a: CordaConstraint, b: CordaConstraint): boolean {
  if (a.kind === 'hash') return b.kind === 'hash' && a.attachment === b.attachment;
  return b.kind === 'signature' && a.key === b.key;
}

function constraintOf(object: CordaObject): CordaConstraint {
  if (object.type === TYPE.hashConstraint) {
    const fields = new CordaFields(object, TYPE.hashConstraint);
    return { kind: 'hash', attachment: sha256Of(fields.object('attachmentId')) };
  }
  return { kind: 'signature', key: keyOf(new CordaFields(object, TYPE.signatureConstraint).object('key')) };
}

export function outputOf(object: CordaObject): CordaOutput {
  const fields = new CordaFields(object, TYPE.transactionState);
  const encumbrance = fields.intOrNone('encumbrance');
  if (encumbrance !== undefined && encumbrance < 0) return wrong('an encumbrance is below 0');
  return {
    data: fields.object('data'),
    contract: fields.text('contract'),
    constraint: constraintOf(fields.object('constraint')),
    notary: partyOf(fields.object('notary')),
    ...(encumbrance === undefined ? {} : { encumbrance }),
  };
}

/** What a `Cash` state says. `exitKeys` is computed by Corda from the rest, and left. */
export function cashOf(object: CordaObject): CordaCash {
  const fields = new CordaFields(object, TYPE.cash);
  const amount = fieldsOf(fields.object('amount'));
  const token = fieldsOf(amount.object('token'));
  const issuer = fieldsOf(token.object('issuer'));
  const quantity = amount.long('quantity');
  if (quantity <= 0n) return wrong('an amount is not above 0');
  const currency = contentText(token.object('product'));
  if (!CURRENCY.test(currency)) return wrong('a currency is not three letters');
  return {
    quantity,
    displayTokenSize: contentText(amount.object('displayTokenSize')),
    currency,
    issuer: partyOf(issuer.object('party')),
    issuerReference: toHex(fieldsOf(issuer.object('reference')).bytes('bytes')),
    owner: partyOf(fields.object('owner')),
  };
}

/** Of an object whose type its place has decided. */
const fieldsOf = (object: CordaObject): CordaFields => new CordaFields(object, object.type);

function instantOf(object: CordaObject): CordaInstant {
  const fields = new CordaFields(object, TYPE.instant);
  const epochSeconds = Number(fields.long('epochSeconds'));
  const nanos = fields.int('nanos');
  if (!Number.isSafeInteger(epochSeconds)) return wrong('a time is out of range');
  if (nanos < 0 || nanos >= NANOS) return wrong('a time has more than a second of nanoseconds');
  return { epochSeconds, nanos };
}

export function timeWindowOf(object: CordaObject): CordaTimeWindow {
  const fields = fieldsOf(object);
  if (object.type === TYPE.windowFrom) return { from: instantOf(fields.object('fromTime')) };
  if (object.type === TYPE.windowUntil) return { until: instantOf(fields.object('untilTime')) };
  const between = new CordaFields(object, TYPE.windowBetween);
  const from = instantOf(between.object('fromTime'));
  const until = instantOf(between.object('untilTime'));
  if (!isBefore(from, until)) return wrong('a time window ends before it begins');
  return { from, until };
}

const isBefore = (a: CordaInstant, b: CordaInstant): boolean =>
  a.epochSeconds < b.epochSeconds || (a.epochSeconds === b.epochSeconds && a.nanos < b.nanos);

/** Keys that must sign for one command. */
export function signersOf(object: CordaObject): readonly Hex[] {
  if (object.type !== TYPE.signers || object.elements === undefined) return wrong(`${object.type} is no list of keys`);
  return object.elements.map((element) => (isObject(element) ? keyOf(element) : wrong('a signer is no key')));
}
