/** Forgeries inside components: truly hashed and truly signed, so that only decoding can refuse them. */
import type { CordaEvidence } from '@drawbridge/protocol/corda-evidence';
import { describe, expect, test } from '@jest/globals';
import type { AmqpValue } from './corda-amqp.ts';
import { GROUP } from './corda-components.ts';
import type { CordaConstraint } from './corda-facts.ts';
import { type CordaFacts, verifyCordaEvidence } from './corda-notary.ts';
import type { CordaRefusalCode } from './corda-refusal.ts';
import { TYPE } from './corda-types.ts';
import { writeComponent } from './testing/corda-amqp-writer.ts';
import { cordaVerifier } from './testing/corda-keys.ts';
import {
  appended,
  type Components,
  edited,
  envelopeOf,
  NOTARY,
  payment,
  REGISTRATION,
  ROOT,
  renaming,
  replaced,
  STRANGER,
  withComponent,
  withEditedOutput,
  withOutput,
} from './testing/corda-payment.ts';
import { CASH_CONSTRAINT, CASH_CONTRACT, MOVE, recording, registrationOf, rootOf } from './testing/corda-recordings.ts';
import { componentsOf } from './testing/corda-transactions.ts';

function verdict(evidence: CordaEvidence, root = ROOT): string {
  const result = verifyCordaEvidence(evidence, root, cordaVerifier);
  return result.ok ? 'ok' : result.code;
}
type Forgery = readonly [what: string, code: CordaRefusalCode, evidence: () => CordaEvidence];
const editing = (group: number, change: (part: AmqpValue) => AmqpValue): CordaEvidence =>
  payment({ components: (all) => withComponent(all, [group, 0], (component) => edited(component, change)) });
const setting = (change: (all: Components) => void): CordaEvidence => payment({ components: change });

/** The one descriptor of a named type in recorded bytes. */
const DESCRIPTOR = {
  transactionState: 'net.corda:Q0zUGN/K6wwwyuIlNf3Raw==',
  cash: 'net.corda:udoVgFwGPk4yz92ARhhcqQ==',
  signatureConstraint: 'net.corda:7+0tthRN8Kt+TbUDbff87A==',
  alwaysAccept: 'net.corda:xhCu8R/gATRzfeNH0WUqMA==',
  amount: 'net.corda:OFivFVDf5l0ZRnDfV3w++A==',
} as const;

/** The fields of the described value with this descriptor, changed. */
const fieldsOf =
  (descriptor: string, change: (items: readonly AmqpValue[]) => readonly AmqpValue[]) =>
  (part: AmqpValue): AmqpValue => {
    if (part.kind !== 'described' || part.descriptor.kind !== 'symbol' || part.descriptor.value !== descriptor)
      return part;
    if (part.value.kind !== 'list') return part;
    return { ...part, value: { kind: 'list', items: change(part.value.items) } };
  };
const field = (descriptor: string, at: number, value: AmqpValue) =>
  fieldsOf(descriptor, (items) => items.map((item, i) => (i === at ? value : item)));
const int = (value: number): AmqpValue => ({ kind: 'int', value });
const long = (value: bigint): AmqpValue => ({ kind: 'long', value });
const nothing: AmqpValue = { kind: 'null' };

test('what is taken apart and put together again is still a payment', () => {
  expect(verdict(withEditedOutput((part) => part))).toBe('ok');
  expect(verdict(withEditedOutput(field(DESCRIPTOR.transactionState, 3, int(1))))).toBe('ok');
});

const NOTARIES: readonly Forgery[] = [
  [
    'another notary is named',
    'NOTARY_MISMATCH',
    () =>
      setting((all) => withComponent(all, [GROUP.notary, 0], (bytes) => replaced(bytes, NOTARY.spki, STRANGER.spki))),
  ],
  ['a notary of another organisation', 'NOTARY_MISMATCH', () => editing(GROUP.notary, renaming('Notary', 'Notarx'))],
  ['a notary of another place', 'NOTARY_MISMATCH', () => editing(GROUP.notary, renaming('London', 'Paris'))],
  ['a notary of another country', 'NOTARY_MISMATCH', () => editing(GROUP.notary, renaming('GB', 'FR'))],
  ...[0, 4, 5].map(
    (at): Forgery => [
      `a notary with one more part of its name (${at})`,
      'NOTARY_MISMATCH',
      () => editing(GROUP.notary, field('net.corda:ngdwbt6kRT0l5nn16uf87A==', at, { kind: 'string', value: 'x' })),
    ],
  ),
  [
    'two notaries',
    'NOTARY_MISMATCH',
    () => setting((all) => all.set(GROUP.notary, [...(all.get(4) ?? []), ...(all.get(4) ?? [])])),
  ],
  ['no notary', 'NOTARY_MISMATCH', () => setting((all) => all.delete(GROUP.notary))],
  [
    'a hash where the notary should be',
    'NOTARY_MISMATCH',
    () => setting((all) => all.set(GROUP.notary, all.get(3) ?? [])),
  ],
];

