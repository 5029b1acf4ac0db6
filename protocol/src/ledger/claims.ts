/**
 * Claims: what an entry says to its participants, one text for each of their events. The digest of an entry's claims is in its
 * leaf. Each claim is salted, so that a proof of one tells nothing of the others, however few texts they could be. Salts come
 * from whoever makes the claims; a verifier has them from the proof.
 *
 * leaf i = SHA-256(0x00 ‖ salt i ‖ text i); parent = SHA-256(0x01 ‖ left ‖ right); shape as in RFC 6962.
 */
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { DIGEST_BYTES, type Sha256, ZERO_DIGEST } from './hash.ts';

/** Hex of the digest that stands beside the path, on the side that the key says. */
export type ProofStep = Readonly<{ left: string }> | Readonly<{ right: string }>;

/** Shows one claim of an entry and nothing of the others. All hex in lower case. */
export type ClaimsProof = Readonly<{
  /** JSON of the claim; its exact bytes count. */
  claim: string;
  salt: string;
  proof: readonly ProofStep[];
}>;

/** Steps of the longest proof of a claim: an entry has fewer than 2³² claims. */
export const MAX_CLAIM_PROOF_STEPS = 32;

/** Bytes of a salt; those of an entry's claims stand one after the other. */
export const CLAIM_SALT_BYTES = 32;
/** Where the text stands in what a leaf is the digest of. */
const LEAF_TEXT_AT: number = 1 + CLAIM_SALT_BYTES;

/** Makes digests of many claims without an allocation for each but for what `sha256` answers. Not reentrant. */
class ClaimHasher {
  readonly #sha256: Sha256;
  readonly #salts: Uint8Array;
  readonly #parentInput = new Uint8Array(1 + 2 * DIGEST_BYTES).fill(1, 0, 1);
  readonly #encoder = new TextEncoder();
  #leafInput = new Uint8Array(1_024);
  #leafText = this.#leafInput.subarray(LEAF_TEXT_AT);

  /** @throws RangeError unless there is a salt for each of `count` claims */
  constructor(count: number, salts: Uint8Array, sha256: Sha256) {
    if (salts.length !== count * CLAIM_SALT_BYTES) throw new RangeError(`${count} claims need a salt each`);
    this.#sha256 = sha256;
    this.#salts = salts;
  }

  salt(index: number): Uint8Array {
    return this.#salts.subarray(index * CLAIM_SALT_BYTES, (index + 1) * CLAIM_SALT_BYTES);
  }

  leaf(text: string, index: number): Uint8Array {
    // A UTF-16 unit has at most three bytes in UTF-8.
    const mostBytes = LEAF_TEXT_AT + 3 * text.length;
    if (mostBytes > this.#leafInput.length) {
      this.#leafInput = new Uint8Array(2 * mostBytes);
      this.#leafText = this.#leafInput.subarray(LEAF_TEXT_AT);
    }
    this.#leafInput.set(this.salt(index), 1);
    const { written } = this.#encoder.encodeInto(text, this.#leafText);
    return this.#sha256(this.#leafInput.subarray(0, LEAF_TEXT_AT + written));
  }

  parent(left: Uint8Array, right: Uint8Array): Uint8Array {
    this.#parentInput.set(left, 1);
    this.#parentInput.set(right, 1 + DIGEST_BYTES);
    return this.#sha256(this.#parentInput);
  }
}

/**
 * Root over the claims of one entry; zero bytes for none. Keeps O(log n) digests.
 * @throws RangeError unless there is a salt for each
 */
export function claimsDigest(texts: readonly string[], salts: Uint8Array, sha256: Sha256): Uint8Array {
  if (texts.length === 0) return ZERO_DIGEST;
  const hasher = new ClaimHasher(texts.length, salts, sha256);
  /** Roots of perfect trees, largest first. */
  const peaks: Uint8Array[] = [];
  for (const [index, text] of texts.entries()) {
    let digest = hasher.leaf(text, index);
    // As many trees become one as the number of leaves before has ones at its end.
    for (let bits = index; bits % 2 === 1; bits = (bits - 1) / 2) digest = hasher.parent(peaks.pop() ?? digest, digest);
    peaks.push(digest);
  }
  return peaks.reduceRight((right, left) => hasher.parent(left, right));
}

/** The whole tree over an entry's claims, for proofs of several of them. */
export class ClaimsTree {
  readonly #texts: readonly string[];
  readonly #hasher: ClaimHasher;
  /** Leaves first; a digest without a neighbour stands in the next level as it is. */
  readonly #levels: readonly (readonly Uint8Array[])[];

  /** @throws RangeError unless there is a salt for each */
  constructor(texts: readonly string[], salts: Uint8Array, sha256: Sha256) {
    this.#texts = texts;
    this.#hasher = new ClaimHasher(texts.length, salts, sha256);
    const levels = [texts.map((text, index) => this.#hasher.leaf(text, index))];
    for (let level = levels[0] ?? []; level.length > 1; ) {
      const next: Uint8Array[] = [];
      for (const [index, digest] of level.entries()) {
        const right = level[index + 1];
        if (index % 2 === 0) next.push(right === undefined ? digest : this.#hasher.parent(digest, right));
      }
      levels.push(next);
      level = next;
    }
    this.#levels = levels;
  }

  /** Equal to `claimsDigest` of the same. */
  get root(): Uint8Array {
    return this.#levels.at(-1)?.[0] ?? ZERO_DIGEST;
  }

  /** @throws RangeError where there is no such claim */
  prove(index: number): ClaimsProof {
    const claim = this.#texts[index];
    if (claim === undefined) throw new RangeError(`there are ${this.#texts.length} claims, and none at ${index}`);
    const proof: ProofStep[] = [];
    for (const [height, level] of this.#levels.entries()) {
      const at = Math.floor(index / 2 ** height);
      const beside = at % 2 === 1 ? level[at - 1] : level[at + 1];
      if (beside === undefined) continue;
      proof.push(at % 2 === 1 ? { left: bytesToHex(beside) } : { right: bytesToHex(beside) });
    }
    return { claim, salt: bytesToHex(this.#hasher.salt(index)), proof };
  }
}

/** The claims digest that a proof leads to. Form was checked before. */
export function claimsDigestOf({ claim, salt, proof }: ClaimsProof, sha256: Sha256): Uint8Array {
  let digest = sha256(joined(Uint8Array.of(0), hexToBytes(salt), utf8ToBytes(claim)));
  const inner = Uint8Array.of(1);
  for (const step of proof) {
    digest = sha256(
      'left' in step ? joined(inner, hexToBytes(step.left), digest) : joined(inner, digest, hexToBytes(step.right)),
    );
  }
  return digest;
}

function joined(a: Uint8Array, b: Uint8Array, c: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length + c.length);
  bytes.set(a, 0);
  bytes.set(b, a.length);
  bytes.set(c, a.length + b.length);
  return bytes;
}
