/** Certificates as participants make them for themselves: P-256, signed by their own key. Development only. */
import { generateKeyPairSync } from 'node:crypto';
import { id_kp_clientAuth, id_kp_serverAuth, KeyUsageFlags } from '@peculiar/asn1-x509';
import { alternativeNames, basicConstraints, extendedKeyUsage, issueCertificate, keyUsage } from '../x509.ts';

/** PEM: PKCS#8, and X.509. */
export type ClientCertificate = Readonly<{ key: string; certificate: string }>;

const VALID_MS = 30 * 86_400_000;

export function clientCertificate(commonName: string): ClientCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const nowMs = Date.now();
  const certificate = issueCertificate(
    {
      subject: { commonName },
      publicKey,
      fromMs: nowMs,
      untilMs: nowMs + VALID_MS,
      extensions: [
        basicConstraints(),
        keyUsage(KeyUsageFlags.digitalSignature),
        extendedKeyUsage([id_kp_serverAuth, id_kp_clientAuth]),
        alternativeNames(['localhost', '127.0.0.1']),
      ],
    },
    { key: privateKey },
  );
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), certificate };
}
