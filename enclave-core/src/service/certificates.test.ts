import { createHash, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { recipientFor } from '../keys/sealed-to-key.ts';
import { endorseNode, selfSignedCertificate } from './node-certificate.ts';
import { type NodeIdentity, nodeIdOf } from './node-identity.ts';
import { createServiceCertificate, type ServiceCertificate } from './service-certificate.ts';
import { clientCertificate } from './testing/client-certificate.ts';

const NOW_MS = Date.now();
const DAY_MS = 86_400_000;
const HOSTS = ['localhost', '127.0.0.1', '::1', 'core.example'];

const makeService = (): ServiceCertificate =>
  createServiceCertificate({ commonName: 'Drawbridge 0x12', nowMs: NOW_MS, validityDays: 365 });

/** Without an RSA key of its own: certificates have nothing to do with it. */
function makeNode(): NodeIdentity {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const spki = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  return {
    nodeId: nodeIdOf(spki),
    signingKey: privateKey,
    publicKey: spki,
    encryption: recipientFor(privateKey),
    encryptionKey: 'none',
  };
}

const endorsed = (service: ServiceCertificate, node: NodeIdentity, validityDays = 30): string =>
  endorseNode({
    serviceKey: service.key,
    serviceCertificate: service.certificate,
    nodePublicKey: node.publicKey,
    nodeId: node.nodeId,
    platform: 'virtual',
    hosts: HOSTS,
    nowMs: NOW_MS,
    validityDays,
  });

/** Answers whether a client that pins `pinned` accepts who shows `certificates` as `host`. */
async function accepts(node: NodeIdentity, certificates: string, pinned: string, host: string): Promise<string> {
  const key = node.signingKey.export({ type: 'pkcs8', format: 'pem' });
  const server = createServer({ key, cert: certificates, minVersion: 'TLSv1.3' }, (socket) => socket.end());
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await new Promise((resolve) => {
      const socket: TLSSocket = connect({ port, host: '127.0.0.1', servername: host, ca: pinned }, () => {
        resolve(socket.authorized ? 'accepted' : String(socket.authorizationError));
        socket.destroy();
      });
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(String(error.code)));
    });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

describe('certificates', () => {
  let service: ServiceCertificate;
  let node: NodeIdentity;
  let certificate: string;
  beforeAll(() => {
    service = makeService();
    node = makeNode();
    certificate = endorsed(service, node);
  });

  it('of a node are accepted, by each of its names and no other, by who pins the service', async () => {
    const chain = certificate + service.certificate;
    for (const shown of [certificate, chain]) {
      expect(await accepts(node, shown, service.certificate, 'localhost')).toBe('accepted');
    }
    expect(await accepts(node, chain, service.certificate, 'core.example')).toBe('accepted');
    expect(await accepts(node, chain, service.certificate, 'other.example')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(await accepts(node, chain, makeService().certificate, 'localhost')).not.toBe('accepted');
    const own = selfSignedCertificate(node, { hosts: HOSTS, nowMs: NOW_MS });
    expect(await accepts(node, own, service.certificate, 'localhost')).not.toBe('accepted');
  });

  it('of the service issue nodes and no further authority', () => {
    const parsed = new X509Certificate(service.certificate);
    expect(parsed.ca).toBe(true);
    expect(parsed.subject).toBe('CN=Drawbridge 0x12');
    expect(parsed.verify(parsed.publicKey)).toBe(true);
    expect(parsed.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: 'secp384r1' });
    expect(createPublicKey(service.key).equals(parsed.publicKey)).toBe(true);
    const hex = parsed.raw.toString('hex');
    // Basic constraints and key usage as DER, both critical: CA with path length 0; digitalSignature and keyCertSign.
    expect(hex).toContain('0603551d130101ff040830060101ff020100');
    expect(hex).toContain('0603551d0f0101ff040403020284');
    // ECDSA with SHA-384.
    expect(hex).toContain('06082a8648ce3d040303');
    expect(Date.parse(parsed.validTo)).toBeGreaterThan(NOW_MS + 364 * DAY_MS);
  });

  it('of a node say which one it is, what it runs on and where it is, and that it is no authority', () => {
    const parsed = new X509Certificate(certificate);
    expect(parsed.subject).toBe(`OU=platform virtual\nCN=${node.nodeId}`);
    expect(parsed.ca).toBe(false);
    expect(parsed.subjectAltName).toBe(
      'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:core.example',
    );
    const issuer = new X509Certificate(service.certificate);
    expect([parsed.checkIssued(issuer), parsed.verify(issuer.publicKey)]).toEqual([true, true]);
    const spki = parsed.publicKey.export({ type: 'spki', format: 'der' });
    expect(createHash('sha256').update(spki).digest('hex')).toBe(node.nodeId);
    expect(parsed.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
  });

  it('of a node end with that of the service at the latest', () => {
    const until = (days: number): number => Date.parse(new X509Certificate(endorsed(service, node, days)).validTo);
    expect(until(10)).toBe(Math.floor((NOW_MS + 10 * DAY_MS) / 1_000) * 1_000);
    expect(until(4_000)).toBe(Date.parse(new X509Certificate(service.certificate).validTo));
  });

  it('that a node signs for itself are by its key, for a month', () => {
    const parsed = new X509Certificate(selfSignedCertificate(node, { hosts: HOSTS, nowMs: NOW_MS }));
    expect(parsed.verify(createPublicKey(node.publicKey))).toBe(true);
    expect(Date.parse(parsed.validTo)).toBeLessThanOrEqual(NOW_MS + 30 * DAY_MS);
  });

  it('of clients in tests verify under their own P-256 key', () => {
    const parsed = new X509Certificate(clientCertificate('bank A').certificate);
    expect(parsed.verify(parsed.publicKey)).toBe(true);
  });
});
