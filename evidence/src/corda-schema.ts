/**
 * The schema in an envelope, checked against the pinned types. One that tells a node the truth about every pinned type has no
 * power over what the bytes mean, since a node that finds the class finds its own serialiser for it (docs/adr/0017).
 */
import { AmqpFault, type AmqpValue } from './corda-amqp.ts';
import type { CordaType, CordaTypes } from './corda-types.ts';

const CORDA_DESCRIPTOR = 0xc562n << 48n;
const SCHEMA = CORDA_DESCRIPTOR | 2n;
const DESCRIPTOR = CORDA_DESCRIPTOR | 3n;
const FIELD = CORDA_DESCRIPTOR | 4n;
const COMPOSITE_TYPE = CORDA_DESCRIPTOR | 5n;
const RESTRICTED_TYPE = CORDA_DESCRIPTOR | 6n;
const TRANSFORMS = CORDA_DESCRIPTOR | 9n;

/** Letters that Corda's parser of type names keeps; it drops spaces, so they are dropped here before names are compared. */
const TYPE_NAME = /^[A-Za-z0-9_$.,<>[\]?* ]{1,512}$/;

const wrong = (message: string): never => {
  throw new AmqpFault(message);
};

/** The described value of Corda's type `number`, if it is a list. */
function listOf(value: AmqpValue | undefined, number: bigint): readonly AmqpValue[] | undefined {
  if (value?.kind !== 'described' || value.value.kind !== 'list') return undefined;
  return value.descriptor.kind === 'ulong' && value.descriptor.value === number ? value.value.items : undefined;
}

/** `fields`: of a composite. */
type Notation = Readonly<{ name: string; descriptor: string; fields: AmqpValue | undefined }>;

/**
 * The descriptors that a schema explains.
 * @throws AmqpFault when it explains a pinned one otherwise, a pinned class by another, anything twice, or renames constants.
 */
export function demandHonestSchema(schema: AmqpValue, transforms: AmqpValue, types: CordaTypes): ReadonlySet<string> {
  if (!isEmptyTransforms(transforms)) return wrong('the schema transforms types');
  const [notations, ...more] = listOf(schema, SCHEMA) ?? wrong('there is no schema');
  if (notations?.kind !== 'list' || more.length > 0) return wrong('a schema is one list of types');
  const descriptors = new Set<string>();
  const names = new Set<string>();
  for (const item of notations.items) {
    const { name, descriptor, fields } = notationOf(item);
    if (descriptors.has(descriptor)) return wrong('the schema has one descriptor twice');
    if (names.has(name)) return wrong('the schema has one type twice');
    descriptors.add(descriptor);
    names.add(name);
    const pinned = types.byDescriptor.get(descriptor);
    if (pinned !== undefined && pinned.name !== name) return wrong('the schema gives a descriptor to another type');
    const known = pinned ?? types.byName.get(name);
    if (known === undefined) continue;
    if (known.descriptor !== descriptor) return wrong('the schema gives a type another descriptor');
    if (!hasFields(known, fields)) return wrong('the schema gives a type other fields');
  }
  return descriptors;
}

function isEmptyTransforms(value: AmqpValue): boolean {
  if (value.kind !== 'described' || value.value.kind !== 'map') return false;
  const { descriptor } = value;
  return descriptor.kind === 'ulong' && descriptor.value === TRANSFORMS && value.value.items.length === 0;
}

/** Composite: name, label, provides, descriptor, fields. Restricted: name, label, provides, source, descriptor, choices. */
function notationOf(item: AmqpValue): Notation {
  const composite = listOf(item, COMPOSITE_TYPE);
  const restricted = listOf(item, RESTRICTED_TYPE);
  const parts = composite ?? restricted ?? wrong('the schema has something that is no type');
  const [name] = parts;
  if (name?.kind !== 'string' || !TYPE_NAME.test(name.value)) return wrong('a type has a name that is not known');
  if (parts.length !== (composite === undefined ? 6 : 5)) return wrong('a type of the schema has too few parts');
  const [symbol, code, ...more] = listOf(parts[composite === undefined ? 4 : 3], DESCRIPTOR) ?? [];
  if (symbol?.kind !== 'symbol' || code?.kind !== 'null' || more.length > 0) return wrong('a type has no descriptor');
  return {
    name: spaceless(name.value),
    descriptor: symbol.value,
    fields: composite?.[4],
  };
}

/** Whether the fields are those of the type, in their order; a type that is no composite has none. */
function hasFields(type: CordaType, fields: AmqpValue | undefined): boolean {
  if (type.form !== 'composite') return fields === undefined;
  if (fields?.kind !== 'list' || fields.items.length !== type.fields.length) return false;
  return fields.items.every((item, at) => {
    const [name] = listOf(item, FIELD) ?? [];
    return name?.kind === 'string' && name.value === type.fields[at]?.name;
  });
}

const spaceless = (name: string): string => (name.includes(' ') ? name.replaceAll(' ', '') : name);
