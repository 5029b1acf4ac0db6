/** Schemas that would make a node read something else than we do; and objects at the edges of what is read. */
import { describe, expect, test } from '@jest/globals';
import { AmqpFault, type AmqpValue } from './corda-amqp.ts';
import { type CordaObject, readComponent } from './corda-objects.ts';
import { CORDA_TYPES, type CordaType, cordaTypes, TYPE, transactionStateOf } from './corda-types.ts';
import { writeComponent } from './testing/corda-amqp-writer.ts';
import { edited, envelopeOf, renaming, soundComponents } from './testing/corda-payment.ts';

const TYPES = cordaTypes([...CORDA_TYPES, transactionStateOf([TYPE.cash])]);
const OUTPUT = soundComponents().get(1)?.[0] ?? new Uint8Array();
const read = (bytes: Uint8Array): CordaObject => readComponent(bytes, TYPES, [TYPE.transactionState]);

const SIGNATURE = '7+0tthRN8Kt+TbUDbff87A==';
/** Not pinned, and used by no data: only what is wrong in itself is refused. */
const OWNABLE = 'net.corda.core.contracts.OwnableState';
const ALWAYS = 'net.corda.core.contracts.AlwaysAcceptAttachmentConstraint';

/** Changes the list of types in a component's schema. */
function withNotations(change: (items: readonly AmqpValue[]) => readonly AmqpValue[], component = OUTPUT): Uint8Array {
  const envelope = envelopeOf(component);
  const [object, schema, transforms] = itemsOf(envelope);
  const [notations] = itemsOf(schema);
  const forged: AmqpValue = { kind: 'list', items: [{ kind: 'list', items: change(itemsOf(notations)) }] };
  return enveloped(object, { ...(schema as Described), value: forged }, transforms);
}
type Described = Extract<AmqpValue, { kind: 'described' }>;
const itemsOf = (value: AmqpValue | undefined): readonly AmqpValue[] => {
  const inner = value?.kind === 'described' ? value.value : value;
  return inner?.kind === 'list' ? inner.items : [];
};
const enveloped = (...items: readonly (AmqpValue | undefined)[]): Uint8Array =>
  writeComponent({ ...(envelopeOf(OUTPUT) as Described), value: { kind: 'list', items: items as AmqpValue[] } });

const nameOf = (notation: AmqpValue): string => {
  const [name] = itemsOf(notation);
  return name?.kind === 'string' ? name.value : '';
};
const find = (items: readonly AmqpValue[], name: string): AmqpValue =>
  items.find((item) => nameOf(item) === name) ?? { kind: 'null' };
const replaceItems = (value: AmqpValue, change: (items: readonly AmqpValue[]) => readonly AmqpValue[]): AmqpValue =>
  value.kind === 'described' ? { ...value, value: { kind: 'list', items: change(itemsOf(value)) } } : value;
/** The notation of a type, changed. */
const notation =
  (name: string, change: (items: readonly AmqpValue[]) => readonly AmqpValue[]) =>
  (items: readonly AmqpValue[]): readonly AmqpValue[] =>
    items.map((item) => (nameOf(item) === name ? replaceItems(item, change) : item));
const renamed =
  (name: string, to: string) =>
  (items: readonly AmqpValue[]): readonly AmqpValue[] =>
    notation(name, ([, ...rest]) => [{ kind: 'string', value: to }, ...rest])(items);
const string = (value: string): AmqpValue => ({ kind: 'string', value });
const nothing: AmqpValue = { kind: 'null' };

const other = (value: AmqpValue, descriptor: string): AmqpValue =>
  replaceItems(value, (parts) =>
    parts.with(
      3,
      replaceItems(parts[3] ?? nothing, () => [{ kind: 'symbol', value: descriptor }, nothing]),
    ),
  );
const reversed = (part: AmqpValue, at: number): AmqpValue =>
  at === 4 && part.kind === 'list' ? { ...part, items: [...part.items].reverse() } : part;
const grown = (part: AmqpValue): AmqpValue =>
  part.kind === 'list' ? { ...part, items: [...part.items, ...part.items.slice(0, 1)] } : part;
const shrunk = (part: AmqpValue, at: number): AmqpValue =>
  at === 4 && part.kind === 'list' ? { ...part, items: part.items.slice(0, -1) } : part;
const unnamed = (part: AmqpValue, at: number): AmqpValue =>
  at === 4 && part.kind === 'list' ? { ...part, items: [nothing, ...part.items.slice(1)] } : part;
