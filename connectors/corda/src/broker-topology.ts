/**
 * What the connector declares at the broker (docs/corda-agent-protocol.md, "Queues"). All names of one network begin alike, so
 * that a user's permissions are one pattern.
 */
import type { NetworkId } from '@drawbridge/protocol/ids';
import type { Channel } from 'amqplib';

export type QueueLimits = Readonly<{ commands: number; replies: number; events: number; health: number; dead: number }>;
export const DEFAULT_QUEUE_LIMITS: QueueLimits = {
  commands: 1_000,
  replies: 1_000,
  events: 10_000,
  health: 100,
  dead: 1_000,
};

/** Deliveries without acknowledgement after which a message is dead. */
const DELIVERY_LIMIT = 20;
const HEALTH_TTL_MS = 60_000;
/** Queues of a connector that is gone go too. */
const UNUSED_QUEUE_MS = 600_000;
const LASTING_NAMES = ['commands', 'events', 'dead-letters'] as const;

export type QueueName = (typeof LASTING_NAMES)[number] | 'replies' | 'health';
export type BrokerNames = Readonly<{ toAgent: string; toConnector: string; dead: string } & Record<QueueName, string>>;

/** @param instance of this connector: replies and health come to every connector, each by a queue of its own. */
export function brokerNames(network: NetworkId, instance: string): BrokerNames {
  const name = (last: string): string => `drawbridge.corda.${network}.${last}`;
  return {
    toAgent: name('to-agent'),
    toConnector: name('to-connector'),
    dead: name('dead'),
    commands: name('commands'),
    events: name('events'),
    'dead-letters': name('dead-letters'),
    replies: name(`replies.${instance}`),
    health: name(`health.${instance}`),
  };
}

/** The same again does nothing. @throws what the broker refuses, which ends the channel: other arguments, no permission. */
export async function declareTopology(channel: Channel, names: BrokerNames, limits: QueueLimits): Promise<void> {
  await channel.assertExchange(names.toAgent, 'direct', { durable: true });
  await channel.assertExchange(names.toConnector, 'direct', { durable: true });
  await channel.assertExchange(names.dead, 'fanout', { durable: true });
  await declareQueue(channel, names['dead-letters'], dropping(limits.dead));
  await channel.bindQueue(names['dead-letters'], names.dead, '');
  const keep = (maxLength: number) => kept(names, maxLength);
  await declareQueue(channel, names.commands, keep(limits.commands));
  await channel.bindQueue(names.commands, names.toAgent, 'command');
  await declareQueue(channel, names.events, keep(limits.events));
  await channel.bindQueue(names.events, names.toConnector, 'event');
  const own = { 'x-expires': UNUSED_QUEUE_MS };
  const dead = { 'x-dead-letter-exchange': names.dead };
  await declareQueue(channel, names.replies, { ...dropping(limits.replies), ...own, ...dead });
  await channel.bindQueue(names.replies, names.toConnector, 'reply');
  await declareQueue(channel, names.health, { ...dropping(limits.health), ...own, 'x-message-ttl': HEALTH_TTL_MS });
  await channel.bindQueue(names.health, names.toConnector, 'health');
}

type QueueArguments = Readonly<Record<string, string | number>>;

const declareQueue = async (channel: Channel, name: string, args: QueueArguments): Promise<void> => {
  await channel.assertQueue(name, { durable: true, arguments: args });
};

const kept = ({ dead }: BrokerNames, maxLength: number): QueueArguments => ({
  'x-queue-type': 'quorum',
  'x-max-length': maxLength,
  'x-overflow': 'reject-publish',
  'x-delivery-limit': DELIVERY_LIMIT,
  'x-dead-letter-exchange': dead,
});

const dropping = (maxLength: number): QueueArguments => ({ 'x-max-length': maxLength, 'x-overflow': 'drop-head' });
