/**
 * One mutually authenticated connection to a core: TLS 1.3, the caller's certificate, and the service certificate pinned
 * by its bytes. No authority is asked, so none can stand in for the service.
 */
import { X509Certificate } from 'node:crypto';
import { Agent } from 'node:https';
import { PROBLEM_MEDIA_TYPE, type ProblemDocument } from '@drawbridge/protocol/api/problem';
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
const RETRY_STATUS: ReadonlySet<number> = new Set([429, 502, 503, 504]);

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
      ca: options.serviceCertificate,
      cert: options.certificate,
      key: options.key,
      checkServerIdentity: (_host, shown) =>
        shown.raw.equals(pinned) ? undefined : new Error('the server does not show the pinned service certificate'),
    });
    this.#attempts = options.attempts ?? 4;
    this.#retryMs = options.retryMs ?? 200;
    this.#http = axios.create({
      baseURL: options.url,
      httpsAgent: this.#agent,
      timeout: options.timeoutMs ?? 30_000,
      maxRedirects: 0,
      proxy: false,
      validateStatus: () => true,
    });
  }

  /** Sends a request that may be repeated: all of ours may, since ids make the effect happen once. @throws ProblemError, ConnectionError */
  async request<T>(config: AxiosRequestConfig): Promise<Answer<T>> {
    for (let attempt = 1; ; attempt += 1) {
      const last = attempt >= this.#attempts;
      const response = await this.#send<T>(config, last);
      if (response && (last || !RETRY_STATUS.has(response.status))) return answerOf(response);
      await pause(this.#retryMs * 2 ** (attempt - 1), config.signal as AbortSignal | undefined);
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
      if (last || axios.isCancel(cause)) throw new ConnectionError(codeOf(cause), { cause: withoutContent(cause) });
      return undefined;
    }
  }
}

function answerOf<T>(response: AxiosResponse<T>): Answer<T> {
  const transactionId: unknown = response.headers['x-ms-ccf-transaction-id'];
  if (response.status >= 400) throw problemOf(response);
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

/** An axios error holds the request, body and key included: only its message goes on. */
const withoutContent = (cause: unknown): Error => new Error(cause instanceof Error ? cause.message : String(cause));

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new ConnectionError('ABORTED'));
    });
  });
}
