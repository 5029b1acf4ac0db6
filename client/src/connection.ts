/**
 * A mutually authenticated connection to a core of one or several nodes: TLS 1.3, the caller's certificate, and the service
 * certificate pinned: only a node whose certificate is signed with its key, or shows it itself, is spoken to. No authority
 * is asked, so none can stand in for the service. One node is asked as long as it answers; then the next.
 */
import { X509Certificate } from 'node:crypto';
import { Agent } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { PROBLEM_MEDIA_TYPE, type ProblemDocument } from '@drawbridge/protocol/api/problem';
import type { CcfError } from '@drawbridge/protocol/api/transaction';
import { TRANSACTION_ID_HEADER } from '@drawbridge/protocol/api/wire';
import axios, { type AxiosInstance, type AxiosRequestConfig, type AxiosResponse } from 'axios';
import { ConnectionError, ProblemError } from './problem-error.ts';

export type ConnectionOptions = Readonly<{
  /** `https://host:port` of a node, or of several of one service: any of them answers, so they are asked in turn. */
  url: string | readonly string[];
  /** The service certificate (PEM). */
  serviceCertificate: string;
  /** The caller's certificate and private key (PEM). */
  certificate: string;
  key: string;
  /** Longest wait for an answer of one node, ms; default 30,000, or 10,000 where there are others to ask. */
  timeoutMs?: number;
  /** Connections kept open; default 64. */
  maxSockets?: number;
  /** Rounds of a request, the first included, each of which asks every node at most once; default 4. */
  attempts?: number;
  /** Pause before the second round, ms, doubled for each further one; default 200. */
  retryMs?: number;
}>;

/** `transactionId`: of the entry that a write made, or the newest that a read can have seen. */
export type Answer<T> = Readonly<{ status: number; body: T; transactionId?: string }>;

/** Statuses after which a repeatable request is sent again: nothing was proposed, or asking again finds out. */
const RETRY_STATUS: ReadonlySet<number> = new Set([502, 503, 504]);
/** Answers that other nodes would give as well: the leader has too much to do. */
const SAME_EVERYWHERE: ReadonlySet<string> = new Set(['OVERLOADED']);
const TIMEOUT_MS = 30_000;
const TIMEOUT_OF_SEVERAL_MS = 10_000;
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

/** What became of a request at the nodes that were asked in one round; `fault` where the last gave no answer. */
type Asked<T> = Readonly<{ response: AxiosResponse<T> } | { fault: ConnectionError; passes: boolean }>;

/** A raw answer whose body is read as it comes, and which node gives it. */
export type Streamed = Readonly<{ response: AxiosResponse<NodeJS.ReadableStream>; node: number }>;

export class Connection {
  readonly #http: AxiosInstance;
  readonly #agent: Agent;
  readonly #attempts: number;
  readonly #retryMs: number;
  readonly #urls: readonly string[];
  /** Place in `#urls` of the node that is asked. */
  #node = 0;

