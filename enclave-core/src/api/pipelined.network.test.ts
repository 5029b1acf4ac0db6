/** Requests that follow each other on one connection faster than their answers are taken. */
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { WORLD } from './testing/fake-core.ts';
import { type TlsApi, tlsApi } from './testing/tls-api.ts';

/** Together more than what the sockets between client and server hold. */
const LARGE_ANSWERS = 80;
/** Payments of a batch whose body is many TLS records long. */
const BATCH = 1_000;

function batch(): string {
  const transfers = Array.from({ length: BATCH }, (_, n) => ({
    id: `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`,
    asset: 'EUR',
    amountMinor: '5',
    creditor: WORLD.beta,
    remittance: 'x'.repeat(100),
  }));
  return JSON.stringify({ transfers });
}

let api: TlsApi<'alpha'>;
let socket: TLSSocket;
beforeAll(async () => {
  api = await tlsApi(['alpha'], {});
  const { key, cert } = api.certificates.alpha;
  socket = connect({ host: '127.0.0.1', port: api.port, key, cert, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
});
afterAll(async () => {
  socket.destroy();
  await api.app.close();
});

test('a large batch behind answers that are not yet taken is answered like any other', async () => {
  socket.pause();
  const body = batch();
  const head = 'host: localhost\r\ncontent-type: application/json\r\n';
  socket.write(`GET /docs HTTP/1.1\r\n${head}\r\n`.repeat(LARGE_ANSWERS));
  socket.write(
    `POST /v1/transfers:batch HTTP/1.1\r\n${head}content-length: ${body.length}\r\nconnection: close\r\n\r\n`,
  );
  socket.write(body);
  let text = '';
  for await (const chunk of socket.setEncoding('latin1')) text += String(chunk);
  const statuses = text.match(/HTTP\/1\.1 [0-9]{3}/g) ?? [];
  expect(statuses).toEqual(Array.from({ length: LARGE_ANSWERS + 1 }, () => 'HTTP/1.1 200'));
  expect(text.slice(text.lastIndexOf('HTTP/1.1 200'))).toContain('"results"');
});
