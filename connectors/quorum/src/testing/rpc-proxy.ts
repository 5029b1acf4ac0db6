/**
 * A JSON-RPC proxy that can lose an answer (the node has the transaction, and who sent it never hears of it), or give
 * another than the node's.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What goes out in place of the node's answer. `endless`: the text over and over, until nobody reads it any more. */
export type FalseAnswer = Readonly<{
  status?: number;
  headers?: Readonly<Record<string, string>>;
  text: string;
  /** The connection breaks where the text ends, short of the length that was announced. */
  broken?: boolean;
  endless?: boolean;
}>;

export type RpcProxy = Readonly<{
  url: string;
  /** Every answer goes through this from now on; `undefined` from it, or in place of it: the node's own. */
  tamper: (tamper: ((request: string, answer: string) => FalseAnswer | undefined) | undefined) => void;
  /** The answer to the next raw transaction is kept back; `taken` resolves when the node has it. */
  swallowNextSend: () => { taken: Promise<void>; restore: () => void };
  stop: () => Promise<void>;
}>;

export async function startRpcProxy(target: string): Promise<RpcProxy> {
  let swallow: (() => void) | undefined;
  let tamper: Parameters<RpcProxy['tamper']>[0];
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await textOf(request);
    const answer = await fetch(target, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
    const text = await answer.text();
    if (swallow && body.includes('"eth_sendRawTransaction"')) {
      swallow();
      request.socket.destroy();
      return;
    }
    const other = tamper?.(body, text);
    if (other) sendFalse(response, other);
    else response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text);
  };
  const server = createServer((request, response) => {
    serve(request, response).catch(() => request.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tamper: (next) => {
      tamper = next;
    },
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

function sendFalse(response: ServerResponse, answer: FalseAnswer): void {
  const { status = 200, headers = {}, text, broken = false, endless = false } = answer;
  const length = broken ? { 'content-length': String(Buffer.byteLength(text) + 1_000) } : {};
  response.writeHead(status, { 'content-type': 'application/json', ...length, ...headers });
  if (broken) response.write(text, () => response.destroy());
  else if (endless) pourOut(response, text);
  else response.end(text);
}

function pourOut(response: ServerResponse, text: string): void {
  if (response.destroyed) return;
  response.write(text, () => pourOut(response, text));
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
