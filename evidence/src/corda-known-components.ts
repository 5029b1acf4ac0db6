/**
 * Components that come again byte for byte, so that each is read once: the notary, the signers and the commands without content are
 * the same in every transaction of a vault. What is remembered is a function of the bytes and the pinned types alone, so whether it
 * is remembered changes nothing but the time.
 */
import { AmqpFault } from './corda-amqp.ts';
import { sameBytes } from './corda-merkle.ts';
import { type CordaObject, readComponent } from './corda-objects.ts';
import type { CordaTypes } from './corda-types.ts';

/** A vault's transactions have some ten; a transaction that is notarised could bring others. */
export const MAX_KNOWN_COMPONENTS = 64;
/** Larger ones are read every time: instructions, which come but once. */
export const MAX_KNOWN_COMPONENT_BYTES = 1_024;

type Known = Readonly<{ bytes: Uint8Array; object: CordaObject }>;

/** By types, which live as long as a trust root. */
const known = new WeakMap<CordaTypes, Known[]>();

/** As `readComponent`. @throws AmqpFault as it does */
export function knownComponent(bytes: Uint8Array, types: CordaTypes, expected: readonly string[]): CordaObject {
  if (bytes.length > MAX_KNOWN_COMPONENT_BYTES) return readComponent(bytes, types, expected);
  const components = known.get(types) ?? [];
  if (components.length === 0) known.set(types, components);
  const found = components.find((each) => sameBytes(each.bytes, bytes))?.object;
  if (found !== undefined) {
    if (expected.includes(found.type)) return found;
    throw new AmqpFault(`${found.type} stands where it may not`);
  }
  // Bytes of an object are parts of its component's, which may change in other hands.
  const own = Uint8Array.from(bytes);
  const object = readComponent(own, types, expected);
  if (components.length >= MAX_KNOWN_COMPONENTS) components.length = 0;
  components.push({ bytes: own, object });
  return object;
}