const coded = (part: AmqpValue | undefined): AmqpValue =>
  replaceItems(part ?? nothing, ([symbol]) => [symbol ?? nothing, { kind: 'ulong', value: 1n }]);
const numbered = (part: AmqpValue, number: bigint): AmqpValue =>
  part.kind === 'described' ? { ...part, descriptor: { kind: 'ulong', value: (0xc562n << 48n) | number } } : part;
const asRestricted = (part: AmqpValue): AmqpValue =>
  numbered(
    replaceItems(
      part,
      ([name, label, provides, descriptor]) =>
        [name, label, provides, string('list'), descriptor, { kind: 'list', items: [] }] as AmqpValue[],
    ),
    6n,
  );
const asComposite = (part: AmqpValue): AmqpValue =>
  nameOf(part).startsWith('java.util.Collection')
    ? numbered(
        replaceItems(
          part,
          ([name, label, provides, , descriptor]) =>
            [name, label, provides, descriptor, { kind: 'list', items: [] }] as AmqpValue[],
        ),
        5n,
      )
    : part;

const keysAs =
  (value: AmqpValue) =>
  (part: AmqpValue): AmqpValue =>
    part.kind === 'described' &&
    part.descriptor.kind === 'symbol' &&
    part.descriptor.value === 'net.corda:Ych7osRQJVK7ZbWhiFX0DQ=='
      ? { ...part, value }
      : part;
const numberedData = (part: AmqpValue): AmqpValue =>
  part.kind === 'described' && part.descriptor.kind === 'symbol' && part.descriptor.value === `net.corda:${SIGNATURE}`
    ? numbered(part, 7n)
    : part;

test('the sound component is read, also when it is written otherwise', () => {
  expect(read(OUTPUT)).toEqual(read(withNotations((items) => items)));
  expect(read(withNotations((items) => [...items].reverse()))).toEqual(read(OUTPUT));
});

