/** Everything between this connector and the agents of its network: broker link, commands with replies, health. */
import { type BodyOpener, BodySealer } from '@drawbridge/connector-sdk/sealed-body';
import type { NetworkId } from '@drawbridge/protocol/ids';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { AgentClient } from './agent-client.ts';
import { HealthWatch } from './agent-health-watch.ts';
import { BrokerLink } from './broker-link.ts';
import { BrokerMetrics } from './broker-metrics.ts';
import { brokerNames, DEFAULT_QUEUE_LIMITS } from './broker-topology.ts';
import type { ConnectorLimits } from './config.ts';

export type AgentLineOptions = Readonly<{
  network: NetworkId;
  /** 32 hex digits of this process: its own queues bear them. */
  instance: string;
  broker: Readonly<{ url: string; user: string; password: string; ca: string }>;
  /** RSA public key of the agents, SPKI, PEM. */
  agentKey: string;
  limits: ConnectorLimits;
}>;
export type AgentLineDependencies = Readonly<{
  opener: BodyOpener;
  registry: Registry;
  log: Logger;
  /** Monotonic, ms. */
  now: () => number;
}>;
/** `link` is to be started when all consumers are registered, and stopped last. */
export type AgentLine = Readonly<{ link: BrokerLink; agent: AgentClient; health: HealthWatch }>;

/** @throws SealedBodyError `SEALED_KEY_INVALID` */
export function openAgentLine(options: AgentLineOptions, dependencies: AgentLineDependencies): AgentLine {
  const { network, limits, broker } = options;
  const { opener, registry, log, now } = dependencies;
  const metrics = new BrokerMetrics(network, registry);
  const names = brokerNames(network, options.instance);
  const link = new BrokerLink(
    {
      ...broker,
      names,
      queueLimits: DEFAULT_QUEUE_LIMITS,
      prefetch: limits.prefetch,
      maxBodyBytes: limits.maxMessageBytes,
      maxUnconfirmed: limits.maxUnconfirmed,
      confirmMs: limits.confirmMs,
      firstPauseMs: limits.firstReconnectMs,
      longestPauseMs: limits.longestReconnectMs,
      connectTimeoutMs: limits.connectTimeoutMs,
      heartbeatSeconds: limits.heartbeatSeconds,
    },
    { log, metrics },
  );
  const { silenceMs, maxAgents, maxCalls, maxCommandBytes } = limits;
  const health = new HealthWatch({ network, silenceMs, maxAgents }, { link, opener, metrics, now });
  const sealer = new BodySealer(options.agentKey);
  const isSilent = (): boolean => health.isSilent();
  const agent = new AgentClient(
    { network, names, maxCalls, maxCommandBytes },
    { link, sealer, opener, isSilent, metrics, now },
  );
  return { link, agent, health };
}
