/**
 * Keys and certificates of everybody in a local system. Each organisation would make its own; here one program plays
 * them all, so every key file says so by lying in the run's folder, readable by its owner only.
 */
import 'reflect-metadata';
import { generateKeyPairSync, randomBytes, webcrypto } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Hex } from '@drawbridge/protocol/bytes32';
import { SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';

const SIGNING = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const VALIDITY_MS = 30 * 24 * 3_600_000;
const SEALING_KEY_BITS = 3072;
const OWNER_ONLY = 0o600;

/** A TLS identity on disk; `fingerprint` is the SHA-256 of the certificate's DER. */
export type TlsIdentity = Readonly<{ keyFile: string; certFile: string; fingerprint: Hex }>;

/** Makes a self-signed P-256 certificate `<name>.pem` and its key `<name>.key` in `dir`. */
export async function createTlsIdentity(dir: string, name: string): Promise<TlsIdentity> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const keys = await webcrypto.subtle.generateKey(SIGNING, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: randomBytes(16).toString('hex'),
    name: `CN=${name}, O=Drawbridge development`,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + VALIDITY_MS),
    signingAlgorithm: SIGNING,
    keys,
    extensions: [
      new SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
      ]),
    ],
  });
  const keyFile = join(dir, `${name}.key`);
  const certFile = join(dir, `${name}.pem`);
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const lines = pkcs8.match(/.{1,64}/g) ?? [];
  await writeFile(keyFile, `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`, {
    mode: OWNER_ONLY,
  });
  await writeFile(certFile, certificate.toString('pem'));
  const digest = Buffer.from(await certificate.getThumbprint('SHA-256')).toString('hex');
  return { keyFile, certFile, fingerprint: `0x${digest}` };
}

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
