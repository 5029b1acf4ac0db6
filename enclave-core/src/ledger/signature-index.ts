/** Where the newest signatures stand, so that a receipt that was just asked for finds its own without looking at the disk. */

const MAX_SIGNATURES = 4_096;

export type KnownSignature = Readonly<{ seqno: number; size: number }>;

export class SignatureIndex {
  /** By seqno, ascending. */
  #known: KnownSignature[] = [];
  /** All signatures from this seqno on are known. */
  #from: number;

  constructor(from: number) {
    this.#from = from;
  }

  get from(): number {
    return this.#from;
  }

  note(signature: KnownSignature): void {
    this.#known.push(signature);
    if (this.#known.length < 2 * MAX_SIGNATURES) return;
    this.#known = this.#known.slice(-MAX_SIGNATURES);
    this.#from = this.#known[0]?.seqno ?? this.#from;
  }

  /** Forgets what is from `seqno` on. */
  restart(seqno: number): void {
    this.#known = this.#known.filter((known) => known.seqno < seqno);
    this.#from = Math.min(this.#from, seqno);
  }

  /** The first known signature over a tree with that leaf. */
  covering(leaf: number): KnownSignature | undefined {
    let found: KnownSignature | undefined;
    for (let at = this.#known.length - 1; at >= 0; at--) {
      const known = this.#known[at];
      // It stands behind all that it covers.
      if (!known || known.seqno <= leaf) break;
      if (known.size > leaf) found = known;
    }
    return found;
  }
}
