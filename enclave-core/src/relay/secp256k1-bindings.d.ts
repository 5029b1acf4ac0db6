/** The part of `secp256k1` that is bound to libsecp256k1; importing it throws where the package has no binary. */
declare module 'secp256k1/bindings.js' {
  const bindings: Readonly<{
    /** Writes the public key, 65 bytes with the prefix 4, into `output`. Throws when there is none. */
    ecdsaRecover(
      signature: Uint8Array,
      recovery: number,
      digest: Uint8Array,
      compressed: false,
      output: Uint8Array,
    ): Uint8Array;
    /** Makes s of 64 bytes r ‖ s low, in place, and gives them back. Throws for scalars that are not below the order. */
    signatureNormalize(signature: Uint8Array): Uint8Array;
    /** Of a low s. Throws for a point that is none. */
    ecdsaVerify(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean;
  }>;

  export = bindings;
}
