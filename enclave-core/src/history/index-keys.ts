/** Keys of the history's index: HMAC-SHA256 of a name, cut to 16 bytes, so that the disk shows neither bank nor id. */
import { createHmac } from 'node:crypto';

export const INDEX_HASH_BYTES = 16;
/** Hashes of list labels that stay computed; their number grows with participants and assets, not with payments. */
export const MAX_CACHED_LABELS = 65_536;

export class IndexKeys {
  readonly #key: Uint8Array;
  readonly #labels = new Map<string, Buffer>();

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** Key of a transfer's newest ended version. */
  transfer(key: string): Buffer {
    return this.#hash(`transfer/${key}`);
  }

  list(label: string): Buffer {
    const known = this.#labels.get(label);
    if (known) return known;
    if (this.#labels.size >= MAX_CACHED_LABELS) this.#labels.clear();
    const hash = this.#hash(label);
    this.#labels.set(label, hash);
    return hash;
  }

  #hash(name: string): Buffer {
    return createHmac('sha256', this.#key).update(name).digest().subarray(0, INDEX_HASH_BYTES);
  }
}
