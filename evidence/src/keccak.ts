/**
 * keccak256 in WebAssembly, by `hash-wasm`: eight times as fast as in JavaScript, and most of what verification does
 * besides signatures. The module is compiled when this file is loaded; a hash is one call and keeps nothing.
 */
import { createKeccak } from 'hash-wasm';

const hasher = await createKeccak(256);

export const keccak256 = (input: Uint8Array): Uint8Array => hasher.init().update(input).digest('binary');
