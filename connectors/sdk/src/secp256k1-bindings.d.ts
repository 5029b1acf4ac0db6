/** The part of `secp256k1` that is bound to libsecp256k1; importing it throws where the package has no binary. */
declare module 'secp256k1/bindings.js' {
  const bindings: Readonly<{
    /** Fills `output` with the key, 65 bytes with the prefix 4, and gives it back. Throws when there is none. */
    ecdsaRecover(
      signature: Uint8Array,
      recovery: number,
      digest: Uint8Array,
      compressed: false,
      output: Uint8Array,
    ): Uint8Array;
  }>;

  export = bindings;
}
