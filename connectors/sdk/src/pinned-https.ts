/**
 * HTTPS with mutual TLS 1.3 to a server whose certificate is pinned: the file given is the only root, no public
 * authority is asked, no redirect followed, no proxy used, and answers are bounded.
 */
import { Agent } from 'node:https';
import axios, { type AxiosInstance } from 'axios';

export type PinnedHttpsOptions = Readonly<{
  baseUrl: string;
  /** Our own key and certificate, PEM; some servers ask for none. */
  client?: Readonly<{ key: string; cert: string }>;
  /** The only certificate, or issuer of certificates, that is accepted; PEM. Public authorities when left out. */
  pinned?: string;
  timeoutMs: number;
  maxAnswerBytes: number;
  maxSockets: number;
}>;

/** Every status resolves: callers look at it. Throws axios' own error for no answer. */
export function pinnedHttps(options: PinnedHttpsOptions): AxiosInstance {
  const { baseUrl, client, pinned, timeoutMs, maxAnswerBytes, maxSockets } = options;
  return axios.create({
    baseURL: baseUrl,
    httpsAgent: new Agent({
      keepAlive: true,
      maxSockets,
      minVersion: 'TLSv1.3',
      ...(client ?? {}),
      ...(pinned === undefined ? {} : { ca: pinned }),
    }),
    timeout: timeoutMs,
    maxRedirects: 0,
    maxContentLength: maxAnswerBytes,
    maxBodyLength: maxAnswerBytes,
    proxy: false,
    validateStatus: () => true,
    headers: { accept: 'application/json, application/problem+json' },
  });
}
