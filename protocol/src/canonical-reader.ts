/**
 * CBOR (RFC 8949 §4.2.1, deterministic) read item by item, for formats of fixed shape that are long and often read: lists, whole
 * numbers from 0 on, bytes, ASCII and null, nothing else. A length that is not in its shortest form is refused, so that what is read
 * has one encoding and need not be encoded again to know it (`canonical-cbor.ts` does that, for every other format).
 */
import { ProtocolError, type ProtocolErrorCode } from './protocol-error.ts';

/** Inclusive. */
export type Bounds = Readonly<{ min: number; max: number }>;

const NUMBER = 0;
const BYTES = 2;
const TEXT = 3;
const LIST = 4;
const NULL = 0xf6;
/** The low bits of a first byte: below 24 the number itself, else how many bytes it has. */
const WIDTHS: ReadonlyMap<number, 1 | 2 | 4> = new Map([
  [24, 1],
  [25, 2],
  [26, 4],
]);
/** The least that a width is for. */
const LEAST = { 1: 24, 2: 2 ** 8, 4: 2 ** 16 } as const;

export class CanonicalReader {
  readonly #input: Uint8Array;
  readonly #code: ProtocolErrorCode;
  #at = 0;

  /** @param code of every `ProtocolError` that is thrown */
  constructor(input: Uint8Array, code: ProtocolErrorCode) {
    this.#input = input;
    this.#code = code;
  }

  /** How many items a list has. */
  listOf({ min, max }: Bounds, what: string): number {
    const count = this.#head(LIST, what);
    return count >= min && count <= max ? count : this.refuse(`${what} must be a list of ${rangeOf(min, max)}`);
  }

  whole({ min, max }: Bounds, what: string): number {
    const value = this.#head(NUMBER, what);
    return value >= min && value <= max
      ? value
      : this.refuse(`${what} must be a whole number from ${rangeOf(min, max)}`);
  }

  /** Not copied. */
  bytes({ min, max }: Bounds, what: string): Uint8Array {
    const length = this.#head(BYTES, what);
    if (length < min || length > max) return this.refuse(`${what} must have ${rangeOf(min, max)} bytes`);
    return this.#slice(length, what);
  }

  /** At most `max` characters, each of a byte. */
  ascii(max: number, what: string): string {
    const length = this.#head(TEXT, what);
    if (length > max) return this.refuse(`${what} must have at most ${max} characters`);
    const bytes = this.#slice(length, what);
    if (bytes.some((byte) => byte >= 0x80)) return this.refuse(`${what} must be ASCII`);
    return String.fromCharCode(...bytes);
  }

  /** Takes a null, if one comes next. */
  isNull(): boolean {
    const found = this.#input[this.#at] === NULL;
    if (found) this.#at += 1;
    return found;
  }

  /** @throws ProtocolError unless all was read */
  end(what: string): void {
    if (this.#at !== this.#input.length) this.refuse(`bytes follow ${what}`);
  }

  refuse(message: string): never {
    throw new ProtocolError(this.#code, message);
  }

  /** The number or length of an item of one kind, in the shortest form. Longer than 32 bits nothing is. */
  #head(kind: number, what: string): number {
    const first = this.#input[this.#at++];
    if (first === undefined || first >> 5 !== kind) return this.refuse(`${what} is missing, or is of another kind`);
    const low = first & 0x1f;
    if (low < 24) return low;
    const width = WIDTHS.get(low);
    if (width === undefined) return this.refuse(`${what} is too long, or is not canonical CBOR`);
    let value = 0;
    for (const byte of this.#slice(width, what)) value = value * 256 + byte;
    return value >= LEAST[width] ? value : this.refuse(`${what} is not canonical CBOR`);
  }

  #slice(length: number, what: string): Uint8Array {
    const end = this.#at + length;
    if (end > this.#input.length) return this.refuse(`${what} goes beyond the bytes`);
    const bytes = this.#input.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }
}

const rangeOf = (min: number, max: number): string => (min === max ? String(min) : `${min} to ${max}`);
