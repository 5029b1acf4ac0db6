/** HTTP for ethers where a node is not trusted to end: an answer can be neither longer nor later than allowed. */
import type { FetchGetUrlFunc } from 'ethers';

export type TransportBounds = Readonly<{ timeoutMs: number; maxAnswerBytes: number }>;

/** The node's answer is longer than allowed; the rest of it is not read. */
export class AnswerTooLongError extends Error {
  override readonly name = 'AnswerTooLongError';
  readonly code = 'ANSWER_TOO_LONG' as const;
}

export function boundedTransport({ timeoutMs, maxAnswerBytes }: TransportBounds): FetchGetUrlFunc {
  return async ({ url, method, headers, body }) => {
    const response = await fetch(url, {
      method,
      headers,
      ...(body === null ? {} : { body: Buffer.from(body) }),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength;
      // Leaving the loop cancels the stream.
      if (bytes > maxAnswerBytes) throw new AnswerTooLongError(`an answer of more than ${maxAnswerBytes} bytes`);
      chunks.push(chunk);
    }
    const { status, statusText } = response;
    // Headers are left out: ethers would wait as long as `retry-after` says.
    return { statusCode: status, statusMessage: statusText, headers: {}, body: Buffer.concat(chunks) };
  };
}
