/** Remembered schemas: nothing but the time changes, and there is a bound. */
import { expect, test } from '@jest/globals';
import { AmqpFault, type AmqpValue, readAmqpHead } from './corda-amqp.ts';
import { GROUP } from './corda-components.ts';
import { knownSchema, MAX_KNOWN_SCHEMAS } from './corda-known-schemas.ts';
import { readComponent } from './corda-objects.ts';
import { CORDA_TYPES, type CordaTypes, cordaTypes, TYPE, transactionStateOf } from './corda-types.ts';
import { writeAmqp, writeComponent } from './testing/corda-amqp-writer.ts';
import { edited, envelopeOf, renaming, soundComponents } from './testing/corda-payment.ts';

const OUTPUT = soundComponents().get(GROUP.outputs)?.[0] ?? new Uint8Array();
const freshTypes = (): CordaTypes => cordaTypes([...CORDA_TYPES, transactionStateOf([TYPE.cash])]);
const read = (bytes: Uint8Array, types: CordaTypes): unknown => readComponent(bytes, types, [TYPE.transactionState]);
const restOf = (component: Uint8Array): Uint8Array => readAmqpHead(component.subarray(8)).rest;

test('a schema that is remembered gives what it gave at first, and is not read again', () => {
  const types = freshTypes();
  const first = read(OUTPUT, types);
  expect(read(OUTPUT, types)).toEqual(first);
  expect(knownSchema(restOf(OUTPUT), types)).toBe(knownSchema(restOf(OUTPUT), types));
  expect(read(OUTPUT, freshTypes())).toEqual(first);
});

test('what was found under some types is not found under others', () => {
  const types = freshTypes();
  read(OUTPUT, types);
  const pinned = CORDA_TYPES.filter(({ name }) => name !== TYPE.party);
  const other = cordaTypes([
    ...pinned,
    { form: 'composite', name: TYPE.party, descriptor: 'net.corda:other', fields: [] },
  ]);
  expect(() => knownSchema(restOf(OUTPUT), other)).toThrow(AmqpFault);
});

test('a false schema is refused each time, beside a sound one of its length', () => {
  const types = freshTypes();
  read(OUTPUT, types);
  const forged = edited(OUTPUT, renaming(TYPE.party, TYPE.party.replace('Party', 'Parti')));
  for (let i = 0; i < 2; i++) expect(() => read(forged, types)).toThrow('gives a descriptor to another type');
});

test('bytes that were remembered are a copy', () => {
  const types = freshTypes();
  const bytes = Uint8Array.from(OUTPUT);
  read(bytes, types);
  bytes.fill(0);
  expect(read(OUTPUT, types)).toEqual(read(OUTPUT, freshTypes()));
  const forged = edited(OUTPUT, renaming(TYPE.party, TYPE.party.replace('Party', 'Parti')));
  const turned = edited(OUTPUT, (part) => part);
  read(turned, types);
  turned.set(forged);
  expect(() => read(forged, types)).toThrow(AmqpFault);
  expect(() => knownSchema(restOf(OUTPUT).fill(0, 0, 0).slice(1), types)).toThrow(AmqpFault);
});

