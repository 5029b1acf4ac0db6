/**
 * One connection with RabbitMQ that is kept up: AMQP 0-9-1 over TLS, with the broker's certificate or its issuer pinned. After each
 * (re)connection the topology is declared, consumers are registered, and what was published and not confirmed goes out again under
 * its `message_id`. amqplib makes the connection anew; what it does not do is all here.
 */
import {
  type ChannelModel,
  type ConfirmChannel,
  type ConsumeMessage,
  connect,
  type RecoveringChannelModel,
  type SocketOptions,
} from 'amqplib';
import type { Logger } from 'pino';
import type { BrokerMetrics } from './broker-metrics.ts';
import { type BrokerNames, declareTopology, type QueueLimits, type QueueName } from './broker-topology.ts';
import { Outgoing, type Parcel } from './outgoing.ts';

export type BrokerLinkOptions = Readonly<{
  /** `amqps://host:port/vhost`, without user and password. */
  url: string;
  user: string;
  password: string;
  /** PEM: the only certificate, or issuer of certificates, that is accepted. */
  ca: string;
  names: BrokerNames;
  queueLimits: QueueLimits;
  /** Deliveries of one queue that may be held unacknowledged. */
  prefetch: number;
  /** A longer body is rejected unread. */
  maxBodyBytes: number;
  /** Messages published and not confirmed. */
  maxUnconfirmed: number;
  /** Neither confirmed nor returned for so long: published again. */
  confirmMs: number;
  /** Pause before a message, or the connection, is tried again; doubled each time. */
  firstPauseMs: number;
  longestPauseMs: number;
  connectTimeoutMs: number;
  heartbeatSeconds: number;
}>;
export type BrokerLinkDependencies = Readonly<{ log: Logger; metrics: BrokerMetrics }>;

/** A message that came. One of the three is called, once; a message whose connection has ended comes again by itself. */
export type Delivery = Readonly<{
  messageId: string;
  correlationId: string | undefined;
  body: Uint8Array;
  acknowledge: () => void;
  /** To the dead letters; `why` is a code for log and metrics. */
  reject: (why: string) => void;
  /** Back to the broker, which counts: the last of twenty deliveries ends with the dead letters. */
  requeue: () => void;
}>;
/** Never throws: what it cannot use it rejects. */
export type Consumer = (delivery: Delivery) => void;

const MESSAGE_ID = /^[0-9a-f]{32}$/;

export class BrokerLink {
  readonly #options: BrokerLinkOptions;
  readonly #deps: BrokerLinkDependencies;
  readonly #consumers = new Map<QueueName, Consumer>();
  readonly #outgoing: Outgoing;
  #connection: RecoveringChannelModel | undefined;
  #up = false;

  constructor(options: BrokerLinkOptions, dependencies: BrokerLinkDependencies) {
    this.#options = options;
    this.#deps = dependencies;
    this.#outgoing = new Outgoing(options, dependencies);
  }

  /** Connected, declared and consuming. */
  get up(): boolean {
    return this.#up;
  }

  /** To be called before `start`. */
  consume(queue: QueueName, consumer: Consumer): void {
    this.#consumers.set(queue, consumer);
  }

