/** A second connector's line to the agents of a testbed, for questions alone: events stay with whom they are for. */
import { randomBytes } from 'node:crypto';
import { BodyOpener } from '@drawbridge/connector-sdk/sealed-body';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { openAgentLine } from '../agent-line.ts';
import { AgentQueries } from '../agent-queries.ts';
import { defaultLimits } from '../config.ts';
import type { CordaTestbed } from './corda-testbed.ts';

/** Of one question. */
const ANSWER_MS = 30_000;

export type AgentQuestions = Readonly<{ queries: AgentQueries; stop: () => Promise<void> }>;

type Bed = Pick<CordaTestbed, 'broker' | 'network' | 'connectorKeys' | 'connectorUser' | 'agentKeys'>;

export async function askAgents({ broker, network, ...bed }: Bed): Promise<AgentQuestions> {
  const line = openAgentLine(
    {
      network,
      instance: randomBytes(16).toString('hex'),
      broker: { ...bed.connectorUser, url: `amqps://${broker.host}:${broker.port}/%2F`, ca: broker.certificatePem },
      agentKey: bed.agentKeys.publicKeyPem,
      limits: defaultLimits(),
    },
    {
      opener: new BodyOpener(bed.connectorKeys.privateKeyPem),
      registry: new Registry(),
      log: pino({ level: 'silent' }),
      now: () => performance.now(),
    },
  );
  await line.link.start();
  const stopping = new AbortController();
  const queries = new AgentQueries({ timeoutMs: ANSWER_MS, signal: stopping.signal }, line.agent);
  return {
    queries,
    stop: async () => {
      stopping.abort();
      await line.link.stop();
    },
  };
}
