/** A JSON-RPC proxy that can lose an answer: the node has the transaction, and who sent it never hears of it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type RpcProxy = Readonly<{
  url: string;
  /** The answer to the next raw transaction is kept back; `taken` resolves when the node has it. */
  swallowNextSend: () => { taken: Promise<void>; restore: () => void };
  stop: () => Promise<void>;
}>;

export async function startRpcProxy(target: string): Promise<RpcProxy> {
  let swallow: (() => void) | undefined;
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await textOf(request);
    const answer = await fetch(target, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
    const text = await answer.text();
    if (swallow && body.includes('"eth_sendRawTransaction"')) {
      swallow();
      request.socket.destroy();
      return;
    }
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text);
  };
  const server = createServer((request, response) => {
    serve(request, response).catch(() => request.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    swallowNextSend: () => {
      const taken = new Promise<void>((resolve) => {
        swallow = resolve;
      });
      const restore = (): void => {
        swallow = undefined;
      };
      return { taken, restore };
    },
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
