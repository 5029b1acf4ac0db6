/** A line to agents in this process, over a real RabbitMQ, with a double of an agent at the other end. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BodyOpener } from '@drawbridge/connector-sdk/sealed-body';
import { parseNetworkId } from '@drawbridge/protocol/ids';
import { type ChannelModel, connect } from 'amqplib';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { type AgentLine, openAgentLine } from '../agent-line.ts';
import { brokerNames } from '../broker-topology.ts';
import { type ConnectorLimits, defaultLimits } from '../config.ts';
import { AgentDouble, type AgentDoubleOptions } from './agent-double.ts';
import { type BrokerPlace, startBrokerPlace } from './broker-place.ts';

export type OpenLine = AgentLine & Readonly<{ registry: Registry; opener: BodyOpener; logged: readonly string[] }>;

export class LineBed {
  readonly network = parseNetworkId(`corda-${randomBytes(4).toString('hex')}`);
  readonly #dir: string;
  #place: BrokerPlace | undefined;
  readonly #closers: (() => Promise<unknown>)[] = [];

  private constructor(dir: string) {
    this.#dir = dir;
  }

  static async start(): Promise<LineBed> {
    const bed = new LineBed(await mkdtemp(join(tmpdir(), 'drawbridge-line-')));
    bed.#place = await startBrokerPlace(join(bed.#dir, 'rabbitmq'), bed.network);
    return bed;
  }

  get place(): BrokerPlace {
    if (this.#place === undefined) throw new TypeError('the broker was not started');
    return this.#place;
  }

  /** Not started: consumers come first. Everything that it logs is in `logged`. */
  openLine(limits: Partial<ConnectorLimits> = {}, ca: string = this.place.broker.ca): OpenLine {
    const { broker, agentKeys, connectorKeys } = this.place;
    const registry = new Registry();
    const opener = new BodyOpener(connectorKeys.privateKey);
    const logged: string[] = [];
    const log = pino({ level: 'trace' }, { write: (line: string) => logged.push(line) });
    const line = openAgentLine(
      {
        network: this.network,
        instance: randomBytes(16).toString('hex'),
        broker: { ...broker, ca },
        agentKey: agentKeys.publicKey,
        limits: { ...defaultLimits(), firstReconnectMs: 50, longestReconnectMs: 500, ...limits },
      },
      { opener, registry, log, now: () => performance.now() },
    );
    this.#closers.push(() => line.link.stop());
    return { ...line, registry, opener, logged };
  }

  async startAgent(handle: AgentDoubleOptions['handle'], healthMs?: number): Promise<AgentDouble> {
    const { agentUrl, broker, agentKeys, connectorKeys } = this.place;
    const agent = await AgentDouble.start({
      network: this.network,
      url: agentUrl,
      ca: broker.ca,
      privateKey: agentKeys.privateKey,
      connectorKey: connectorKeys.publicKey,
      handle,
      ...(healthMs === undefined ? {} : { healthMs }),
    });
    this.#closers.push(() => agent.stop());
    return agent;
  }

  /** Messages in a queue of the network that nobody holds, by a connection of its own. */
  async waiting(queue: 'dead-letters' | 'events' | 'commands'): Promise<number> {
    return this.#withConnector(async (connection) => {
      const channel = await connection.createChannel();
      return (await channel.checkQueue(brokerNames(this.network, '')[queue])).messageCount;
    });
  }

  /** As anybody with the connector's password could. */
  async publishRaw(exchange: string, routingKey: string, body: Uint8Array, messageId?: string): Promise<void> {
    await this.#withConnector(async (connection) => {
      const channel = await connection.createConfirmChannel();
      const properties = messageId === undefined ? {} : { messageId };
      channel.publish(exchange, routingKey, Buffer.from(body), properties);
      await channel.waitForConfirms();
    });
  }

  /** Lines and agents end; the broker stays. */
  async clear(): Promise<void> {
    await Promise.all(this.#closers.splice(0).map((close) => close()));
  }

  async stop(): Promise<void> {
    await this.clear();
    await this.#place?.server.stop();
    await rm(this.#dir, { recursive: true, force: true });
  }

  async #withConnector<T>(use: (connection: ChannelModel) => Promise<T>): Promise<T> {
    const { server, broker } = this.place;
    const connection = await connect(server.urlOf('connector'), { ca: broker.ca });
    try {
      return await use(connection);
    } finally {
      await connection.close();
    }
  }
}
