/** Signatures of Corda by `node:crypto`. A few are enough here; the core has a faster library for one of the curves. */
import { createPublicKey, verify } from 'node:crypto';
import { type CordaSignatureVerifier, ED25519, isStrictSignature } from '@drawbridge/evidence/corda-keys';

/** The form is checked first: OpenSSL takes more than one encoding of DER. */
export const verifyCordaSignature: CordaSignatureVerifier = ({ scheme, spki }, message, signature) => {
  if (!isStrictSignature(scheme, signature)) return false;
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    return verify(scheme === ED25519 ? null : 'sha256', message, key, signature);
  } catch {
    // A point that is not on its curve is no key, and signed nothing.
    return false;
  }
};
