/**
 * Schemas that were found honest, so that each is read once: components of one class carry the same bytes in every transaction,
 * and they are most of a component. What is remembered is a function of the bytes and the pinned types alone, so whether
 * it is remembered changes nothing but the time.
 */
import { AmqpFault, readAmqpItems } from './corda-amqp.ts';
import { sameBytes } from './corda-merkle.ts';
import { demandHonestSchema } from './corda-schema.ts';
import type { CordaTypes } from './corda-types.ts';

/** `named`: the descriptors that the schema explains. `values`: how many values of AMQP it has. */
export type KnownSchema = Readonly<{ named: ReadonlySet<string>; values: number }>;

/** A vault's transactions have some fifteen; a transaction that is notarised could bring others. */
export const MAX_KNOWN_SCHEMAS = 64;
/** Larger ones are read every time. */
const MAX_KNOWN_BYTES = 16_384;

type Known = Readonly<{ bytes: Uint8Array; schema: KnownSchema }>;

/** By types, which live as long as a trust root. */
const known = new WeakMap<CordaTypes, Known[]>();

/** Of schema and transforms as they stand after the object. @throws AmqpFault for bytes or a schema that are refused */
export function knownSchema(bytes: Uint8Array, types: CordaTypes): KnownSchema {
  const schemas = known.get(types) ?? [];
  if (schemas.length === 0) known.set(types, schemas);
  const found = schemas.find((each) => sameBytes(each.bytes, bytes));
  if (found !== undefined) return found.schema;
  const { items, values } = readAmqpItems(bytes, 2);
  const [notations, transforms] = items;
  if (notations === undefined || transforms === undefined) throw new AmqpFault('a part is missing');
  const schema: KnownSchema = { named: demandHonestSchema(notations, transforms, types), values };
  if (bytes.length > MAX_KNOWN_BYTES) return schema;
  if (schemas.length >= MAX_KNOWN_SCHEMAS) schemas.length = 0;
  schemas.push({ bytes: Uint8Array.from(bytes), schema });
  return schema;
}
