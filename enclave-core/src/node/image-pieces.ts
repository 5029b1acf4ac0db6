/**
 * The bytes of a state image as they come, gathered into pieces and hashed piece by piece: Node hashes no two GiB at once, and
 * one buffer of all would have to be copied together first.
 */
import { createHash } from 'node:crypto';

/** Plaintext of a piece; about a millisecond of hashing, or of encryption. */
export const PIECE_BYTES: number = 2 ** 20;

/** `digest`: SHA-256 of the pieces one after the other, all but the last of which have `PIECE_BYTES`. */
export type StateImage = Readonly<{ index: number; digest: Buffer; pieces: readonly Uint8Array[] }>;

export class ImagePieces {
  readonly #hash = createHash('sha256');
  readonly #full: Uint8Array[] = [];
  #open: Buffer | undefined;
  #used = 0;

  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + PIECE_BYTES - this.#used);
      this.#open ??= Buffer.allocUnsafe(PIECE_BYTES);
      this.#open.set(part, this.#used);
      this.#used += part.length;
      at += part.length;
      if (this.#used === PIECE_BYTES) this.#close();
    }
  }

  /** To be called once, at the end. */
  image(index: number): StateImage {
    this.#close();
    return { index, digest: this.#hash.digest(), pieces: this.#full };
  }

  #close(): void {
    const piece = this.#open?.subarray(0, this.#used);
    if (!piece) return;
    this.#hash.update(piece);
    this.#full.push(piece);
    this.#open = undefined;
    this.#used = 0;
  }
}
