/**
 * Types of Corda by their pinned descriptors. A descriptor `net.corda:<fingerprint>` is a digest of the class as Corda's
 * serialiser sees it: name, properties with their types, interfaces. Who pins it pins what the bytes mean, in the
 * order of the properties' names. The fingerprints here are those of Corda 4.10 (recorded, and computed by its classes).
 *
 * Custom serialisers have descriptors that are names (`net.corda:java.security.PublicKey`), which every node registers at its
 * start and which stand in no schema.
 */

export type CordaPrimitive = 'int' | 'long' | 'string' | 'boolean' | 'binary' | 'uuid';

/** A primitive, or the names of the types of which the value has one. */
export type CordaKind = CordaPrimitive | readonly string[];

export type CordaField = Readonly<{ name: string; kind: CordaKind; nullable?: true }>;

/**
 * `composite`: a list of its fields. `proxy`: the same by a custom serialiser. `list`: elements of one kind. `text`, `bytes`:
 * a custom serialiser's string or binary. `singleton`: a Kotlin object, which has no content.
 */
export type CordaType = Readonly<{ name: string; descriptor: string }> &
  (
    | Readonly<{ form: 'composite' | 'proxy'; fields: readonly CordaField[] }>
    | Readonly<{ form: 'list'; elements: CordaKind }>
    | Readonly<{ form: 'text' | 'bytes' | 'singleton' }>
  );

/** By descriptor and by name. */
export type CordaTypes = Readonly<{
  byDescriptor: ReadonlyMap<string, CordaType>;
  byName: ReadonlyMap<string, CordaType>;
}>;

/** Why types cannot be pinned together, in words; `undefined` when they can. */
export function cordaTypesFault(types: readonly CordaType[]): string | undefined {
  if (new Set(types.map(({ descriptor }) => descriptor)).size !== types.length) return 'two types have one descriptor';
  if (new Set(types.map(({ name }) => name)).size !== types.length) return 'a type is pinned twice';
  if (types.some(({ name }) => /\s/.test(name))) return 'the name of a type has a space';
  return undefined;
}

export const cordaTypes = (types: readonly CordaType[]): CordaTypes => ({
  byDescriptor: new Map(types.map((type) => [type.descriptor, type])),
  byName: new Map(types.map((type) => [type.name, type])),
});

/** Names of the types that are read out of transactions. */
export const TYPE = {
  transactionState: 'net.corda.core.contracts.TransactionState',
  stateRef: 'net.corda.core.contracts.StateRef',
  sha256: 'net.corda.core.crypto.SecureHash$SHA256',
  party: 'net.corda.core.identity.Party',
  anonymousParty: 'net.corda.core.identity.AnonymousParty',
  x500Name: 'net.corda.core.identity.CordaX500Name',
  publicKey: 'java.security.PublicKey',
  signatureConstraint: 'net.corda.core.contracts.SignatureAttachmentConstraint',
  hashConstraint: 'net.corda.core.contracts.HashAttachmentConstraint',
  cash: 'net.corda.finance.contracts.asset.Cash$State',
  windowFrom: 'net.corda.core.contracts.TimeWindow$From',
  windowUntil: 'net.corda.core.contracts.TimeWindow$Until',
  windowBetween: 'net.corda.core.contracts.TimeWindow$Between',
  instant: 'java.time.Instant',
  signers: 'java.util.List<java.lang.Object>',
} as const;

const AMOUNT = 'net.corda.core.contracts.Amount<net.corda.core.contracts.Issued<java.util.Currency>>';
const ISSUED = 'net.corda.core.contracts.Issued<java.util.Currency>';
const PARTY_AND_REFERENCE = 'net.corda.core.contracts.PartyAndReference';
const OPAQUE_BYTES = 'net.corda.core.utilities.OpaqueBytes';
const BIG_DECIMAL = 'java.math.BigDecimal';
const CURRENCY = 'java.util.Currency';
const KEYS = 'java.util.Collection<java.security.PublicKey>';
const CLASS = 'java.lang.Class';

const fieldOf = (name: string, ...names: readonly string[]): CordaField => ({ name, kind: names });
const text = (name: string): CordaField => ({ name, kind: 'string' });
const nullableText = (name: string): CordaField => ({ name, kind: 'string', nullable: true });
const composite = (name: string, fingerprint: string, ...fields: readonly CordaField[]): CordaType => ({
  form: 'composite',
  name,
  descriptor: `net.corda:${fingerprint}`,
  fields,
});
const custom = (form: 'text' | 'bytes', name: string): CordaType => ({ form, name, descriptor: `net.corda:${name}` });
const window = (name: string, fingerprint: string, ...ends: readonly string[]): CordaType =>
  composite(name, fingerprint, ...ends.map((end) => fieldOf(end, TYPE.instant)));
const ANY_PARTY = [TYPE.party, TYPE.anonymousParty] as const;

