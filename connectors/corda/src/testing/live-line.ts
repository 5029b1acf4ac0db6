/** A connector's line to the agents of a testbed, in this process; what comes of itself is kept. */
import { randomBytes } from 'node:crypto';
import { BodyOpener } from '@drawbridge/connector-sdk/sealed-body';
import { until } from '@drawbridge/devnets/until';
import { type ChannelModel, connect } from 'amqplib';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { type AgentEvent, type AgentHealth, decodeEvent } from '../agent-bodies.ts';
import type { AgentValue } from '../agent-cbor.ts';
import type { AgentAnswer } from '../agent-client.ts';
import { openAgentLine } from '../agent-line.ts';
import { brokerNames } from '../broker-topology.ts';
import { defaultLimits } from '../config.ts';
import { openedBy } from '../opened-body.ts';
import type { CordaTestbed } from './corda-testbed.ts';

/** A flow of a minute, and a broker that is started again meanwhile. */
const CALL_TIMEOUT_MS = 120_000;

export type LiveLine = Readonly<{
  call: (verb: string, args: readonly AgentValue[], timeoutMs?: number) => Promise<AgentAnswer>;
  /** In the order in which they came, repeated ones too; the test may empty it. */
  events: AgentEvent[];
  agents: () => readonly AgentHealth[];
  /** Messages in a queue that nobody holds. */
  waiting: (queue: 'dead-letters' | 'commands') => Promise<number>;
  /** A body as it is, to the agent. */
  publishRaw: (body: Uint8Array, messageId?: string) => Promise<void>;
  /** Until the agent that was heard of last, started at that time or later (Unix ms), has a connection with its node. */
  nodeUp: (sinceMs?: number) => Promise<void>;
  stop: () => Promise<void>;
}>;

export async function openLiveLine(bed: CordaTestbed): Promise<LiveLine> {
  const { broker, network } = bed;
  const opener = new BodyOpener(bed.connectorKeys.privateKeyPem);
  const line = openAgentLine(
    {
      network,
      instance: randomBytes(16).toString('hex'),
      broker: { ...bed.connectorUser, url: `amqps://${broker.host}:${broker.port}/%2F`, ca: broker.certificatePem },
      agentKey: bed.agentKeys.publicKeyPem,
      limits: { ...defaultLimits(), firstReconnectMs: 100, longestReconnectMs: 1_000 },
    },
    { opener, registry: new Registry(), log: pino({ level: 'silent' }), now: () => performance.now() },
  );
  const events: AgentEvent[] = [];
  line.link.consume('events', ({ messageId, body, acknowledge, reject }) => {
    const event = openedBy(opener, 'agent-event', network, messageId, body, decodeEvent);
    if (typeof event === 'string') {
      reject(event);
      return;
    }
    events.push(event);
    acknowledge();
  });
  await line.link.start();
  const call: LiveLine['call'] = (verb, args, timeoutMs = CALL_TIMEOUT_MS) =>
    line.agent.call(verb, args, { timeoutMs, signal: new AbortController().signal });
  return {
    call,
    events,
    agents: () => line.health.agents(),
    waiting: (queue) => messagesIn(bed, queue),
    publishRaw: (body, messageId) =>
      asConnector(bed, async (connection) => {
        const channel = await connection.createConfirmChannel();
        const properties = messageId === undefined ? {} : { messageId };
        channel.publish(brokerNames(network, '').toAgent, 'command', Buffer.from(body), properties);
        await channel.waitForConfirms();
      }),
    nodeUp: (sinceMs = 0) =>
      until('an agent reaches its node', CALL_TIMEOUT_MS, async () => {
        const last = line.health.agents().at(-1);
        return last?.nodeUp === true && last.sinceMs >= sinceMs;
      }),
    stop: () => line.link.stop(),
  };
}

/** Messages in a queue that nobody holds. */
export function messagesIn(bed: CordaTestbed, queue: 'dead-letters' | 'commands'): Promise<number> {
  return asConnector(bed, async (connection) => {
    const channel = await connection.createChannel();
    return (await channel.checkQueue(brokerNames(bed.network, '')[queue])).messageCount;
  });
}

async function asConnector<T>(bed: CordaTestbed, use: (connection: ChannelModel) => Promise<T>): Promise<T> {
  const connection = await connect(bed.broker.urlOf(bed.connectorUser.user), { ca: bed.broker.certificatePem });
  try {
    return await use(connection);
  } finally {
    await connection.close();
  }
}