const STATE_REF = 'net.corda:JddPXlP6d/8aSE9L9gmcuA==';
const SHA256 = 'net.corda:7YZSUU3tC6YvtX33Klo9Jg==';
const INPUTS: readonly Forgery[] = [
  [
    'one state consumed twice',
    'INPUTS_INVALID',
    () => setting((all) => all.set(0, [...(all.get(0) ?? []), ...(all.get(0) ?? [])])),
  ],
  [
    'one state referred to twice',
    'INPUTS_INVALID',
    () => setting((all) => all.set(7, [...(all.get(0) ?? []), ...(all.get(0) ?? [])])),
  ],
  ['a state below 0', 'INPUTS_INVALID', () => editing(GROUP.inputs, field(STATE_REF, 0, int(-1)))],
  [
    'a hash of 31 bytes',
    'INPUTS_INVALID',
    () => editing(GROUP.inputs, field(SHA256, 0, { kind: 'binary', value: new Uint8Array(31) })),
  ],
  ['an output as an input', 'INPUTS_INVALID', () => setting((all) => all.set(0, all.get(1) ?? []))],
];

const OUTPUTS: readonly Forgery[] = [
  ['bytes after the component', 'OUTPUT_INVALID', () => withOutput((bytes) => appended(bytes, 0))],
  ['another version of the serialiser', 'OUTPUT_INVALID', () => withOutput((bytes) => bytes.with(5, 2))],
  ['a compressed section', 'OUTPUT_INVALID', () => withOutput((bytes) => bytes.with(7, 2))],
  ['no envelope', 'OUTPUT_INVALID', () => withOutput((bytes) => bytes.with(17, 2))],
  ['an envelope of another maker', 'OUTPUT_INVALID', () => withOutput((bytes) => bytes.with(10, 0xc6))],
  [
    'an envelope without its list',
    'OUTPUT_INVALID',
    () => withOutput((bytes) => writeComponent({ ...envelopeOf(bytes), value: int(1) } as AmqpValue)),
  ],
  [
    'an envelope without transforms',
    'OUTPUT_INVALID',
    () => withOutput((bytes) => withParts(bytes, (parts) => parts.slice(0, 2))),
  ],
  [
    'an envelope with a part more',
    'OUTPUT_INVALID',
    () => withOutput((bytes) => withParts(bytes, (parts) => [...parts, nothing])),
  ],
  [
    'nothing as an output',
    'OUTPUT_INVALID',
    () => withOutput((bytes) => withParts(bytes, (parts) => [nothing, ...parts.slice(1)])),
  ],
  ['a state as an output', 'OUTPUT_INVALID', () => setting((all) => all.set(1, all.get(0) ?? []))],
  [
    'a descriptor that is not pinned',
    'OUTPUT_INVALID',
    () => withEditedOutput(renaming(DESCRIPTOR.cash, 'net.corda:Xxxx')),
  ],
  ['a type where it may not stand', 'OUTPUT_INVALID', () => withEditedOutput(moved)],
  [
    'a field too few',
    'OUTPUT_INVALID',
    () => withEditedOutput(fieldsOf(DESCRIPTOR.amount, (items) => items.slice(0, 2))),
  ],
  [
    'a field too many',
    'OUTPUT_INVALID',
    () => withEditedOutput(fieldsOf(DESCRIPTOR.amount, (items) => [...items, nothing])),
  ],
  ['nothing for an amount', 'OUTPUT_INVALID', () => withEditedOutput(field(DESCRIPTOR.amount, 1, nothing))],
  ['an int for an amount', 'OUTPUT_INVALID', () => withEditedOutput(field(DESCRIPTOR.amount, 1, int(5)))],
  [
    'a reference to what is not read yet',
    'OUTPUT_INVALID',
    () => withEditedOutput(field(DESCRIPTOR.amount, 0, reference(99))),
  ],
  [
    'a reference to an object of another type',
    'OUTPUT_INVALID',
    () => withEditedOutput(field(DESCRIPTOR.amount, 0, reference(0))),
  ],
  ['an encumbrance below 0', 'OUTPUT_INVALID', () => withEditedOutput(field(DESCRIPTOR.transactionState, 3, int(-1)))],
  ['any jar would do', 'OUTPUT_INVALID', () => withEditedOutput(field(DESCRIPTOR.transactionState, 0, alwaysAccept))],
  [
    'a contract that is not registered',
    'CONTRACT_UNKNOWN',
    () => withEditedOutput(renaming(CASH_CONTRACT, 'evil.Cash')),
  ],
  [
    'a look-alike: the contract of another jar',
    'CONSTRAINT_MISMATCH',
    () => withEditedOutput(field(DESCRIPTOR.signatureConstraint, 0, keyOf(STRANGER.spki))),
  ],
  [
    'an output under another notary',
    'OUTPUT_NOTARY_MISMATCH',
    () => withOutput((bytes) => replaced(bytes, NOTARY.spki, STRANGER.spki)),
  ],
  [
    'an output encumbered by itself',
    'ENCUMBRANCE_INVALID',
    () => withEditedOutput(field(DESCRIPTOR.transactionState, 3, int(0))),
  ],
  [
    'an output encumbered by none',
    'ENCUMBRANCE_INVALID',
    () => withEditedOutput(field(DESCRIPTOR.transactionState, 3, int(2))),
  ],
];

