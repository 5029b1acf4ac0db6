/** SHA-256 comes from the caller: Node's own for speed, @noble/hashes where there is no Node. Must not keep what it is given. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** Bytes of a digest. */
export const DIGEST_BYTES = 32;

/** Stands for "no claims", and is leaf 0 of the tree. Never to be written to. */
export const ZERO_DIGEST: Uint8Array = new Uint8Array(DIGEST_BYTES);
