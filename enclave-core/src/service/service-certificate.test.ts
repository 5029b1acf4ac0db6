import { X509Certificate } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { describe, expect, it } from '@jest/globals';
import { createServiceCertificate, type ServiceCertificate } from './service-certificate.ts';

const make = (): ServiceCertificate =>
  createServiceCertificate({
    commonName: 'Drawbridge 0x12',
    hosts: ['localhost', '127.0.0.1', 'core.example'],
    nowMs: Date.now(),
    validityDays: 365,
  });

/** Answers whether a client that pins `pinned` accepts `served` as `host`. */
async function accepts(served: ServiceCertificate, pinned: string, host: string): Promise<string> {
  const server = createServer({ key: served.key, cert: served.certificate, minVersion: 'TLSv1.3' }, (socket) =>
    socket.end(),
  );
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

describe('service certificate', () => {
  it('is one that a client which pins it accepts by each of its names, and no other', async () => {
    const own = make();
    expect(await accepts(own, own.certificate, 'localhost')).toBe('accepted');
    expect(await accepts(own, own.certificate, 'core.example')).toBe('accepted');
    expect(await accepts(own, own.certificate, 'other.example')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(await accepts(make(), own.certificate, 'localhost')).not.toBe('accepted');
  });

  it('names itself, its hosts, and is no authority', () => {
    const { certificate, key } = make();
    const parsed = new X509Certificate(certificate);
    expect(parsed.subject).toBe('CN=Drawbridge 0x12');
    expect(parsed.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1, DNS:core.example');
    expect(parsed.ca).toBe(false);
    expect(parsed.verify(parsed.publicKey)).toBe(true);
    expect(key).toContain('BEGIN PRIVATE KEY');
    expect(Date.parse(parsed.validTo)).toBeGreaterThan(Date.now() + 360 * 86_400_000);
  });
});
