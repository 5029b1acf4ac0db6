/** Throw-away certificates for tests: P-256, self-signed, by @peculiar/x509. Development only. */
import 'reflect-metadata';
import { createHash, webcrypto } from 'node:crypto';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import * as x509 from '@peculiar/x509';

export type TestCertificate = Readonly<{ key: string; cert: string; fingerprint: Bytes32 }>;

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;

type CertificateOptions = Readonly<{
  fromMs?: number;
  toMs?: number;
  issuer?: TestCertificate;
  /** Whether it may sign others. */
  authority?: boolean;
}>;

/** Valid from a day ago to tomorrow unless `fromMs` and `toMs` (Unix ms) say otherwise; signed by itself or by `issuer`. */
export async function testCertificate(
  name: string,
  { fromMs = Date.now() - DAY_MS, toMs = Date.now() + DAY_MS, issuer, authority = false }: CertificateOptions = {},
): Promise<TestCertificate> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const parameters = {
    serialNumber: '01',
    notBefore: new Date(fromMs),
    notAfter: new Date(toMs),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }]),
      ...(authority ? [new x509.BasicConstraintsExtension(true)] : []),
    ],
  };
  const certificate = issuer
    ? await x509.X509CertificateGenerator.create({
        ...parameters,
        subject: `CN=${name}`,
        issuer: new x509.X509Certificate(issuer.cert).subject,
        publicKey: keys.publicKey,
        signingKey: await signingKeyOf(issuer),
      })
    : await x509.X509CertificateGenerator.createSelfSigned({
        ...parameters,
        name: `CN=${name}`,
        keys,
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

function signingKeyOf({ key }: TestCertificate): ReturnType<typeof webcrypto.subtle.importKey> {
  const der = Buffer.from(key.replace(/-----[^-]+-----/g, ''), 'base64');
  return webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
}
