/** Cactus's face of the Corda connector: the plugin in its registry, behind Cactus's API server. */
import { AccessTokens } from '@drawbridge/connector-cactus/access-token';
import { startApiServer } from '@drawbridge/connector-cactus/api-server';
import { CactusMetrics } from '@drawbridge/connector-cactus/cactus-metrics';
import { openApiDocument } from '@drawbridge/connector-cactus/openapi-document';
import { PluginRegistry } from '@hyperledger/cactus-core';
import type { Logger } from 'pino';
import type { AgentCaller } from '../agent-client.ts';
import { AgentOperations } from './agent-operations.ts';
import type { CordaCactusSetup } from './corda-cactus-config.ts';
import { CordaCactusPlugin } from './corda-cactus-plugin.ts';
import { CORDA_OPERATIONS } from './corda-operations.ts';
import { StateMonitors } from './state-monitors.ts';

export type CordaCactusDependencies = Readonly<{
  agent: AgentCaller;
  log: Logger;
  /** Monotonic, ms. */
  now: () => number;
  /** Unix ms. */
  wallClock: () => number;
}>;
export type RunningCordaCactus = Readonly<{ url: string; registry: PluginRegistry; close: () => Promise<void> }>;

const API_VERSION = '0.1.0';

/** `close` ends what is waited for, too. */
export async function startCordaCactus(
  setup: CordaCactusSetup,
  deps: CordaCactusDependencies,
): Promise<RunningCordaCactus> {
  const { authentication, limits, instanceId } = setup;
  const { log, now, wallClock } = deps;
  const ended = new AbortController();
  const tokens = authentication && new AccessTokens(authentication, wallClock);
  const metrics = new CactusMetrics(['corda']);
  const agent = new AgentOperations({ ...limits, signal: ended.signal }, { agent: deps.agent, wallClock });
  const monitors = new StateMonitors({ ...limits, idleMs: limits.monitorIdleMs }, { agent, now });
  const document = openApiDocument({
    title: 'Drawbridge: Cactus API of the Corda connector',
    description: 'The operations of Cactus’s Corda ledger connector.',
    version: API_VERSION,
    operations: CORDA_OPERATIONS,
    mainDialect: 'corda',
    ...(authentication && { authentication }),
  });
  const plugin = new CordaCactusPlugin(
    { instanceId, requests: limits.requests, document },
    { services: { agent, monitors }, metrics, log, now, ...(tokens && { tokens }) },
  );
  const registry = new PluginRegistry({ logLevel: 'error', plugins: [plugin] });
  await plugin.onPluginInit();
  const { bodyBytes, requestTimeoutMs, requests } = limits;
  const api = await startApiServer(
    setup,
    { bodyBytes, requestTimeoutMs, connections: 2 * requests },
    { plugin, metrics, document, tokens, wallClock },
  );
  return {
    url: api.url,
    registry,
    close: async () => {
      ended.abort();
      await api.close();
    },
  };
}