  /** @throws TypeError without a URL */
  constructor(options: ConnectionOptions) {
    this.#urls = [options.url].flat();
    if (this.#urls.length === 0) throw new TypeError('a connection needs the URL of a node');
    const pinned = new X509Certificate(options.serviceCertificate);
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: options.maxSockets ?? 64,
      minVersion: 'TLSv1.3',
      // Said here because an environment variable of Node's can turn the default off, and the pin with it.
      rejectUnauthorized: true,
      ca: options.serviceCertificate,
      cert: options.certificate,
      key: options.key,
      // In place of names: which of the service's nodes answers does not matter.
      checkServerIdentity: (_host, shown) => (isOfService(shown.raw, pinned) ? undefined : new NotPinnedError()),
    });
    this.#attempts = options.attempts ?? 4;
    this.#retryMs = options.retryMs ?? 200;
    this.#http = axios.create({
      httpsAgent: this.#agent,
      timeout: options.timeoutMs ?? (this.#urls.length > 1 ? TIMEOUT_OF_SEVERAL_MS : TIMEOUT_MS),
      maxRedirects: 0,
      maxContentLength: MAX_ANSWER_BYTES,
      decompress: false,
      proxy: false,
      validateStatus: () => true,
    });
  }

  /**
   * Sends a request until it is answered, at most `attempts` times to each node. Every request of ours may be repeated, at
   * another node too: ids make the effect happen once, and asking again gets the first answer.
   * @throws ProblemError, ConnectionError
   */
  async request<T>(config: AxiosRequestConfig & { signal?: AbortSignal }): Promise<Answer<T>> {
    for (let round = 1; ; round += 1) {
      const last = round >= this.#attempts;
      const asked = await this.#askNodes<T>(config);
      if ('response' in asked) {
        if (last || !RETRY_STATUS.has(asked.response.status)) return answerOf(asked.response);
      } else if (last || !asked.passes) throw asked.fault;
      const askedMs = 'response' in asked ? Number(asked.response.headers['retry-after'] ?? 0) * 1_000 || 0 : 0;
      const pauseMs = Math.max(this.#retryMs * 2 ** (round - 1), Math.min(askedMs, MAX_RETRY_AFTER_MS));
      // Up to half as much again, so that callers that failed together do not come back together.
      await pause(pauseMs * (1 + Math.random() / 2), config.signal);
    }
  }

  /** Sends once and gives the raw answer, for bodies that are read as they come. */
  async stream(config: AxiosRequestConfig): Promise<Streamed> {
    const node = this.#node;
    try {
      const baseURL = this.#urls[node] ?? '';
      return { response: await this.#http.request({ ...config, baseURL, responseType: 'stream', timeout: 0 }), node };
    } catch (error) {
      this.leave(node);
      throw error;
    }
  }

  /** Asks another node from now on, unless that is done already. */
  leave(node: number): void {
    if (this.#node === node) this.#node = (node + 1) % this.#urls.length;
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Asks one node after the other until one has an answer that others would not better. */
  async #askNodes<T>(config: AxiosRequestConfig): Promise<Asked<T>> {
    let passes = false;
    for (let left = this.#urls.length - 1; ; left -= 1) {
      const node = this.#node;
      try {
        const response = await this.#http.request<T>({ ...config, baseURL: this.#urls[node] ?? '' });
        if (!RETRY_STATUS.has(response.status) || isSameEverywhere(response)) return { response };
        this.leave(node);
        if (left === 0) return { response };
        passes = true;
      } catch (cause) {
        const code = codeOf(cause);
        const fault = new ConnectionError(code, { cause: withoutContent(cause) });
        if (!PASSING.has(code) && !fault.isIdentity) throw fault;
        passes ||= PASSING.has(code);
        this.leave(node);
        if (left === 0) return { fault, passes };
      }
    }
  }
}

/** Whether a certificate (DER) is the pinned one, or signed with its key. The chain has been verified as well. */
function isOfService(shown: Uint8Array, pinned: X509Certificate): boolean {
  return pinned.raw.equals(shown) || new X509Certificate(shown).verify(pinned.publicKey);
}

function isSameEverywhere({ data }: AxiosResponse<unknown>): boolean {
  const code = typeof data === 'object' && data !== null && 'code' in data ? data.code : undefined;
  return typeof code === 'string' && SAME_EVERYWHERE.has(code);
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
  const document = type.startsWith(PROBLEM_MEDIA_TYPE) ? (response.data as ProblemDocument) : ccfProblem(response);
  return new ProblemError(response.status, document);
}

/** An error in the form of CCF, as most of `/node` answers, told as a problem. */
function ccfProblem({ status, data }: AxiosResponse<unknown>): ProblemDocument | undefined {
  const { error } = (typeof data === 'object' && data !== null ? data : {}) as Partial<CcfError>;
  if (typeof error?.code !== 'string') return undefined;
  return { type: 'about:blank', title: String(error.message), status, code: error.code };
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