/** The sound envelope with `extra` more types in its schema. */
function withTypes(extra: number, parts = 0): Uint8Array {
  const composite = (name: string): AmqpValue => ({
    kind: 'described',
    descriptor: { kind: 'ulong', value: (0xc562n << 48n) | 5n },
    value: {
      kind: 'list',
      items: [
        { kind: 'string', value: name },
        { kind: 'null' },
        { kind: 'list', items: Array.from({ length: parts }, () => ({ kind: 'null' })) },
        {
          kind: 'described',
          descriptor: { kind: 'ulong', value: (0xc562n << 48n) | 3n },
          value: { kind: 'list', items: [{ kind: 'symbol', value: `net.corda:${name}` }, { kind: 'null' }] },
        },
        { kind: 'list', items: [] },
      ],
    },
  });
  const envelope = envelopeOf(OUTPUT);
  if (envelope.kind !== 'described' || envelope.value.kind !== 'list') throw new Error('there is no envelope');
  const [object, schema, transforms] = envelope.value.items;
  if (object === undefined || transforms === undefined) throw new Error('a part is missing');
  if (schema?.kind !== 'described' || schema.value.kind !== 'list') throw new Error('there is no schema');
  const [types] = schema.value.items;
  if (types?.kind !== 'list') throw new Error('there are no types');
  const items = [...types.items, composite(`extra.T${extra}`)];
  const more: AmqpValue = { ...schema, value: { kind: 'list', items: [{ kind: 'list', items }] } };
  return writeComponent({ ...envelope, value: { kind: 'list', items: [object, more, transforms] } });
}

test('no more schemas are remembered than the bound', () => {
  const types = freshTypes();
  const first = knownSchema(restOf(OUTPUT), types);
  for (let i = 1; i < MAX_KNOWN_SCHEMAS; i++) read(withTypes(i), types);
  expect(knownSchema(restOf(OUTPUT), types)).toBe(first);
  read(withTypes(MAX_KNOWN_SCHEMAS), types);
  const again = knownSchema(restOf(OUTPUT), types);
  expect(again).not.toBe(first);
  expect(again).toEqual(first);
});

test('a schema larger than the bound is not remembered', () => {
  const types = freshTypes();
  const large = restOf(withTypes(1, 17_000));
  expect(knownSchema(large, types)).not.toBe(knownSchema(large, types));
});

test('values of a remembered schema count as at first', () => {
  const types = freshTypes();
  const rest = restOf(withTypes(1, 15_000));
  const { values } = knownSchema(rest, types);
  expect(values).toBeGreaterThan(15_000);
  const head = readAmqpHead(OUTPUT.subarray(8));
  expect(() => read(withTypes(1, 15_000 + 20_001 - head.values - values), types)).toThrow('too many values');
  expect(() => read(withTypes(1, 15_000 + 20_000 - head.values - values), types)).not.toThrow();
});

test.each<[string, AmqpValue]>([
  ['a list that nothing describes', { kind: 'list', items: [{ kind: 'null' }] }],
  [
    'a described map',
    {
      kind: 'described',
      descriptor: { kind: 'null' },
      value: { kind: 'map', items: [{ kind: 'null' }, { kind: 'null' }] },
    },
  ],
  ['an empty list', { kind: 'described', descriptor: { kind: 'null' }, value: { kind: 'list', items: [] } }],
])('%s is no head', (_, value) => {
  expect(() => readAmqpHead(writeAmqp(value))).toThrow(AmqpFault);
});

test('an envelope ends where the bytes do, and so do its parts', () => {
  const types = freshTypes();
  read(OUTPUT, types);
  // Header, the mark of a described value, a descriptor of nine bytes, a list with its size in four.
  const sizeAt = 8 + 1 + 9 + 1;
  expect(OUTPUT[sizeAt - 1]).toBe(0xd0);
  for (const change of [-1, 1]) {
    const size = (OUTPUT[sizeAt + 3] ?? 0) + change;
    expect(() => read(OUTPUT.with(sizeAt + 3, size), types)).toThrow(AmqpFault);
  }
  expect(OUTPUT[sizeAt + 7]).toBe(3);
  for (const count of [0, 2, 4]) expect(() => read(OUTPUT.with(sizeAt + 7, count), types)).toThrow(AmqpFault);
  expect(() => read(Uint8Array.from([...OUTPUT, 0x40]), types)).toThrow(AmqpFault);
  expect(() => read(OUTPUT.subarray(0, -1), types)).toThrow(AmqpFault);
  expect(() => knownSchema(Uint8Array.from([...restOf(OUTPUT), 0x40]), types)).toThrow(AmqpFault);
});
