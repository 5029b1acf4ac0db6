/** Keys and certificates of the nodes that worlds have; made once by `generate-identities.ts`. */
import { readFileSync } from 'node:fs';
import { sha256 } from '@drawbridge/enclave-core/sha256';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import { NO_LIFE } from '@drawbridge/protocol/ledger/node-life';
import type { NodeDescription } from '@drawbridge/protocol/ledger/service-entry';
import { p384 } from '@noble/curves/nist.js';

export type SimIdentity = Readonly<{
  nodeId: NodeId;
  /** ECDSA P-384 over the SHA-256 of the message, DER; the same bytes each time (RFC 6979). */
  sign: (message: Uint8Array) => Promise<Uint8Array>;
  description: NodeDescription;
}>;

type Stored = Readonly<{
  certificate: string;
  nodes: readonly Readonly<{ nodeId: NodeId; secret: string; certificate: string }>[];
}>;

const stored = JSON.parse(readFileSync(new URL('identities.json', import.meta.url), 'utf8')) as Stored;

export const SERVICE_CERTIFICATE: string = stored.certificate;

export const IDENTITIES: readonly SimIdentity[] = stored.nodes.map(({ nodeId, secret, certificate }, at) => {
  const key = Buffer.from(secret, 'hex');
  return {
    nodeId,
    sign: async (message) => p384.sign(sha256(message), key, { prehash: false, format: 'der', lowS: false }),
    description: {
      nodeId,
      certificate,
      encryptionKey: 'none',
      peerAddress: `127.0.0.1:${1000 + at}`,
      apiAddress: `127.0.0.1:${2000 + at}`,
      platform: 'virtual',
      versions: [1],
      life: NO_LIFE,
    },
  };
});
