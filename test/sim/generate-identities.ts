/**
 * Writes `identities.json`: a service and nodes with keys and certificates that never change, so that a seed is the same
 * run on every machine and day. They are good for nothing but simulations.
 */
import { createHash, createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { endorseNode } from '@drawbridge/enclave-core/service/node-certificate';
import { createServiceCertificate } from '@drawbridge/enclave-core/service/service-certificate';
import { START_MS } from '@drawbridge/enclave-core/settlement/testing/world';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';

const NODES = 7;
const VALIDITY_DAYS = 365 * 50;

const { key, certificate } = createServiceCertificate({
  commonName: 'Drawbridge simulation',
  nowMs: START_MS,
  validityDays: VALIDITY_DAYS,
});
const nodes = Array.from({ length: NODES }, () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const nodeId = createHash('sha256').update(spki).digest('hex') as NodeId;
  const endorsed = endorseNode({
    serviceKey: key,
    serviceCertificate: certificate,
    nodePublicKey: publicKey,
    nodeId,
    platform: 'virtual',
    hosts: ['127.0.0.1'],
    nowMs: START_MS,
    validityDays: VALIDITY_DAYS,
  });
  const { d } = createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' })).export({ format: 'jwk' });
  return { nodeId, secret: Buffer.from(d ?? '', 'base64url').toString('hex'), certificate: endorsed };
});
const text = JSON.stringify({ certificate, nodes }, undefined, 2);
writeFileSync(new URL('identities.json', import.meta.url), `${text}\n`);
