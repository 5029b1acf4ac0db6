/** The API without sockets: requests go in by Fastify's `inject`, the certificate comes from a header. */
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import { buildApi } from '../build-api.ts';
import type { ApiServer } from '../context.ts';
import type { ApiLimits } from '../limits.ts';
import { FakeCore, testWord, type WORLD } from './fake-core.ts';
import { testCertificate } from './test-certificates.ts';

const HEADER = 'x-test-certificate';

export type LogLine = Readonly<{ fields: Readonly<Record<string, unknown>>; message: string }>;
export type InjectedApi = Readonly<{
  core: FakeCore;
  app: ApiServer;
  log: LogLine[];
  /** As a participant of the world, or as nobody. */
  as: (who: keyof typeof WORLD | 'stranger' | undefined, options: InjectOptions) => Promise<LightMyRequestResponse>;
}>;

export async function injectedApi(limits: Partial<ApiLimits> = {}): Promise<InjectedApi> {
  const core = new FakeCore();
  const server = await testCertificate('node');
  core.serviceCertificate = server.cert;
  const log: LogLine[] = [];
  const write = (fields: LogLine['fields'], message: string): void => void log.push({ fields, message });
  const app = buildApi(core, {
    tls: server,
    limits,
    logger: { info: write, warn: write, error: write },
    peerReader: ({ headers }) => {
      const name = headers[HEADER];
      if (typeof name !== 'string') return undefined;
      return { fingerprint: testWord(name) as Bytes32, notBeforeMs: 0, notAfterMs: Number.MAX_SAFE_INTEGER };
    },
  });
  await app.ready();
  return {
    core,
    app,
    log,
    as: (who, options) => app.inject({ ...options, headers: { ...options.headers, ...(who && { [HEADER]: who }) } }),
  };
}
