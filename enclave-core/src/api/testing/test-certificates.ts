/** Throw-away certificates for tests: P-256, self-signed, by @peculiar/x509. Development only. */
import 'reflect-metadata';
import { createHash, webcrypto } from 'node:crypto';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import * as x509 from '@peculiar/x509';

export type TestCertificate = Readonly<{ key: string; cert: string; fingerprint: Bytes32 }>;

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;

/** Valid from a day ago to tomorrow unless `fromMs` and `toMs` (Unix ms) say otherwise. */
export async function testCertificate(
  name: string,
  { fromMs = Date.now() - DAY_MS, toMs = Date.now() + DAY_MS }: { fromMs?: number; toMs?: number } = {},
): Promise<TestCertificate> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: `CN=${name}`,
    notBefore: new Date(fromMs),
    notAfter: new Date(toMs),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }])],
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const body = pkcs8.match(/.{1,64}/g)?.join('\n') ?? '';
  const digest = createHash('sha256').update(Buffer.from(certificate.rawData)).digest('hex');
  return {
    key: `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\n`,
    cert: `${certificate.toString('pem')}\n`,
    fingerprint: `0x${digest}` as Bytes32,
  };
}