const CONTENT: readonly CordaType[] = [
  composite(TYPE.stateRef, 'JddPXlP6d/8aSE9L9gmcuA==', { name: 'index', kind: 'int' }, fieldOf('txhash', TYPE.sha256)),
  composite(TYPE.sha256, '7YZSUU3tC6YvtX33Klo9Jg==', { name: 'bytes', kind: 'binary' }),
  composite(
    TYPE.party,
    'H9KOi8agUusgKKi3MEB3xg==',
    fieldOf('name', TYPE.x500Name),
    fieldOf('owningKey', TYPE.publicKey),
  ),
  composite(TYPE.anonymousParty, 'hfsnSgMa/JBuhU1KVnjVWQ==', fieldOf('owningKey', TYPE.publicKey)),
  composite(
    TYPE.x500Name,
    'ngdwbt6kRT0l5nn16uf87A==',
    nullableText('commonName'),
    text('country'),
    text('locality'),
    text('organisation'),
    nullableText('organisationUnit'),
    nullableText('state'),
  ),
  custom('bytes', TYPE.publicKey),
  composite(TYPE.signatureConstraint, '7+0tthRN8Kt+TbUDbff87A==', fieldOf('key', TYPE.publicKey)),
  composite(TYPE.hashConstraint, 'gkIFVHHrbThahOFw4rPMEQ==', fieldOf('attachmentId', TYPE.sha256)),
];

const WINDOWS: readonly CordaType[] = [
  window(TYPE.windowFrom, 'Ikcst4SOylGDre+rPDLlOA==', 'fromTime'),
  window(TYPE.windowUntil, 'uyLuuQzOB5qLb0tbhUr5Vg==', 'untilTime'),
  window(TYPE.windowBetween, 'UE7ArWOO49bIdYllmxJMeA==', 'fromTime', 'untilTime'),
  {
    form: 'proxy',
    name: TYPE.instant,
    descriptor: 'net.corda:java.time.Instant',
    fields: [
      { name: 'epochSeconds', kind: 'long' },
      { name: 'nanos', kind: 'int' },
    ],
  },
];

/** `exitKeys` is computed by the class, which throws away what was written: it says nothing and is never used. */
const CASH: readonly CordaType[] = [
  composite(
    TYPE.cash,
    'udoVgFwGPk4yz92ARhhcqQ==',
    fieldOf('amount', AMOUNT),
    fieldOf('exitKeys', KEYS),
    fieldOf('owner', ...ANY_PARTY),
  ),
  composite(
    AMOUNT,
    'OFivFVDf5l0ZRnDfV3w++A==',
    fieldOf('displayTokenSize', BIG_DECIMAL),
    { name: 'quantity', kind: 'long' },
    fieldOf('token', ISSUED),
  ),
  composite(ISSUED, '0IIU0yR6dr1gS6cny+aoKA==', fieldOf('issuer', PARTY_AND_REFERENCE), fieldOf('product', CURRENCY)),
  composite(
    PARTY_AND_REFERENCE,
    'XJIFTMBcPhfZxasV8AHFWQ==',
    fieldOf('party', ...ANY_PARTY),
    fieldOf('reference', OPAQUE_BYTES),
  ),
  composite(OPAQUE_BYTES, 'pgT0Kc3t/bvnzmgu/nb4Cg==', { name: 'bytes', kind: 'binary' }),
  custom('text', BIG_DECIMAL),
  custom('text', CURRENCY),
  { form: 'list', name: KEYS, descriptor: 'net.corda:Ych7osRQJVK7ZbWhiFX0DQ==', elements: [TYPE.publicKey] },
];

const COMMANDS: readonly CordaType[] = [
  composite('net.corda.finance.contracts.asset.Cash$Commands$Move', 'waYsXSt7wETRu3/Ddmy+0g==', {
    name: 'contract',
    kind: [CLASS],
    nullable: true,
  }),
  composite('net.corda.finance.contracts.asset.Cash$Commands$Issue', '5o1ungsdz+z5o2hZLe0qsA=='),
  { form: 'proxy', name: CLASS, descriptor: 'net.corda:java.lang.Class', fields: [text('className')] },
  { form: 'list', name: TYPE.signers, descriptor: 'net.corda:1BLPJgNvsxdvPcbrIQd87g==', elements: [TYPE.publicKey] },
];

/** Of Corda 4.10 itself and of its finance contracts: everything but the states that an output may hold. */
export const CORDA_TYPES: readonly CordaType[] = [...CONTENT, ...WINDOWS, ...CASH, ...COMMANDS];

/** What an output is, where `states` are the names of the types that it may hold. */
export const transactionStateOf = (states: readonly string[]): CordaType =>
  composite(
    TYPE.transactionState,
    'Q0zUGN/K6wwwyuIlNf3Raw==',
    fieldOf('constraint', TYPE.signatureConstraint, TYPE.hashConstraint),
    text('contract'),
    fieldOf('data', ...states),
    { name: 'encumbrance', kind: 'int', nullable: true },
    fieldOf('notary', TYPE.party),
  );
