/** `/health` and `/metrics` for operators, plain HTTP on loopback. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

/** `ok` decides the status: 200 or 503. Every part is a word or a number; nothing confidential. */
export type Health = Readonly<{ ok: boolean } & Record<string, unknown>>;
export type StatusServerOptions = Readonly<{ host: string; port: number }>;
export type StatusServer = Readonly<{ url: string; close: () => Promise<void> }>;

export async function startStatusServer(
  options: StatusServerOptions,
  dependencies: { registry: Registry; health: () => Promise<Health> },
): Promise<StatusServer> {
  const server = createServer((request, response) => {
    answer(request.method, request.url, dependencies).then(
      ({ status, type, body }) => response.writeHead(status, { 'content-type': type }).end(body),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://${options.host}:${port}`, close: () => close(server) };
}

type Answer = Readonly<{ status: number; type: string; body: string }>;

async function answer(
  method: string | undefined,
  url: string | undefined,
  { registry, health }: { registry: Registry; health: () => Promise<Health> },
): Promise<Answer> {
  if (method === 'GET' && url === '/metrics') {
    return { status: 200, type: registry.contentType, body: await registry.metrics() };
  }
  if (method === 'GET' && url === '/health') {
    const state = await health();
    return { status: state.ok ? 200 : 503, type: 'application/json', body: `${JSON.stringify(state)}\n` };
  }
  return { status: 404, type: 'text/plain', body: 'there are /health and /metrics\n' };
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve, reject) => server.close((error) => (error ? reject(error) : resolve())));
}
