/**
 * Messages on their way to the broker. Each is held until a queue has it: confirmed and not returned. A refusal, a return or silence
 * is followed by another attempt under the same `message_id`, after growing pauses; so is the end of the connection.
 */
import type { ConfirmChannel, Message } from 'amqplib';
import type { BrokerMetrics } from './broker-metrics.ts';

export type Parcel = Readonly<{
  exchange: string;
  routingKey: string;
  /** 32 hex digits, the same at every attempt. */
  messageId: string;
  correlationId?: string;
  body: Uint8Array;
}>;

/** What is needed of a channel with confirms. */
export type Publisher = Pick<ConfirmChannel, 'publish'> &
  Readonly<{ on: (event: 'return', listener: (message: Message) => void) => unknown }>;

export type BrokerErrorCode = 'BROKER_BUSY' | 'BROKER_ABORTED';

/** A message that may or may not have reached a queue. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError';
  readonly code: BrokerErrorCode;

  constructor(code: BrokerErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export type OutgoingOptions = Readonly<{
  maxUnconfirmed: number;
  confirmMs: number;
  firstPauseMs: number;
  longestPauseMs: number;
}>;

type Held = {
  readonly parcel: Parcel;
  readonly done: (error?: BrokerError) => void;
  attempts: number;
  /** Of the attempt under way: silence, or the pause before the next. */
  timer: NodeJS.Timeout | undefined;
  returned: boolean;
};

export class Outgoing {
  readonly #options: OutgoingOptions;
  readonly #metrics: Pick<BrokerMetrics, 'published'>;
  readonly #held = new Map<string, Held>();
  #channel: Publisher | undefined;
  /** The broker reads nothing: short of memory or disk. What is written meanwhile would pile up here. */
  #blocked = false;

  constructor(options: OutgoingOptions, { metrics }: { metrics: Pick<BrokerMetrics, 'published'> }) {
    this.#options = options;
    this.#metrics = metrics;
  }

  /** Everything that is held goes out by `channel`. */
  attach(channel: Publisher): void {
    this.#channel = channel;
    this.#blocked = false;
    channel.on('return', ({ properties }: Message) => {
      const held = this.#held.get(String(properties.messageId));
      if (held) held.returned = true;
    });
    for (const held of this.#held.values()) this.#attempt(held);
  }

  /** What is held waits until the broker reads again. */
  setBlocked(blocked: boolean): void {
    this.#blocked = blocked;
    if (blocked) return;
    for (const held of this.#held.values()) if (held.attempts === 0) this.#attempt(held);
  }

  /** False where it was not, or is no longer, the channel in use. */
  detach(channel: Publisher): boolean {
    if (this.#channel !== channel) return false;
    this.#channel = undefined;
    for (const held of this.#held.values()) clearTimeout(held.timer);
    return true;
  }

  /** @throws BrokerError */
  publish(parcel: Parcel, signal: AbortSignal): Promise<void> {
    if (this.#held.size >= this.#options.maxUnconfirmed) {
      return Promise.reject(new BrokerError('BROKER_BUSY', 'too many messages wait for the broker'));
    }
    if (signal.aborted) return Promise.reject(aborted());
    return new Promise((resolve, reject) => {
      const onAbort = (): void => held.done(aborted());
      const done = (error?: BrokerError): void => {
        clearTimeout(held.timer);
        signal.removeEventListener('abort', onAbort);
        this.#held.delete(parcel.messageId);
        if (error) reject(error);
        else resolve();
      };
      const held: Held = { parcel, done, attempts: 0, timer: undefined, returned: false };
      this.#held.set(parcel.messageId, held);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#attempt(held);
    });
  }

  /** Nothing is held any more; who waits is told so. */
  stop(): void {
    this.#channel = undefined;
    for (const held of [...this.#held.values()]) held.done(aborted());
  }

  #attempt(held: Held): void {
    const channel = this.#channel;
    clearTimeout(held.timer);
    if (channel === undefined || this.#held.get(held.parcel.messageId) !== held) return;
    held.timer = setTimeout(() => this.#attempt(held), this.#options.confirmMs);
    if (this.#blocked) return;
    held.attempts += 1;
    held.returned = false;
    this.#metrics.published(held.attempts === 1 ? 'first' : 'again');
    const { exchange, routingKey, messageId, correlationId, body } = held.parcel;
    const properties = { messageId, contentType: 'application/cbor', persistent: true, mandatory: true };
    const answering = correlationId === undefined ? {} : { correlationId };
    try {
      channel.publish(exchange, routingKey, Buffer.from(body), { ...properties, ...answering }, (refusal: unknown) => {
        if (this.#held.get(messageId) !== held) return;
        if (!refusal && !held.returned) held.done();
        else if (this.#channel === channel) this.#later(held);
      });
    } catch {
      // The channel ended before we were told: what is held goes out by the next.
      this.#later(held);
    }
  }

  #later(held: Held): void {
    const { firstPauseMs, longestPauseMs } = this.#options;
    clearTimeout(held.timer);
    const pauseMs = Math.min(firstPauseMs * 2 ** Math.min(held.attempts - 1, 16), longestPauseMs);
    held.timer = setTimeout(() => this.#attempt(held), pauseMs);
  }
}

const aborted = (): BrokerError =>
  new BrokerError('BROKER_ABORTED', 'the message was given up before it was confirmed');
