/** The newest nodes of the tree in memory: those that are not on disk yet, and as many of the others as fit. */
import { Buffer } from 'node:buffer';
import { DIGEST_BYTES } from '@drawbridge/protocol/ledger/hash';

/** 512 KiB; grows only while more than that waits to be written. */
const NODES_KEPT = 16_384;

export class NodeRing {
  #bytes: Buffer = Buffer.alloc(NODES_KEPT * DIGEST_BYTES);
  #capacity = NODES_KEPT;
  #start: number;
  #end: number;
  /** Nodes before this position are on disk and may go. */
  #written: number;

  constructor(end: number) {
    this.#start = end;
    this.#end = end;
    this.#written = end;
  }

  /** Position that comes next. */
  get end(): number {
    return this.#end;
  }

  /** Nodes before this position are on disk. */
  get written(): number {
    return this.#written;
  }

  put(node: Uint8Array): void {
    if (this.#end - this.#start === this.#capacity) this.#makeRoom();
    this.#bytes.set(node, (this.#end % this.#capacity) * DIGEST_BYTES);
    this.#end += 1;
  }

  /** A copy; undefined for what is not here. */
  get(position: number): Uint8Array | undefined {
    if (position < this.#start || position >= this.#end) return undefined;
    const at = (position % this.#capacity) * DIGEST_BYTES;
    return Uint8Array.prototype.slice.call(this.#bytes, at, at + DIGEST_BYTES);
  }

  /** The nodes from one position to before another, one after the other. All must be here. */
  slice(from: number, to: number): Buffer {
    if (from < this.#start || to > this.#end) throw new RangeError(`nodes ${from} to ${to} are not in memory`);
    const out = Buffer.allocUnsafe((to - from) * DIGEST_BYTES);
    let done = 0;
    while (from + done < to) {
      const slot = (from + done) % this.#capacity;
      const count = Math.min(to - from - done, this.#capacity - slot);
      this.#bytes.copy(out, done * DIGEST_BYTES, slot * DIGEST_BYTES, (slot + count) * DIGEST_BYTES);
      done += count;
    }
    return out;
  }

  /** Nodes before a position are on disk now. */
  wrote(position: number): void {
    this.#written = Math.max(this.#written, position);
  }

  #makeRoom(): void {
    if (this.#start < this.#written) {
      this.#start += 1;
      return;
    }
    const held = this.slice(this.#start, this.#end);
    const capacity = this.#capacity * 2;
    const bytes = Buffer.alloc(capacity * DIGEST_BYTES);
    for (let at = 0; at < this.#capacity; at++) {
      const slot = ((this.#start + at) % capacity) * DIGEST_BYTES;
      held.copy(bytes, slot, at * DIGEST_BYTES, (at + 1) * DIGEST_BYTES);
    }
    this.#bytes = bytes;
    this.#capacity = capacity;
  }
}
