import { hash } from 'node:crypto';

/** OpenSSL's, in one call: verifying a ledger is little else. */
export const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer');
