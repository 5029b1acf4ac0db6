/**
 * The primitive encodings of AMQP 1.0 (part 1, §1.6) that Corda's serialiser writes, and no others: floating point, decimals,
 * characters, arrays and timestamps are refused. Strict: a list or map ends exactly where its size says, text is UTF-8, and
 * nothing follows. Hostile input is bounded before it is read: depth, values, and no length is believed beyond the bytes.
 */
import { asciiOf } from './known-texts.ts';

export type AmqpDescribed = Readonly<{ kind: 'described'; descriptor: AmqpValue; value: AmqpValue }>;

export type AmqpValue =
  | Readonly<{ kind: 'null' }>
  | Readonly<{ kind: 'boolean'; value: boolean }>
  | Readonly<{ kind: 'int'; value: number }>
  | Readonly<{ kind: 'uint'; value: number }>
  | Readonly<{ kind: 'long'; value: bigint }>
  | Readonly<{ kind: 'ulong'; value: bigint }>
  | Readonly<{ kind: 'string'; value: string }>
  | Readonly<{ kind: 'symbol'; value: string }>
  | Readonly<{ kind: 'binary'; value: Uint8Array }>
  | Readonly<{ kind: 'uuid'; value: Uint8Array }>
  | Readonly<{ kind: 'list'; items: readonly AmqpValue[] }>
  | Readonly<{ kind: 'map'; items: readonly AmqpValue[] }>
  | AmqpDescribed;

/** Deepest nesting, and most values of one component: an output of a vault has depth 16 and some 700 values. */
export const MAX_AMQP_DEPTH = 40;
export const MAX_AMQP_VALUES = 20_000;
/** A symbol is a descriptor: a name of ours in at most so many bytes. */
const MAX_SYMBOL_BYTES = 256;

/** Bytes that are not what is read here. Never leaves this folder. */
export class AmqpFault extends Error {
  override readonly name = 'AmqpFault';
  readonly code = 'AMQP_INVALID' as const;
}

const wrong = (message: string): never => {
  throw new AmqpFault(message);
};

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function utf8(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    return wrong('text is not UTF-8');
  }
}

/** One value, and all of the bytes. @throws AmqpFault */
export function readAmqp(bytes: Uint8Array): AmqpValue {
  const reader = new AmqpReader(bytes);
  const value = reader.value(0);
  reader.demandEnd(bytes.length);
  return value;
}

/**
 * A described list of which the first item is read. `rest`: the bytes of the others, `count` of them, up to the end of all bytes.
 * `values`: how many were read. With `readAmqpItems` over the rest, exactly what `readAmqp` takes is taken.
 */
export type AmqpHead = Readonly<{
  descriptor: AmqpValue;
  first: AmqpValue;
  rest: Uint8Array;
  count: number;
  values: number;
}>;

/** @throws AmqpFault */
export const readAmqpHead = (bytes: Uint8Array): AmqpHead => new AmqpReader(bytes).head();

/** The items that a head left, and how many values there are in them. @throws AmqpFault */
export function readAmqpItems(
  rest: Uint8Array,
  count: number,
): Readonly<{ items: readonly AmqpValue[]; values: number }> {
  const reader = new AmqpReader(rest);
  const items: AmqpValue[] = [];
  for (let i = 0; i < count; i++) items.push(reader.value(HEAD_DEPTH));
  reader.demandEnd(rest.length);
  return { items, values: reader.values };
}

/** Of the items of a described list. */
const HEAD_DEPTH = 2;

const NULL: AmqpValue = { kind: 'null' };
const TRUE: AmqpValue = { kind: 'boolean', value: true };
const FALSE: AmqpValue = { kind: 'boolean', value: false };
const EMPTY_LIST: AmqpValue = { kind: 'list', items: [] };

/** Whether a byte is below `least` or above `most`. */
function isBeyond(bytes: Uint8Array, least: number, most: number): boolean {
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    if (byte < least || byte > most) return true;
  }
  return false;
}

class AmqpReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #values = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  demandEnd(end: number): void {
    if (this.#at !== end) wrong('a value does not end where it should');
  }

  value(depth: number): AmqpValue {
    if (depth > MAX_AMQP_DEPTH) return wrong('values are nested too deeply');
    if (++this.#values > MAX_AMQP_VALUES) return wrong('there are too many values');
    const code = this.#byte();
    if (code === 0x00) {
      const descriptor = this.value(depth + 1);
      return { kind: 'described', descriptor, value: this.value(depth + 1) };
    }
    return this.#scalar(code) ?? this.#variable(code, depth) ?? wrong('an encoding is not one that Corda writes');
  }

  /** How many were read. */
  get values(): number {
    return this.#values;
  }

  head(): AmqpHead {
    if (this.#byte() !== 0x00) return wrong('there is no described value');
    const descriptor = this.value(1);
    const code = this.#byte();
    if (code !== 0xc0 && code !== 0xd0) return wrong('what is described is not a list');
    const size = code === 0xc0 ? this.#byte() : this.#word();
    if (this.#at + size !== this.#bytes.length) return wrong('a list does not end where the bytes do');
    const count = code === 0xc0 ? this.#byte() : this.#word();
    const first = this.value(HEAD_DEPTH);
    // The described value and its list are values too.
    return { descriptor, first, rest: this.#bytes.subarray(this.#at), count: count - 1, values: this.#values + 2 };
  }

  /** Values of a fixed width. */
  #scalar(code: number): AmqpValue | undefined {
    switch (code) {
      case 0x40:
        return NULL;
      case 0x41:
        return TRUE;
      case 0x42:
        return FALSE;
      case 0x43:
        return { kind: 'uint', value: 0 };
      case 0x44:
        return { kind: 'ulong', value: 0n };
      case 0x45:
        return EMPTY_LIST;
      case 0x52:
        return { kind: 'uint', value: this.#byte() };
      case 0x53:
        return { kind: 'ulong', value: BigInt(this.#byte()) };
      case 0x54:
        return { kind: 'int', value: this.#view.getInt8(this.#take(1)) };
      case 0x55:
        return { kind: 'long', value: BigInt(this.#view.getInt8(this.#take(1))) };
      case 0x56:
        return this.#boolean();
      case 0x70:
        return { kind: 'uint', value: this.#view.getUint32(this.#take(4)) };
      case 0x71:
        return { kind: 'int', value: this.#view.getInt32(this.#take(4)) };
      case 0x80:
        return { kind: 'ulong', value: this.#view.getBigUint64(this.#take(8)) };
      case 0x81:
        return { kind: 'long', value: this.#view.getBigInt64(this.#take(8)) };
      case 0x98:
        return { kind: 'uuid', value: this.#slice(16) };
      default:
        return undefined;
    }
  }

  /** Values that say how long they are. */
  #variable(code: number, depth: number): AmqpValue | undefined {
    switch (code) {
      case 0xa0:
        return { kind: 'binary', value: this.#slice(this.#byte()) };
      case 0xb0:
        return { kind: 'binary', value: this.#slice(this.#word()) };
      case 0xa1:
        return { kind: 'string', value: this.#text(this.#byte()) };
      case 0xb1:
        return { kind: 'string', value: this.#text(this.#word()) };
      case 0xa3:
        return { kind: 'symbol', value: this.#ascii(this.#byte()) };
      case 0xb3:
        return { kind: 'symbol', value: this.#ascii(this.#word()) };
      case 0xc0:
        return { kind: 'list', items: this.#items(1, depth) };
      case 0xd0:
        return { kind: 'list', items: this.#items(4, depth) };
      case 0xc1:
        return { kind: 'map', items: this.#items(1, depth) };
      case 0xd1:
        return { kind: 'map', items: this.#items(4, depth) };
      default:
        return undefined;
    }
  }

  #items(width: 1 | 4, depth: number): readonly AmqpValue[] {
    const size = width === 1 ? this.#byte() : this.#word();
    const end = this.#at + size;
    if (end > this.#bytes.length) return wrong('a list is longer than the bytes');
    const count = width === 1 ? this.#byte() : this.#word();
    if (count > size) return wrong('a list has more values than bytes');
    const items: AmqpValue[] = [];
    for (let i = 0; i < count; i++) items.push(this.value(depth + 1));
    this.demandEnd(end);
    return items;
  }

  #boolean(): AmqpValue {
    const byte = this.#byte();
    return byte === 1 ? TRUE : byte === 0 ? FALSE : wrong('a boolean is neither 0 nor 1');
  }

  /** Nearly all text is short and ASCII, which a loop reads faster than a decoder. */
  #text(length: number): string {
    const bytes = this.#slice(length);
    return length > MAX_SYMBOL_BYTES || isBeyond(bytes, 0, 0x7f) ? utf8(bytes) : asciiOf(bytes);
  }

  #ascii(length: number): string {
    if (length > MAX_SYMBOL_BYTES) return wrong('a symbol is too long');
    const bytes = this.#slice(length);
    if (isBeyond(bytes, 0x20, 0x7e)) return wrong('a symbol is not printable ASCII');
    return asciiOf(bytes);
  }

  #byte(): number {
    return this.#bytes[this.#take(1)] ?? 0;
  }

  #word(): number {
    return this.#view.getUint32(this.#take(4));
  }

  #slice(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Where the next `length` bytes begin. */
  #take(length: number): number {
    const start = this.#at;
    if (start + length > this.#bytes.length) return wrong('the bytes end within a value');
    this.#at = start + length;
    return start;
  }
}