function withParts(bytes: Uint8Array, change: (parts: readonly AmqpValue[]) => readonly AmqpValue[]): Uint8Array {
  const envelope = envelopeOf(bytes);
  if (envelope.kind !== 'described' || envelope.value.kind !== 'list') throw new Error('there is no envelope');
  return writeComponent({ ...envelope, value: { kind: 'list', items: change(envelope.value.items) } });
}
const reference = (index: number): AmqpValue => ({
  kind: 'described',
  descriptor: { kind: 'ulong', value: 0xc562_0000_0000_0008n },
  value: { kind: 'uint', value: index },
});
const keyOf = (spki: Uint8Array): AmqpValue => ({
  kind: 'described',
  descriptor: { kind: 'symbol', value: 'net.corda:java.security.PublicKey' },
  value: { kind: 'binary', value: spki },
});
const alwaysAccept: AmqpValue = {
  kind: 'described',
  descriptor: { kind: 'symbol', value: DESCRIPTOR.alwaysAccept },
  value: { kind: 'boolean', value: false },
};
/** The constraint in the place of the state's amount. */
const moved = (part: AmqpValue): AmqpValue =>
  field(DESCRIPTOR.cash, 0, {
    kind: 'described',
    descriptor: { kind: 'symbol', value: DESCRIPTOR.signatureConstraint },
    value: { kind: 'list', items: [keyOf(NOTARY.spki)] },
  })(part);

const WINDOW = (name: string): readonly Uint8Array[] => componentsOf(recording(name)).get(GROUP.timeWindow) ?? [];
const BETWEEN = 'net.corda:UE7ArWOO49bIdYllmxJMeA==';
const INSTANT = 'net.corda:java.time.Instant';
const between = (change: (part: AmqpValue) => AmqpValue): CordaEvidence =>
  setting((all) =>
    all.set(
      GROUP.timeWindow,
      WINDOW('corda-classes/r1-platform-140').map((bytes) => edited(bytes, change)),
    ),
  );
const OTHERS: readonly Forgery[] = [
  [
    'a command that is not registered',
    'COMMAND_INVALID',
    () => setting((all) => all.set(GROUP.commands, all.get(0) ?? [])),
  ],
  ['fewer lists of signers than commands', 'COMMAND_INVALID', () => setting((all) => all.delete(GROUP.signers))],
  [
    'more lists of signers',
    'COMMAND_INVALID',
    () => setting((all) => all.set(6, [...(all.get(6) ?? []), ...(all.get(6) ?? [])])),
  ],
  [
    'signers that are no list',
    'COMMAND_INVALID',
    () => setting((all) => all.set(GROUP.signers, all.get(GROUP.notary) ?? [])),
  ],
  [
    'two time windows',
    'TIME_WINDOW_INVALID',
    () => setting((all) => all.set(5, [...WINDOW('corda-classes/k1-batch'), ...WINDOW('corda-classes/k1-batch')])),
  ],
  [
    'a state for a time window',
    'TIME_WINDOW_INVALID',
    () => setting((all) => all.set(GROUP.timeWindow, all.get(0) ?? [])),
  ],
  [
    'a window that ends first',
    'TIME_WINDOW_INVALID',
    () => between(fieldsOf(BETWEEN, (items) => [...items].reverse())),
  ],
  [
    'a window that ends as it begins',
    'TIME_WINDOW_INVALID',
    () => between(fieldsOf(INSTANT, () => [long(5n), int(5)])),
  ],
  ['a second of nanoseconds', 'TIME_WINDOW_INVALID', () => between(field(INSTANT, 1, int(1_000_000_000)))],
  ['nanoseconds below 0', 'TIME_WINDOW_INVALID', () => between(field(INSTANT, 1, int(-1)))],
  ['a time that no clock shows', 'TIME_WINDOW_INVALID', () => between(field(INSTANT, 0, long(2n ** 60n)))],
];

