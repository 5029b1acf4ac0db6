/** Writes what `readAmqp` reads, so that tests can take a recorded component apart, forge it and put it together again. */
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { AmqpValue } from '../corda-amqp.ts';

const HEADER = Uint8Array.of(0x63, 0x6f, 0x72, 0x64, 0x61, 1, 0, 0);

function be(bytes: 4 | 8, value: bigint): Uint8Array {
  const buffer = new Uint8Array(8);
  new DataView(buffer.buffer).setBigInt64(0, value);
  return buffer.subarray(8 - bytes);
}
const sized = (code: number, content: Uint8Array): Uint8Array =>
  concatBytes(Uint8Array.of(code), be(4, BigInt(content.length)), content);

function items(code: number, values: readonly AmqpValue[]): Uint8Array {
  const body = concatBytes(be(4, BigInt(values.length)), ...values.map(writeAmqp));
  return sized(code, body);
}

/** Always the longest form of a length. */
export function writeAmqp(value: AmqpValue): Uint8Array {
  switch (value.kind) {
    case 'null':
      return Uint8Array.of(0x40);
    case 'boolean':
      return Uint8Array.of(value.value ? 0x41 : 0x42);
    case 'int':
      return concatBytes(Uint8Array.of(0x71), be(4, BigInt(value.value)));
    case 'uint':
      return concatBytes(Uint8Array.of(0x70), be(4, BigInt(value.value)));
    case 'long':
      return concatBytes(Uint8Array.of(0x81), be(8, value.value));
    case 'ulong':
      return concatBytes(Uint8Array.of(0x80), be(8, value.value));
    case 'string':
      return sized(0xb1, utf8ToBytes(value.value));
    case 'symbol':
      return sized(0xb3, utf8ToBytes(value.value));
    case 'binary':
      return sized(0xb0, value.value);
    case 'uuid':
      return concatBytes(Uint8Array.of(0x98), value.value);
    case 'list':
      return items(0xd0, value.items);
    case 'map':
      return items(0xd1, value.items);
    case 'described':
      return concatBytes(Uint8Array.of(0), writeAmqp(value.descriptor), writeAmqp(value.value));
  }
}

/** A component from the value of its envelope. */
export const writeComponent = (envelope: AmqpValue): Uint8Array => concatBytes(HEADER, writeAmqp(envelope));

/** A copy in which `change` replaced what it did not return as it came, from the leaves up. */
export function changed(value: AmqpValue, change: (part: AmqpValue) => AmqpValue): AmqpValue {
  if (value.kind === 'described') {
    const descriptor = changed(value.descriptor, change);
    return change({ kind: 'described', descriptor, value: changed(value.value, change) });
  }
  if (value.kind === 'list' || value.kind === 'map') {
    return change({ kind: value.kind, items: value.items.map((item) => changed(item, change)) });
  }
  return change(value);
}
