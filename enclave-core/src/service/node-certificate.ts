/** Certificates of nodes: endorsed by the service, or signed by the node itself to ask for that. */
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import { id_kp_clientAuth, id_kp_serverAuth, KeyUsageFlags } from '@peculiar/asn1-x509';
import type { PlatformKind } from '../platform/platform.ts';
import type { NodeIdentity } from './node-identity.ts';
import {
  alternativeNames,
  authorityKey,
  basicConstraints,
  extendedKeyUsage,
  issueCertificate,
  keyUsage,
  subjectKey,
} from './x509.ts';

const DAY_MS = 86_400_000;
/** Of a certificate that a node signs for itself: it is shown while asking to join. */
const SELF_SIGNED_DAYS = 30;

export type EndorseNodeOptions = Readonly<{
  /** PKCS#8, PEM. */
  serviceKey: string;
  serviceCertificate: string;
  /** PEM of an SPKI, or the key. */
  nodePublicKey: string | KeyObject;
  /** SHA-256 of that. */
  nodeId: NodeId;
  platform: PlatformKind;
  /** Names and addresses that clients may reach it by. */
  hosts: readonly string[];
  /** Unix ms. */
  nowMs: number;
  /** At most until the end of the service certificate. */
  validityDays: number;
}>;

/** @returns PEM; its subject says which node it is and what it runs on */
export function endorseNode(options: EndorseNodeOptions): string {
  const { serviceCertificate, nodeId, platform, hosts, nowMs, validityDays } = options;
  const { nodePublicKey } = options;
  const publicKey = typeof nodePublicKey === 'string' ? createPublicKey(nodePublicKey) : nodePublicKey;
  const service = new X509Certificate(serviceCertificate);
  return issueCertificate(
    {
      subject: { commonName: nodeId, organizationalUnit: `platform ${platform}` },
      publicKey,
      fromMs: nowMs,
      untilMs: Math.min(nowMs + validityDays * DAY_MS, Date.parse(service.validTo)),
      extensions: [...extensionsOf(hosts), subjectKey(publicKey), authorityKey(service.publicKey)],
    },
    { key: createPrivateKey(options.serviceKey), certificate: serviceCertificate },
  );
}

/** @returns PEM */
export function selfSignedCertificate(
  { nodeId, signingKey }: NodeIdentity,
  { hosts, nowMs }: Readonly<{ hosts: readonly string[]; nowMs: number }>,
): string {
  return issueCertificate(
    {
      subject: { commonName: nodeId },
      publicKey: createPublicKey(signingKey),
      fromMs: nowMs,
      untilMs: nowMs + SELF_SIGNED_DAYS * DAY_MS,
      extensions: extensionsOf(hosts),
    },
    { key: signingKey },
  );
}

const extensionsOf = (hosts: readonly string[]) => [
  basicConstraints(),
  keyUsage(KeyUsageFlags.digitalSignature),
  extendedKeyUsage([id_kp_serverAuth, id_kp_clientAuth]),
  alternativeNames(hosts),
];
