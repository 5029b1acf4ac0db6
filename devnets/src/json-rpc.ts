/** For one call to a node on loopback; mining many blocks at once takes the longest. */
const CALL_TIMEOUT_MS = 30_000;

/** An error answer, with the node's own words, or no usable answer at all. */
export class JsonRpcError extends Error {
  override readonly name = 'JsonRpcError';
  readonly code: 'JSON_RPC_ERROR' | 'JSON_RPC_UNREACHABLE';
  constructor(code: JsonRpcError['code'], message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** One JSON-RPC 2.0 call over HTTP; the answer is `result` as it came. */
export async function callJsonRpc(url: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const answer = await post(url, { jsonrpc: '2.0', id: 1, method, params }).catch((cause: unknown) => {
    throw new JsonRpcError('JSON_RPC_UNREACHABLE', `${method}: no usable answer from ${url}`, cause);
  });
  if (typeof answer === 'object' && answer !== null && 'result' in answer) return answer.result;
  const error = typeof answer === 'object' && answer !== null && 'error' in answer ? answer.error : answer;
  throw new JsonRpcError('JSON_RPC_ERROR', `${method}: ${JSON.stringify(error)}`);
}

async function post(url: string, body: object): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
  });
  return response.json();
}
