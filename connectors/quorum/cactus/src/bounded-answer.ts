/** One HTTP request whose answer can be neither larger nor later than allowed, and comes from where it was asked. */
import type { FetchRequest, GetUrlResponse } from 'ethers';

export type AnswerBounds = Readonly<{ timeoutMs: number; answerBytes: number }>;

export class AnswerTooLargeError extends Error {
  override readonly name = 'AnswerTooLargeError';
  readonly code = 'ANSWER_TOO_LARGE' as const;
}

/** For ethers' `getUrlFunc`. */
export async function readBounded(request: FetchRequest, bounds: AnswerBounds): Promise<GetUrlResponse> {
  const { url, method, headers, body } = request;
  const answer = await fetchBounded(url, { method, headers, ...(body && { body: Buffer.from(body) }) }, bounds);
  return {
    statusCode: answer.status,
    statusMessage: answer.statusText,
    headers: Object.fromEntries(answer.headers),
    body: answer.body,
  };
}

export type BoundedAnswer = Readonly<{ status: number; statusText: string; headers: Headers; body: Uint8Array }>;

/** @throws AnswerTooLargeError, or fetch's own error for no answer in time; a redirect is no answer */
export async function fetchBounded(url: string, init: RequestInit, bounds: AnswerBounds): Promise<BoundedAnswer> {
  const { timeoutMs, answerBytes } = bounds;
  const response = await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the stream.
    if (bytes > answerBytes) throw new AnswerTooLargeError(`an answer of more than ${answerBytes} bytes`);
    chunks.push(chunk);
  }
  const { status, statusText, headers } = response;
  return { status, statusText, headers, body: Buffer.concat(chunks) };
}