describe('schemas that lie', () => {
  test.each<[string, Uint8Array]>([
    ['a pinned descriptor for another class', withNotations(renamed(TYPE.signatureConstraint, ALWAYS))],
    [
      'a pinned class under another descriptor',
      withNotations(renamed('net.corda.core.identity.AbstractParty', TYPE.anonymousParty)),
    ],
    [
      'one descriptor that is not pinned twice',
      withNotations((items) => [...items, ...renamed(OWNABLE, 'a.State')([find(items, OWNABLE)])]),
    ],
    [
      'one descriptor twice',
      withNotations((items) => [...items, ...renamed(TYPE.cash, 'evil.State')([find(items, TYPE.cash)])]),
    ],
    ['one class twice', withNotations((items) => [...items, other(find(items, TYPE.cash), 'net.corda:other')])],
    [
      'one class twice, with a space in its name',
      withNotations((items) => [
        ...items,
        ...renamed(TYPE.cash, `${TYPE.cash} `)([other(find(items, TYPE.cash), 'net.corda:other')]),
      ]),
    ],
    [
      'a class that is not pinned twice',
      withNotations((items) => [...items, other(find(items, OWNABLE), 'net.corda:other')]),
    ],
    ['a name with letters that are not known', withNotations(renamed(OWNABLE, 'a\u00a0State'))],
    ['a name that is no text', withNotations(notation(TYPE.cash, ([, ...rest]) => [nothing, ...rest]))],
    ['fields in another order', withNotations(notation(TYPE.cash, (parts) => parts.map(reversed)))],
    [
      'a field more',
      withNotations(notation(TYPE.cash, (parts) => parts.map((part, at) => (at === 4 ? grown(part) : part)))),
    ],
    ['the last field missing', withNotations(notation(TYPE.cash, (parts) => parts.map(shrunk)))],
    ['a field without a name', withNotations(notation(TYPE.cash, (parts) => parts.map(unnamed)))],
    ['no fields', withNotations(notation(TYPE.cash, (parts) => parts.with(4, nothing)))],
    [
      'a class as a list',
      withNotations((items) => items.map((item) => (nameOf(item) === TYPE.cash ? asRestricted(item) : item))),
    ],
    ['a list as a class', withNotations((items) => items.map(asComposite))],
    ['a type with a part more', withNotations(notation(TYPE.cash, (parts) => [...parts, nothing]))],
    ['a type without a descriptor', withNotations(notation(TYPE.cash, (parts) => parts.with(3, nothing)))],
    ['a descriptor with a code', withNotations(notation(OWNABLE, (parts) => parts.with(3, coded(parts[3]))))],
    [
      'a descriptor that is no symbol',
      withNotations(
        notation(OWNABLE, (parts) =>
          parts.with(
            3,
            replaceItems(parts[3] ?? nothing, () => [string('x'), nothing]),
          ),
        ),
      ),
    ],
    [
      'a descriptor with a part more',
      withNotations(
        notation(TYPE.cash, (parts) =>
          parts.with(
            3,
            replaceItems(parts[3] ?? nothing, (all) => [...all, nothing]),
          ),
        ),
      ),
    ],
    ['something that is no type', withNotations((items) => [...items, nothing])],
    [
      'no notation of a type that is used',
      withNotations((items) => items.filter((item) => nameOf(item) !== TYPE.cash)),
    ],
    [
      'no notation of a list that is used',
      withNotations((items) => items.filter((item) => !nameOf(item).startsWith('java.util'))),
    ],
  ])('%s', (_, bytes) => {
    expect(() => read(bytes)).toThrow(AmqpFault);
  });

  test.each<[string, (parts: readonly AmqpValue[]) => readonly (AmqpValue | undefined)[]]>([
    ['no schema', ([object, , transforms]) => [object, nothing, transforms]],
    ['transforms for a schema', ([object, , transforms]) => [object, transforms, transforms]],
    [
      'a schema without a list',
      ([object, schema, transforms]) => [object, replaceItems(schema ?? nothing, () => [nothing]), transforms],
    ],
    [
      'a schema of two lists',
      ([object, schema, transforms]) => [
        object,
        replaceItems(schema ?? nothing, (all) => [...all, ...all]),
        transforms,
      ],
    ],
    [
      'a schema that is empty',
      ([object, schema, transforms]) => [object, replaceItems(schema ?? nothing, () => []), transforms],
    ],
    ['no transforms', ([object, schema]) => [object, schema, nothing]],
    [
      'a list of transforms',
      ([object, schema, transforms]) => [
        object,
        schema,
        { ...(transforms as Described), value: { kind: 'list', items: [] } },
      ],
    ],
    [
      'transforms of another kind',
      ([object, schema, transforms]) => [
        object,
        schema,
        { ...(transforms as Described), descriptor: { kind: 'ulong', value: 7n } },
      ],
    ],
    [
      'transforms by a symbol',
      ([object, schema, transforms]) => [
        object,
        schema,
        { ...(transforms as Described), descriptor: { kind: 'symbol', value: 'x' } },
      ],
    ],
    [
      'a transform',
      ([object, schema, transforms]) => [
        object,
        schema,
        { ...(transforms as Described), value: { kind: 'map', items: [string('a'), nothing] } },
      ],
    ],
  ])('%s', (_, change) => {
    expect(() => read(enveloped(...change(itemsOf(envelopeOf(OUTPUT)))))).toThrow(AmqpFault);
  });
});

/** Java would take the text for the symbol. */
const textData = (part: AmqpValue): AmqpValue =>
  part.kind === 'described' && part.descriptor.kind === 'symbol' && part.descriptor.value === `net.corda:${SIGNATURE}`
    ? { ...part, descriptor: string(part.descriptor.value) }
    : part;
const signedReference = (part: AmqpValue): AmqpValue =>
  part.kind === 'described' && part.value.kind === 'uint'
    ? { ...part, value: { kind: 'int', value: part.value.value } }
    : part;

