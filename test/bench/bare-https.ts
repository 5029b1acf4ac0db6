/**
 * The ceiling of this machine for one payment a request: a server of `node:https` that parses the body and answers a fixed
 * text of the size of the core's answer, without schema, ledger or disk. Run as a process of its own:
 * `bare-https.ts KEY CERTIFICATE`, prints its URL. What the core does beside this is the core's.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** The core's answer to a payment that settled at once, in bytes. */
const ANSWER_BYTES = 450;

const [keyFile = '', certificateFile = ''] = process.argv.slice(2);
const server = createServer(
  {
    key: readFileSync(keyFile),
    cert: readFileSync(certificateFile),
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.3',
  },
  (request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      text += chunk;
    });
    request.on('end', () => {
      const { id } = JSON.parse(text) as { id: string };
      const answer = JSON.stringify({ id, state: 'SETTLED', padding: 'x'.repeat(ANSWER_BYTES) });
      response.writeHead(201, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) });
      response.end(answer);
    });
  },
);
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ url: `https://127.0.0.1:${(server.address() as AddressInfo).port}` })}\n`);
});
process.once('SIGTERM', () => process.exit(0));
