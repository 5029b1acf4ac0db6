/**
 * Keys of everybody in a local system, beside those for TLS. Each organisation would make its own; here one program plays
 * them all, so every key file says so by lying in the run's folder, readable by its owner only.
 */
import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import type { Hex } from '@drawbridge/protocol/bytes32';

const SEALING_KEY_BITS = 3072;
const OWNER_ONLY = 0o600;

/** RSA key that instructions are sealed to. */
export async function createSealingKey(file: string): Promise<{ publicKey: string }> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: SEALING_KEY_BITS,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  await writeFile(file, privateKey, { mode: OWNER_ONLY });
  return { publicKey };
}

/** Ed25519 key of an observer, or of a holder of a bootstrap key; `publicKey` is the raw 32 bytes. */
export async function createSigningKey(file: string): Promise<{ publicKey: Hex }> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: OWNER_ONLY });
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex');
  return { publicKey: `0x${raw}` };
}
