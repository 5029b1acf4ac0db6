export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** Lower case, without 0x. */
export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
