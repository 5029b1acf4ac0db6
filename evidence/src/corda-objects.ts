/**
 * A component's bytes as an object of pinned types. What Corda's serialiser would read is read here, or the bytes are refused.
 *
 * The schema that travels with the bytes is never used to read them. It is checked instead: Corda looks a serialiser up by
 * descriptor, but a node that meets a descriptor for the first time asks the schema which class it stands for
 * (`RemoteSerializerFactory.kt`). So a schema that gives a pinned descriptor another class, or a pinned class another
 * descriptor, would make a node read something else than we do, and is refused. docs/adr/0017 has the reasoning.
 */
import { AmqpFault, type AmqpValue, MAX_AMQP_VALUES, readAmqpHead } from './corda-amqp.ts';
import { knownSchema } from './corda-known-schemas.ts';
import type { CordaKind, CordaPrimitive, CordaType, CordaTypes } from './corda-types.ts';

export type CordaValue = null | number | bigint | string | boolean | Uint8Array | CordaObject;

/** `fields`: by name, of a composite or a proxy. `elements`: of a list. `content`: of a text or bytes. */
export type CordaObject = Readonly<{
  type: string;
  fields?: ReadonlyMap<string, CordaValue>;
  elements?: readonly CordaValue[];
  content?: string | Uint8Array;
}>;

/** "corda", serialisation version 1.0, and the section that holds plain data. Compressed sections are refused. */
const HEADER = Uint8Array.of(0x63, 0x6f, 0x72, 0x64, 0x61, 1, 0, 0);
/** Corda's own described types (`AMQPDescriptorRegistry.kt`): 0xc562 in the upper bytes. */
const CORDA_DESCRIPTOR = 0xc562n << 48n;
const ENVELOPE = CORDA_DESCRIPTOR | 1n;
const REFERENCE = CORDA_DESCRIPTOR | 8n;

const wrong = (message: string): never => {
  throw new AmqpFault(message);
};

/** The object of one component, of a type named in `expected`. @throws AmqpFault for anything else. */
export function readComponent(bytes: Uint8Array, types: CordaTypes, expected: readonly string[]): CordaObject {
  if (HEADER.some((byte, i) => bytes[i] !== byte)) return wrong('the bytes do not begin as Corda 1.0 data does');
  const { descriptor, first, rest, count, values } = readAmqpHead(bytes.subarray(HEADER.length));
  if (!isNumbered(descriptor, ENVELOPE)) return wrong('there is no envelope');
  if (count !== 2) return wrong('an envelope has three parts');
  const schema = knownSchema(rest, types);
  if (values + schema.values > MAX_AMQP_VALUES) return wrong('there are too many values');
  return new ObjectReader(types, schema.named).object(first, expected);
}

const isNumbered = (descriptor: AmqpValue, number: bigint): boolean =>
  descriptor.kind === 'ulong' && descriptor.value === number;

class ObjectReader {
  readonly #types: CordaTypes;
  /** Descriptors that the schema explains. */
  readonly #named: ReadonlySet<string>;
  /** Objects in the order in which Corda's reader finishes them; later ones may be references to earlier ones. */
  readonly #history: CordaObject[] = [];

  constructor(types: CordaTypes, named: ReadonlySet<string>) {
    this.#types = types;
    this.#named = named;
  }

  object(value: AmqpValue, expected: readonly string[]): CordaObject {
    if (value.kind !== 'described') return wrong('an object is not described');
    if (isNumbered(value.descriptor, REFERENCE)) return this.#referenced(value.value, expected);
    const descriptor = value.descriptor.kind === 'symbol' ? value.descriptor.value : '';
    const type = this.#types.byDescriptor.get(descriptor);
    if (type === undefined) return wrong('a descriptor is not pinned');
    if (!expected.includes(type.name)) return wrong(`${type.name} stands where it may not`);
    if (isInSchema(type) && !this.#named.has(descriptor)) return wrong(`the schema does not have ${type.name}`);
    const object = this.#content(type, value.value);
    this.#history.push(object);
    return object;
  }

  #referenced(index: AmqpValue, expected: readonly string[]): CordaObject {
    const object = index.kind === 'uint' ? this.#history[index.value] : undefined;
    if (object === undefined) return wrong('a reference leads to no object before it');
    return expected.includes(object.type) ? object : wrong(`a reference to ${object.type} stands where it may not`);
  }

  #content(type: CordaType, value: AmqpValue): CordaObject {
    switch (type.form) {
      case 'composite':
      case 'proxy':
        return { type: type.name, fields: this.#fields(type, value) };
      case 'list':
        if (value.kind !== 'list') return wrong(`${type.name} is not a list`);
        return { type: type.name, elements: value.items.map((item) => this.#value(item, type.elements)) };
      case 'text':
        return value.kind === 'string' ? { type: type.name, content: value.value } : wrong(`${type.name} is not text`);
      case 'bytes':
        return value.kind === 'binary' ? { type: type.name, content: value.value } : wrong(`${type.name} is not bytes`);
      case 'singleton':
        return value.kind === 'boolean' ? { type: type.name } : wrong(`${type.name} is not a boolean`);
    }
  }

  #fields(
    type: Extract<CordaType, { form: 'composite' | 'proxy' }>,
    value: AmqpValue,
  ): ReadonlyMap<string, CordaValue> {
    if (value.kind !== 'list' || value.items.length !== type.fields.length) {
      return wrong(`${type.name} does not have ${type.fields.length} fields`);
    }
    const fields = new Map<string, CordaValue>();
    for (const [at, item] of value.items.entries()) {
      const field = type.fields[at];
      if (field === undefined) return wrong(`${type.name} has a field too many`);
      const isNull = item.kind === 'null';
      if (isNull && field.nullable !== true) return wrong(`${field.name} of ${type.name} is null`);
      fields.set(field.name, isNull ? null : this.#value(item, field.kind));
    }
    return fields;
  }

  #value(value: AmqpValue, kind: CordaKind): CordaValue {
    return typeof kind === 'string' ? primitive(value, kind) : this.object(value, kind);
  }
}

/** Custom serialisers are no part of a schema. */
const isInSchema = ({ form }: CordaType): boolean => form === 'composite' || form === 'list' || form === 'singleton';

function primitive(value: AmqpValue, kind: CordaPrimitive): CordaValue {
  return value.kind === kind ? value.value : wrong(`a value is not of type ${kind}`);
}
