/** A double of the agent at a real RabbitMQ: takes commands, answers out of a function, publishes events and health. */
import { randomBytes } from 'node:crypto';
import { BodyOpener, BodySealer } from '@drawbridge/connector-sdk/sealed-body';
import { type Bytes32, fromHex } from '@drawbridge/protocol/bytes32';
import type { EnvelopePurpose } from '@drawbridge/protocol/envelope';
import type { NetworkId } from '@drawbridge/protocol/ids';
import { type ChannelModel, type ConfirmChannel, type ConsumeMessage, connect, type Options } from 'amqplib';
import type { AgentReply } from '../agent-bodies.ts';
import { type AgentValue, decodeAgentBody, encodeAgentBody } from '../agent-cbor.ts';
import { brokerNames } from '../broker-topology.ts';

export type AgentDoubleOptions = Readonly<{
  network: NetworkId;
  /** `amqps://user:password@host:port/vhost`. */
  url: string;
  ca: string;
  /** PEM, the agent's. */
  privateKey: string;
  /** PEM, the connector's. */
  connectorKey: string;
  handle: (verb: string, args: readonly AgentValue[]) => AgentReply | Promise<AgentReply>;
  /** How often health is published; 100 ms when left out, so that tests need not wait. */
  healthMs?: number;
}>;

/** Taken over by tests: what a broken or hostile sender might do. */
export type RawMessage = Readonly<{ routingKey: string; body: Uint8Array; properties?: Options.Publish }>;

export class AgentDouble {
  readonly instance: Uint8Array = randomBytes(16);
  readonly #options: AgentDoubleOptions;
  readonly #opener: BodyOpener;
  readonly #sealer: BodySealer;
  readonly #toConnector: string;
  readonly #commands: string;
  #close: () => Promise<void> = async () => undefined;
  #channel: ConfirmChannel | undefined;
  #sequence = 0;
  #health: NodeJS.Timeout | undefined;
  /** Copies of each reply. */
  copies = 1;
  nodeUp = true;
  /** Called before a reply goes out; false keeps it back for ever, and the command is acknowledged all the same. */
  mayReply: (verb: string) => boolean | Promise<boolean> = () => true;
  /** Verbs of the commands that came, in order. */
  readonly verbs: string[] = [];
  /** Their message ids. */
  readonly ids: string[] = [];

  private constructor(options: AgentDoubleOptions) {
    this.#options = options;
    this.#opener = new BodyOpener(options.privateKey);
    this.#sealer = new BodySealer(options.connectorKey);
    const names = brokerNames(options.network, '');
    this.#toConnector = names.toConnector;
    this.#commands = names.commands;
  }

  /** Waits, as the agent does, until a connector has declared the queues. */
  static async start(options: AgentDoubleOptions): Promise<AgentDouble> {
    const double = new AgentDouble(options);
    const recovery = {
      initialDelay: 50,
      maxDelay: 500,
      waitForConnect: false,
      setup: (model: ChannelModel) => double.#setUp(model),
    };
    const connection = await connect(options.url, { ca: options.ca, recovery });
    for (const event of ['error', 'connect-failed', 'disconnect']) connection.on(event, () => undefined);
    double.#close = () => connection.close();
    double.#health = setInterval(() => void double.sendHealth(), options.healthMs ?? 100);
    return double;
  }

  get up(): boolean {
    return this.#channel !== undefined;
  }

  async stop(): Promise<void> {
    this.silence();
    await this.#close();
  }

  /** No health any more. */
  silence(): void {
    clearInterval(this.#health);
  }

  /** True when the broker took it. */
  async sendEvent(event: Readonly<{ vault: Bytes32; transaction: Bytes32; evidence: Uint8Array }>): Promise<boolean> {
    const body = [1, fromHex(event.vault), fromHex(event.transaction), 1_700_000_000_000, event.evidence];
    const messageId = drawId();
    return this.publish({
      routingKey: 'event',
      ...this.sealed('agent-event', messageId, body),
      properties: { messageId },
    });
  }

  async sendHealth(): Promise<boolean> {
    const messageId = drawId();
    const body = [1, this.instance, ++this.#sequence, 1, this.nodeUp, 1, 0, this.nodeUp ? 12 : 0, ''];
    return this.publish({
      routingKey: 'health',
      ...this.sealed('agent-health', messageId, body),
      properties: { messageId },
    });
  }

  sealed(purpose: EnvelopePurpose, jobId: string, body: readonly AgentValue[]): { body: Uint8Array } {
    const { network } = this.#options;
    return { body: this.#sealer.seal(encodeAgentBody(body), { purpose, network, jobId }) };
  }

  async publish({ routingKey, body, properties }: RawMessage): Promise<boolean> {
    const channel = this.#channel;
    if (channel === undefined) return false;
    return new Promise((resolve) => {
      const options = { persistent: routingKey !== 'health', ...properties };
      try {
        channel.publish(this.#toConnector, routingKey, Buffer.from(body), options, (refusal: unknown) =>
          resolve(!refusal),
        );
      } catch {
        // The channel ended a moment ago.
        resolve(false);
      }
    });
  }

  async #setUp(model: ChannelModel): Promise<void> {
    model.on('error', () => undefined);
    const channel = await model.createConfirmChannel();
    channel.on('error', () => undefined);
    channel.on('close', () => {
      if (this.#channel === channel) this.#channel = undefined;
    });
    await channel.checkQueue(this.#commands);
    await channel.prefetch(8);
    await channel.consume(this.#commands, (message) => void (message && this.#take(channel, message)));
    this.#channel = channel;
  }

  async #take(channel: ConfirmChannel, message: ConsumeMessage): Promise<void> {
    const id = String(message.properties.messageId);
    const context = { purpose: 'agent-command', network: this.#options.network, jobId: id } as const;
    const [, verb, args] = decodeAgentBody(this.#opener.open(message.content, context)) ?? [];
    if (typeof verb !== 'string' || !Array.isArray(args)) throw new TypeError('the connector sent no command');
    this.verbs.push(verb);
    this.ids.push(id);
    const reply = await this.#options.handle(verb, args as readonly AgentValue[]);
    if (await this.mayReply(verb)) {
      const body = reply.ok ? [1, true, reply.result] : [1, false, reply.code, reply.detail];
      const properties = { messageId: drawId(), correlationId: id };
      const sealed = this.sealed('agent-reply', id, body);
      for (let copy = 0; copy < this.copies; copy += 1)
        await this.publish({ routingKey: 'reply', ...sealed, properties });
    }
    try {
      channel.ack(message);
    } catch {
      // The connection ended: the command comes again.
    }
  }
}

const drawId = (): string => randomBytes(16).toString('hex');
