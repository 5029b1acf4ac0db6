/** A request from the call to its answer: it knows whether it was sent, and so what its failure means. */
import { PeerError, type PeerErrorCode } from './peer-error.ts';
import type { PeerTimers } from './peer-timers.ts';

/** `timeoutMs` null: whoever made it ends it. */
export type RequestOptions<Method extends string> = Readonly<{
  method: Method;
  body: Uint8Array;
  timeoutMs: number | null;
}>;

type Settle = Readonly<{ resolve: (answer: Uint8Array) => void; reject: (error: PeerError) => void }>;

export class PendingRequest<Method extends string = string> {
  readonly method: Method;
  readonly answer: Promise<Uint8Array>;
  readonly #cancelTimer: () => void;
  readonly #ended: () => void;
  #body: Uint8Array | null;
  #onTimeout: (() => void) | null = null;
  #settle: Settle | null = null;

  /** `ended` is called once, whatever the end. */
  constructor({ method, body, timeoutMs }: RequestOptions<Method>, timers: PeerTimers, ended: () => void) {
    this.method = method;
    this.#body = body;
    this.#ended = ended;
    this.answer = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.#cancelTimer = timeoutMs === null ? () => undefined : timers.after(timeoutMs, () => this.#timeOut());
  }

  get done(): boolean {
    return this.#settle === null;
  }

  /** The body, to be sent now: from here on a failure is `UNCERTAIN`. `onTimeout`: nobody waits for the answer any more. */
  send(onTimeout: () => void): Uint8Array {
    const body = this.#body;
    if (!body) throw new TypeError('a request is sent once');
    this.#body = null;
    this.#onTimeout = onTimeout;
    return body;
  }

  resolve(answer: Uint8Array): void {
    this.#end()?.resolve(answer);
  }

  /** The peer's own answer. */
  refuse(code: 'REFUSED' | 'FAILED', peerCode: string): void {
    this.#end()?.reject(new PeerError(code, `${this.method}: the peer answered ${peerCode}`, peerCode));
  }

  /** No answer can come; `why` is a code. */
  lost(why: string): void {
    const code: PeerErrorCode = this.#body ? 'UNREACHABLE' : 'UNCERTAIN';
    this.#end()?.reject(new PeerError(code, `${this.method}: ${why}`));
  }

  #timeOut(): void {
    this.lost('TIMEOUT');
    this.#onTimeout?.();
  }

  #end(): Settle | null {
    const settle = this.#settle;
    if (!settle) return null;
    this.#settle = null;
    this.#cancelTimer();
    this.#ended();
    return settle;
  }
}
