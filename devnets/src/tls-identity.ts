/** A key and its self-signed certificate for TLS on this machine. */
import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';

const SIGNING = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const VALIDITY_MS = 30 * 24 * 3_600_000;
const OWNER_ONLY = 0o600;

/** A TLS identity on disk; `fingerprint` is the SHA-256 of the certificate's DER. */
export type TlsIdentity = Readonly<{ keyFile: string; certFile: string; fingerprint: `0x${string}` }>;

/** Makes a P-256 key `<name>.key` and its certificate `<name>.pem` for `localhost` and 127.0.0.1, in `dir`. */
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
