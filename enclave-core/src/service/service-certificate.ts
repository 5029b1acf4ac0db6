/**
 * The service's identity: an EC P-384 key that all nodes share as ledger state, and a certificate signed by itself, which
 * clients pin. It issues the certificates of nodes and nothing else.
 */
import { generateKeyPairSync } from 'node:crypto';
import { KeyUsageFlags } from '@peculiar/asn1-x509';
import { authorityKey, basicConstraints, issueCertificate, keyUsage, subjectKey } from './x509.ts';

const DAY_MS = 86_400_000;

export type ServiceCertificate = Readonly<{
  /** PKCS#8, PEM. */
  key: string;
  /** X.509, PEM. */
  certificate: string;
}>;

export type ServiceCertificateOptions = Readonly<{
  commonName: string;
  /** Unix ms. */
  nowMs: number;
  validityDays: number;
}>;

export function createServiceCertificate(options: ServiceCertificateOptions): ServiceCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const certificate = issueCertificate(
    {
      subject: { commonName: options.commonName },
      publicKey,
      fromMs: options.nowMs,
      untilMs: options.nowMs + options.validityDays * DAY_MS,
      extensions: [
        // Below it stand nodes only.
        basicConstraints(0),
        keyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.digitalSignature),
        subjectKey(publicKey),
        authorityKey(publicKey),
      ],
    },
    { key: privateKey },
  );
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), certificate };
}
