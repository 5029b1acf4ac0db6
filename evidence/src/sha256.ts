/** SHA-256 in WebAssembly, by `hash-wasm`: twice as fast as in JavaScript, and most of a Corda transaction besides signatures. */
import { createSHA256 } from 'hash-wasm';

const hasher = await createSHA256();

/** 32 bytes. */
export type Sha256 = (input: Uint8Array) => Uint8Array;

export const sha256: Sha256 = (input) => hasher.init().update(input).digest('binary');
