/**
 * Requests as the clients send them that Cactus generates for its Corda connector (there is none on npm): each operation by its path and
 * verb, the body as JSON with GET and DELETE too.
 */
import { request } from 'node:http';

export type Answer = Readonly<{ status: number; type: string; body: unknown }>;
export type ApiCall = Readonly<{
  base: string;
  verb: 'get' | 'post' | 'delete';
  path: string;
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
}>;

export function callApi({ base, verb, path, body, headers = {} }: ApiCall): Promise<Answer> {
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  const described =
    text === '' ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, base), { method: verb, headers: { ...described, ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const type = response.headers['content-type'] ?? '';
        const said = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, type, body: type.includes('json') ? JSON.parse(said) : said });
      });
    });
    sent.on('error', reject);
    sent.end(text);
  });
}