describe('forgeries in components', () => {
  test.each([...NOTARIES, ...INPUTS, ...OUTPUTS, ...OTHERS])('%s: %s', (_, code, evidence) => {
    expect(verdict(evidence())).toBe(code);
  });
});

test('a state of another registered contract is refused', () => {
  const contracts = [
    { contract: CASH_CONTRACT, states: [TYPE.party], constraints: [CASH_CONSTRAINT] },
    { contract: 'other', states: [TYPE.cash], constraints: [CASH_CONSTRAINT] },
  ];
  expect(verdict(payment(), rootOf({ ...REGISTRATION, contracts }))).toBe('STATE_MISPLACED');
});

test('each kind of constraint is compared by its own content', () => {
  const attachment = '0x50bb2b8aec819566e42f784c80638ee55127207f4cc1de1977609fd4ec9c13ea' as never;
  const withConstraints = (...constraints: readonly CordaConstraint[]) =>
    rootOf({ ...REGISTRATION, contracts: [{ contract: CASH_CONTRACT, states: [TYPE.cash], constraints }] });
  const output = componentsOf(recording('corda-classes/r1-platform-140')).get(GROUP.outputs)?.[0] ?? new Uint8Array();
  const hashed = edited(output, (part) =>
    part.kind === 'binary' && part.value.length === 91 ? { kind: 'binary', value: NOTARY.spki } : part,
  );
  const evidence = setting((all) => all.set(GROUP.outputs, [hashed]));
  expect(verdict(evidence, withConstraints(CASH_CONSTRAINT, { kind: 'hash', attachment }))).toBe('ok');
  expect(verdict(evidence, withConstraints({ kind: 'hash', attachment: `0x${'11'.repeat(32)}` as never }))).toBe(
    'CONSTRAINT_MISMATCH',
  );
  expect(verdict(evidence, withConstraints({ kind: 'signature', key: attachment }))).toBe('CONSTRAINT_MISMATCH');
  expect(verdict(payment(), withConstraints({ kind: 'hash', attachment }))).toBe('CONSTRAINT_MISMATCH');
});

test('time windows of each kind, and one nanosecond', () => {
  const ends = (evidence: CordaEvidence): unknown =>
    (verifyCordaEvidence(evidence, ROOT, cordaVerifier) as CordaFacts).timeWindow;
  const instants: AmqpValue[] = [0, 1].map((nanos) => ({
    kind: 'described',
    descriptor: { kind: 'symbol', value: INSTANT },
    value: { kind: 'list', items: [long(5n), int(nanos)] },
  }));
  expect(ends(between(fieldsOf(BETWEEN, () => instants)))).toEqual({
    from: { epochSeconds: 5, nanos: 0 },
    until: { epochSeconds: 5, nanos: 1 },
  });
  expect(ends(setting((all) => all.set(5, WINDOW('corda-classes/k1-batch'))))).toHaveProperty('until.epochSeconds');
  expect(ends(setting((all) => all.set(5, WINDOW('corda-classes/ed25519-platform-1000'))))).toHaveProperty(
    'from.epochSeconds',
  );
});

test('an issue has a command of its own, and references are read', () => {
  const issued = componentsOf(recording('corda/issue')).get(GROUP.commands) ?? [];
  const evidence = setting((all) => all.set(GROUP.commands, issued).set(GROUP.references, all.get(GROUP.inputs) ?? []));
  const facts = verifyCordaEvidence(evidence, ROOT, cordaVerifier) as CordaFacts;
  expect(facts.commands.map(({ data }) => data.type)).toEqual([MOVE.replace('Move', 'Issue')]);
  expect(facts.references).toEqual(facts.inputs);
  const only = rootOf({
    ...registrationOf({ notary: REGISTRATION.notary.key, party: REGISTRATION.vaultParty.key }),
    commands: [MOVE],
  });
  expect(verdict(evidence, only)).toBe('COMMAND_INVALID');
});