describe('custom serialisers', () => {
  const descriptor = (name: string): string => `net.corda:${name}`;
  const swapped = (name: string, value: AmqpValue) => (part: AmqpValue) =>
    part.kind === 'described' && part.descriptor.kind === 'symbol' && part.descriptor.value === descriptor(name)
      ? { ...part, value }
      : part;

  test.each<[string, Uint8Array]>([
    ['a key that is text', edited(OUTPUT, swapped(TYPE.publicKey, string('key')))],
    [
      'a currency that is bytes',
      edited(OUTPUT, swapped('java.util.Currency', { kind: 'binary', value: new Uint8Array(3) })),
    ],
    ['keys that are no list', edited(OUTPUT, keysAs({ kind: 'null' }))],
    ['keys that are text', edited(OUTPUT, keysAs({ kind: 'list', items: [string('key')] }))],
    ['a descriptor that is a number', edited(OUTPUT, numberedData)],
    ['a descriptor that is text', edited(OUTPUT, textData)],
    ['a reference by a signed number', edited(OUTPUT, signedReference)],
  ])('%s', (_, bytes) => {
    expect(() => read(bytes)).toThrow(AmqpFault);
  });
});
describe('types of a CorDapp', () => {
  const ALL: CordaType = {
    form: 'composite',
    name: 'test.All',
    descriptor: 'net.corda:all',
    fields: [
      { name: 'flag', kind: 'boolean' },
      { name: 'id', kind: 'uuid' },
      { name: 'none', kind: 'string', nullable: true },
      { name: 'one', kind: ['test.One'] },
    ],
  };
  const ONE: CordaType = { form: 'singleton', name: 'test.One', descriptor: 'net.corda:one' };
  const types = cordaTypes([ALL, ONE]);
  const uuid: AmqpValue = { kind: 'uuid', value: new Uint8Array(16).fill(1) };
  const one: AmqpValue = {
    kind: 'described',
    descriptor: { kind: 'symbol', value: 'net.corda:one' },
    value: { kind: 'boolean', value: false },
  };
  const notationOf = (number: bigint, name: string, symbol: string, ...rest: readonly AmqpValue[]): AmqpValue => {
    const code: AmqpValue = numbered(
      {
        kind: 'described',
        descriptor: nothing,
        value: { kind: 'list', items: [{ kind: 'symbol', value: symbol }, nothing] },
      },
      3n,
    );
    const parts =
      number === 5n ? [nothing, nothing, code, ...rest] : [nothing, nothing, string('boolean'), code, ...rest];
    return numbered(
      { kind: 'described', descriptor: nothing, value: { kind: 'list', items: [string(name), ...parts] } },
      number,
    );
  };
  const fieldsOf = (...names: readonly string[]): AmqpValue => ({
    kind: 'list',
    items: names.map((name) =>
      numbered({ kind: 'described', descriptor: nothing, value: { kind: 'list', items: [string(name)] } }, 4n),
    ),
  });
  const component = (
    items: readonly AmqpValue[],
    singleton = notationOf(6n, 'test.One', 'net.corda:one', nothing),
  ): Uint8Array => {
    const object: AmqpValue = {
      kind: 'described',
      descriptor: { kind: 'symbol', value: 'net.corda:all' },
      value: { kind: 'list', items },
    };
    const notations: AmqpValue[] = [
      notationOf(5n, 'test.All', 'net.corda:all', fieldsOf('flag', 'id', 'none', 'one')),
      singleton,
    ];
    const [, schema, transforms] = itemsOf(envelopeOf(OUTPUT));
    return enveloped(
      object,
      replaceItems(schema ?? nothing, () => [{ kind: 'list', items: notations }]),
      transforms,
    );
  };
  const readAll = (bytes: Uint8Array): CordaObject => readComponent(bytes, types, ['test.All']);
  const SOUND: readonly AmqpValue[] = [{ kind: 'boolean', value: true }, uuid, nothing, one];

  test('values of every kind are read', () => {
    const { fields } = readAll(component(SOUND));
    expect(Object.fromEntries(fields ?? [])).toEqual({
      flag: true,
      id: new Uint8Array(16).fill(1),
      none: null,
      one: { type: 'test.One' },
    });
    expect(readAll(component(SOUND.with(2, string('x')))).fields?.get('none')).toBe('x');
  });

  test.each<[string, readonly AmqpValue[]]>([
    ['text for a flag', SOUND.with(0, string('true'))],
    ['bytes for a UUID', SOUND.with(1, { kind: 'binary', value: new Uint8Array(16) })],
    ['a number where text may be missing', SOUND.with(2, { kind: 'int', value: 1 })],
    ['nothing where an object must be', SOUND.with(3, nothing)],
    ['a field too few', SOUND.slice(0, 3)],
    ['a field too many', [...SOUND, nothing]],
    ['a singleton with content', SOUND.with(3, { ...(one as Described), value: string('x') })],
  ])('%s is refused', (_, items) => {
    expect(() => readAll(component(items))).toThrow(AmqpFault);
  });

  test('a singleton that the schema does not have is refused', () => {
    const absent = notationOf(6n, 'test.Two', 'net.corda:two', nothing);
    expect(() => readAll(component(SOUND, absent))).toThrow(AmqpFault);
  });
});

test('renaming both schema and data is no way round the pins', () => {
  expect(() => read(edited(OUTPUT, renaming(`net.corda:${SIGNATURE}`, 'net.corda:mine')))).toThrow(AmqpFault);
});
