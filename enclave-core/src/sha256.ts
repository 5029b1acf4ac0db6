/** SHA-256 by Node itself: what runs for every payment on every node. */
import { Buffer } from 'node:buffer';
import { createHmac, hash } from 'node:crypto';
import type { Sha256 } from '@drawbridge/protocol/ledger/hash';

const DIGEST_BYTES = 32;

/**
 * One call is a third of the cost of a hash object. The digest is taken as text, whose characters are its bytes, because a
 * buffer from there brings memory of its own, which costs more than the hash.
 */
export const sha256: Sha256 = (bytes) => {
  const digest = Buffer.allocUnsafe(DIGEST_BYTES);
  digest.write(hash('sha256', bytes, 'binary'), 0, DIGEST_BYTES, 'latin1');
  return digest;
};

/** Of a text's UTF-8; 32 characters, each of which is a byte. */
export const sha256OfText = (text: string): string => hash('sha256', text, 'binary');

/** HMAC over a text's UTF-8. */
export const hmacSha256 = (key: Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest();
