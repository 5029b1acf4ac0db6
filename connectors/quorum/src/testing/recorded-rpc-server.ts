/** A recorded node over JSON-RPC, on a random port of loopback. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RecordedNode } from './recorded-blocks.ts';

export type RecordedRpcServer = Readonly<{ url: string; stop: () => Promise<void> }>;

type Call = Readonly<{ id: number; method: string; params?: readonly unknown[] }>;

export async function serveRecorded(node: RecordedNode): Promise<RecordedRpcServer> {
  const one = ({ id, method, params = [] }: Call) => {
    const answer = node.answer(method, params);
    return { jsonrpc: '2.0', id, ...('refused' in answer ? { error: answer.refused } : answer) };
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Call | Call[];
      const answers = Array.isArray(body) ? body.map(one) : one(body);
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answers));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
