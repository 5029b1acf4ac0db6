/** The API on real sockets: a random port of 127.0.0.1, TLS 1.3, a client certificate for each participant asked for. */
import type { AddressInfo } from 'node:net';
import { buildApi } from '../build-api.ts';
import type { ApiServer } from '../context.ts';
import type { ApiLimits } from '../limits.ts';
import { FakeCore, type WORLD } from './fake-core.ts';
import type { LogLine } from './inject-api.ts';
import { type TestCertificate, testCertificate } from './test-certificates.ts';

type Who = keyof typeof WORLD;
export type TlsApi<Names extends Who = Who> = Readonly<{
  core: FakeCore;
  app: ApiServer;
  log: LogLine[];
  port: number;
  server: TestCertificate;
  certificates: Readonly<Record<Names, TestCertificate>>;
}>;

export async function tlsApi<const Names extends Who>(
  names: readonly Names[],
  options: { limits?: Partial<ApiLimits>; nowMs?: () => number } = {},
): Promise<TlsApi<Names>> {
  const made = await Promise.all(names.map(async (name) => [name, await testCertificate(name)] as const));
  const certificates = Object.fromEntries(made) as Record<Names, TestCertificate>;
  const core = new FakeCore(Object.fromEntries(made.map(([name, { fingerprint }]) => [name, fingerprint])));
  const server = await testCertificate('node');
  core.serviceCertificate = server.cert;
  const log: LogLine[] = [];
  const write = (fields: LogLine['fields'], message: string): void => void log.push({ fields, message });
  const app = buildApi(core, {
    tls: server,
    logger: { info: write, warn: write, error: write },
    ...(options.limits && { limits: options.limits }),
    ...(options.nowMs && { nowMs: options.nowMs }),
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  return { core, app, log, port, server, certificates };
}
