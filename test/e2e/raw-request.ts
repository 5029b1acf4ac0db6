/** One request to the core with somebody's certificate, and the bytes of its answer. */
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import type { LocalSystem } from '@drawbridge/demo/local-system';

/** `headers` without `date`, which differs from one second to the next. */
export type RawAnswer = Readonly<{ status: number; headers: Readonly<Record<string, unknown>>; body: string }>;

const TIMEOUT_MS = 30_000;

export async function ask(system: LocalSystem, name: string, path: string, method = 'GET'): Promise<RawAnswer> {
  const { certFile, keyFile } = system.identity(name);
  const [ca, cert, key] = await Promise.all([system.serviceCertFile, certFile, keyFile].map((file) => readFile(file)));
  return new Promise((resolve, reject) => {
    const options = { method, ca, cert, key, agent: false, timeout: TIMEOUT_MS, minVersion: 'TLSv1.3' } as const;
    const sent = request(new URL(path, system.coreUrl), options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const { date: _date, ...headers } = response.headers;
        resolve({ status: response.statusCode ?? 0, headers, body: Buffer.concat(chunks).toString('latin1') });
      });
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')));
    sent.on('error', reject);
    sent.end();
  });
}

const POSITION = 'x-ms-ccf-transaction-id';
const TRIES = 50;

/**
 * The answers of two questions at one position of the ledger, which every answer names: where the ledger grew between
 * them, both are asked again.
 */
export async function atOnePosition(
  one: () => Promise<RawAnswer>,
  other: () => Promise<RawAnswer>,
): Promise<readonly [RawAnswer, RawAnswer]> {
  for (let tries = 1; ; tries += 1) {
    const answers = [await one(), await other()] as const;
    if (answers[0].headers[POSITION] === answers[1].headers[POSITION] || tries === TRIES) return answers;
  }
}
