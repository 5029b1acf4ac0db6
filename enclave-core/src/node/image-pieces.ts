/**
 * The bytes of a state image as they come, gathered into pieces and hashed piece by piece. There is one piece at a time, and one
 * buffer for all of them: whoever takes a piece is done with it before the next one is begun.
 */
import { createHash } from 'node:crypto';

/** Plaintext of a piece; about a millisecond of hashing, or of encryption. */
export const PIECE_BYTES: number = 2 ** 20;

/** All pieces but the last have `PIECE_BYTES`. When it resolves, the piece may be overwritten. */
export type TakePiece = (piece: Uint8Array, isLast: boolean) => Promise<void> | void;

export class ImagePieces {
  readonly #hash = createHash('sha256');
  readonly #take: TakePiece;
  readonly #piece: Buffer = Buffer.allocUnsafeSlow(PIECE_BYTES);
  #used = 0;

  constructor(take: TakePiece) {
    this.#take = take;
  }

  /** To be awaited before the next call. A full piece waits for the byte after it, which tells that it is not the last. */
  async add(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      if (this.#used === PIECE_BYTES) await this.#give(false);
      const part = bytes.subarray(at, at + PIECE_BYTES - this.#used);
      this.#piece.set(part, this.#used);
      this.#used += part.length;
      at += part.length;
    }
  }

  /** Gives the last piece. @returns SHA-256 of all, one after the other */
  async end(): Promise<Buffer> {
    await this.#give(true);
    return this.#hash.digest();
  }

  async #give(isLast: boolean): Promise<void> {
    const piece = this.#piece.subarray(0, this.#used);
    this.#hash.update(piece);
    this.#used = 0;
    await this.#take(piece, isLast);
  }
}
