/** JSON-RPC 2.0 calls to a node in one HTTP request, with a bound on time and bytes. Redirects are not followed. */
import { NodeError } from './evm-node.ts';

export type JsonRpcCall = Readonly<{ method: string; params: readonly unknown[] }>;
export type JsonRpcOptions = Readonly<{ url: string; timeoutMs: number; maxBytes: number }>;

/** The `result` of each call, in the order of `calls`. @throws NodeError */
export async function callBatch(options: JsonRpcOptions, calls: readonly JsonRpcCall[]): Promise<unknown[]> {
  const body = JSON.stringify(calls.map(({ method, params }, id) => ({ jsonrpc: '2.0', id, method, params })));
  const answer = parse(await post(options, body));
  if (!Array.isArray(answer) || answer.length !== calls.length) {
    throw new NodeError('NODE_ANSWER_INVALID', `the node did not answer each of ${calls.length} calls once`);
  }
  const byId = new Map<unknown, unknown>(answer.map((item: unknown) => [part(item, 'id'), item]));
  return calls.map(({ method }, id) => {
    const item = byId.get(id);
    if (item === undefined) throw new NodeError('NODE_ANSWER_INVALID', `the node did not answer ${method}`);
    if (part(item, 'error') !== undefined) throw new NodeError('NODE_REFUSED', `the node refused ${method}`);
    const result = part(item, 'result');
    if (result === undefined) throw new NodeError('NODE_ANSWER_INVALID', `the node gave ${method} no result`);
    return result;
  });
}

/** An own property, or `undefined`. */
function part(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new NodeError('NODE_ANSWER_INVALID', 'the node did not answer JSON', { cause });
  }
}

async function post({ url, timeoutMs, maxBytes }: JsonRpcOptions, body: string): Promise<string> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body,
      redirect: 'error',
      signal,
    });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw new NodeError('NODE_REFUSED', `the node answered with HTTP status ${response.status}`);
    }
    return await readBounded(response.body, maxBytes);
  } catch (cause) {
    if (cause instanceof NodeError) throw cause;
    if (signal.aborted) throw new NodeError('NODE_TIMEOUT', `the node gave no answer in ${timeoutMs} ms`, { cause });
    throw new NodeError('NODE_UNREACHABLE', 'the node cannot be reached', { cause });
  }
}

async function readBounded(body: ReadableStream<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > maxBytes) throw new NodeError('NODE_ANSWER_INVALID', `the node answered over ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
