/**
 * One mutually authenticated connection to a core: TLS 1.3, the caller's certificate, and the service certificate pinned
 * by its bytes. No authority is asked, so none can stand in for the service.
 */
import { X509Certificate } from 'node:crypto';
import { Agent } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { PROBLEM_MEDIA_TYPE, type ProblemDocument } from '@drawbridge/protocol/api/problem';
import { TRANSACTION_ID_HEADER } from '@drawbridge/protocol/api/wire';
import axios, { type AxiosInstance, type AxiosRequestConfig, type AxiosResponse } from 'axios';
import { ConnectionError, ProblemError } from './problem-error.ts';

export type ConnectionOptions = Readonly<{
  /** `https://host:port` of a node. */
  url: string;
  /** The service certificate (PEM). */
  serviceCertificate: string;
  /** The caller's certificate and private key (PEM). */
  certificate: string;
  key: string;
  /** Longest wait for an answer, ms; default 30,000. */
  timeoutMs?: number;
  /** Connections kept open; default 64. */
  maxSockets?: number;
  /** Tries of a request that is safe to repeat, the first included; default 4. */
  attempts?: number;
  /** Pause before the second try, ms, doubled for each further one; default 200. */
  retryMs?: number;
}>;

/** Answer with the ledger's transaction id, where the request wrote something. */
export type Answer<T> = Readonly<{ status: number; body: T; transactionId?: string }>;

/** Statuses after which a repeatable request is sent again: nothing was proposed, or asking again finds out. */
const RETRY_STATUS: ReadonlySet<number> = new Set([502, 503, 504]);
/** Longest pause that a `Retry-After` is believed, ms. */
const MAX_RETRY_AFTER_MS = 30_000;
/** Largest answer that is read: 1,000 full transfers are about 1.5 MiB, 256 sealed instructions 22 MiB. */
const MAX_ANSWER_BYTES = 33_554_432;

/** The server holds another certificate than the pinned one: somebody else, or a service that was made anew. */
class NotPinnedError extends Error {
  override readonly name = 'NotPinnedError';
  readonly code = 'SERVICE_NOT_PINNED';

  constructor() {
    super('the server does not show the pinned service certificate');
  }
}

export class Connection {
  readonly #http: AxiosInstance;
  readonly #agent: Agent;
  readonly #attempts: number;
  readonly #retryMs: number;

  constructor(options: ConnectionOptions) {
    const pinned = new X509Certificate(options.serviceCertificate).raw;
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: options.maxSockets ?? 64,
      minVersion: 'TLSv1.3',
      // Said here because an environment variable of Node's can turn the default off, and the pin with it.
      rejectUnauthorized: true,
      ca: options.serviceCertificate,
      cert: options.certificate,
      key: options.key,
      checkServerIdentity: (_host, shown) => (shown.raw.equals(pinned) ? undefined : new NotPinnedError()),
    });
    this.#attempts = options.attempts ?? 4;
    this.#retryMs = options.retryMs ?? 200;
    this.#http = axios.create({
      baseURL: options.url,
      httpsAgent: this.#agent,
      timeout: options.timeoutMs ?? 30_000,
      maxRedirects: 0,
      maxContentLength: MAX_ANSWER_BYTES,
      decompress: false,
      proxy: false,
      validateStatus: () => true,
    });
  }

  /**
   * Sends a request until it is answered, `attempts` times at most. Every request of ours may be repeated: ids make the
   * effect happen once, and asking again gets the first answer. @throws ProblemError, ConnectionError
   */
  async request<T>(config: AxiosRequestConfig & { signal?: AbortSignal }): Promise<Answer<T>> {
    for (let attempt = 1; ; attempt += 1) {
      const last = attempt >= this.#attempts;
      const response = await this.#send<T>(config, last);
      if (response && (last || !RETRY_STATUS.has(response.status))) return answerOf(response);
      const askedMs = Number(response?.headers['retry-after'] ?? 0) * 1_000 || 0;
      const pauseMs = Math.max(this.#retryMs * 2 ** (attempt - 1), Math.min(askedMs, MAX_RETRY_AFTER_MS));
      // Up to half as much again, so that callers that failed together do not come back together.
      await pause(pauseMs * (1 + Math.random() / 2), config.signal);
    }
  }

  /** Sends once and gives the raw answer, for bodies that are read as they come. */
  stream(config: AxiosRequestConfig): Promise<AxiosResponse<NodeJS.ReadableStream>> {
    return this.#http.request({ ...config, responseType: 'stream', timeout: 0 });
  }

  close(): void {
    this.#agent.destroy();
  }

  async #send<T>(config: AxiosRequestConfig, last: boolean): Promise<AxiosResponse<T> | undefined> {
    try {
      return await this.#http.request<T>(config);
    } catch (cause) {
      const code = codeOf(cause);
      if (last || !isPassing(code)) throw new ConnectionError(code, { cause: withoutContent(cause) });
      return undefined;
    }
  }
}

function answerOf<T>(response: AxiosResponse<T>): Answer<T> {
  const transactionId: unknown = response.headers[TRANSACTION_ID_HEADER];
  if (response.status >= 400) throw problemOf(response);
  if (typeof response.data !== 'object' || response.data === null) throw new ConnectionError('ANSWER_NOT_JSON');
  return {
    status: response.status,
    body: response.data,
    ...(typeof transactionId === 'string' ? { transactionId } : {}),
  };
}

/** An answer that is no problem document, such as a proxy's page, still has a status. */
export function problemOf(response: AxiosResponse<unknown>): ProblemError {
  const type = String(response.headers['content-type'] ?? '');
  const document = type.startsWith(PROBLEM_MEDIA_TYPE) ? (response.data as ProblemDocument) : undefined;
  return new ProblemError(response.status, document);
}

const codeOf = (cause: unknown): string =>
  typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : 'UNKNOWN';

/** Faults of the network, which pass. Whom one talks to, an answer too large and an abort do not. */
const PASSING: ReadonlySet<string> = new Set([
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);
const isPassing = (code: string): boolean => PASSING.has(code);

/** An axios error holds the request, body and key included: only its message goes on. */
const withoutContent = (cause: unknown): Error => new Error(cause instanceof Error ? cause.message : String(cause));

/** @throws ConnectionError `ABORTED` */
async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, signal ? { signal } : {});
  } catch (cause) {
    throw new ConnectionError('ABORTED', { cause });
  }
}