  /** Returns at once; the connection is made, and made again, in the background. */
  async start(): Promise<void> {
    const { firstPauseMs, longestPauseMs, ca, connectTimeoutMs, user, password } = this.#options;
    const url = new URL(this.#options.url);
    const recovery = {
      initialDelay: firstPauseMs,
      maxDelay: longestPauseMs,
      waitForConnect: false,
      setup: (model: ChannelModel) => this.#setUp(model),
    };
    const place = {
      protocol: 'amqps',
      hostname: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port || 5_671),
      vhost: decodeURIComponent(url.pathname.slice(1)) || '/',
      username: user,
      password,
      heartbeat: this.#options.heartbeatSeconds,
    };
    const tls: SocketOptions = { ca, minVersion: 'TLSv1.2', timeout: connectTimeoutMs, noDelay: true, keepAlive: true };
    const connection = await connect(place, { ...tls, recovery });
    this.#connection = connection;
    connection.on('error', (error: Error) => this.#trouble('broker', error));
    connection.on('connect-failed', (error: Error) => this.#trouble('broker not reached', error));
    connection.on('disconnect', (error: Error) => this.#trouble('broker lost', error));
  }

  /**
   * Resolves once the broker confirmed that a queue has the message. Tried for as long as `signal` allows.
   * @throws BrokerError `BROKER_BUSY` for too many messages on their way, `BROKER_ABORTED` by the signal or by `stop`
   */
  async publish(parcel: Parcel, signal: AbortSignal): Promise<void> {
    await this.#outgoing.publish(parcel, signal);
  }

  /** What is unconfirmed is given up, what is not acknowledged is left to the broker. */
  async stop(): Promise<void> {
    this.#up = false;
    this.#outgoing.stop();
    await this.#connection?.close();
  }

  /** Whatever throws here ends the connection, and the next attempt comes after a pause. */
  async #setUp(model: ChannelModel): Promise<void> {
    model.on('error', (error) => this.#trouble('connection', error));
    const channel = await model.createConfirmChannel();
    // A channel that the broker closed (a refusal, an acknowledgement that it does not know) is of no more use.
    const renew = (): void => {
      this.#down(channel);
      model.close().catch(() => undefined);
    };
    channel.on('error', (error) => this.#trouble('channel', error));
    channel.on('close', renew);
    model.on('close', () => this.#down(channel));
    model.on('blocked', () => this.#setBlocked(true));
    model.on('unblocked', () => this.#setBlocked(false));
    await declareTopology(channel, this.#options.names, this.#options.queueLimits);
    await channel.prefetch(this.#options.prefetch);
    for (const [queue, consumer] of this.#consumers) {
      await channel.consume(this.#options.names[queue], (message) => {
        // Nothing: the queue was removed, or its leader moved. The connection is made anew.
        if (message === null) renew();
        else this.#take(channel, queue, message, consumer);
      });
    }
    this.#outgoing.attach(channel);
    this.#up = true;
    this.#deps.metrics.connected(true);
    this.#deps.log.info('broker connected');
  }

  #take(channel: ConfirmChannel, queue: QueueName, message: ConsumeMessage, consumer: Consumer): void {
    const settle = (how: () => void): void => {
      try {
        how();
      } catch (error) {
        // The channel has ended: the broker delivers the message again.
        this.#trouble('late acknowledgement', error);
      }
    };
    const reject = (why: string): void => {
      this.#deps.metrics.rejected(queue, why);
      this.#deps.log.warn({ queue, code: why }, 'message rejected');
      settle(() => channel.reject(message, false));
    };
    const { messageId, correlationId } = message.properties;
    const acknowledge = (): void => settle(() => channel.ack(message));
    const requeue = (): void => settle(() => channel.reject(message, true));
    const wellNamed = isId(messageId) && (correlationId === undefined || isId(correlationId));
    if (message.content.length > this.#options.maxBodyBytes) reject('TOO_LARGE');
    else if (!wellNamed) reject('MESSAGE_ID');
    else consumer({ messageId, correlationId, body: message.content, acknowledge, reject, requeue });
  }

  #setBlocked(blocked: boolean): void {
    this.#outgoing.setBlocked(blocked);
    this.#deps.log.warn({ blocked }, 'the broker stops or goes on to read');
  }

  #down(channel: ConfirmChannel): void {
    if (!this.#outgoing.detach(channel)) return;
    this.#up = false;
    this.#deps.metrics.connected(false);
  }

  /** Messages of amqplib may name hosts and users; codes do not. */
  #trouble(what: string, error: unknown): void {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const name = error instanceof Error ? error.name : 'unknown';
    this.#deps.log.warn({ code: code ?? name }, what);
  }
}

const isId = (id: unknown): id is string => typeof id === 'string' && MESSAGE_ID.test(id);
