/** Cactus's face of the connector: the plugin in its registry, behind an HTTP server with Cactus's own endpoints. */
import { AccessTokens } from '@drawbridge/connector-cactus/access-token';
import { startApiServer } from '@drawbridge/connector-cactus/api-server';
import { openApiDocument } from '@drawbridge/connector-cactus/openapi-document';
import { PluginRegistry } from '@hyperledger/cactus-core';
import type { ICactusPlugin } from '@hyperledger/cactus-core-api';
import { getAddress } from 'ethers';
import type { Logger } from 'pino';
import { BesuOperations } from './besu-operations.ts';
import { BlockFeed } from './block-feed.ts';
import type { CactusSetup } from './cactus-config.ts';
import { ContractOperations } from './contract-operations.ts';
import { ContractStore } from './contract-store.ts';
import { EthersRpc } from './ethereum-rpc.ts';
import { FileKeychain } from './file-keychain.ts';
import { HeadClock } from './head-clock.ts';
import { OPERATIONS, type OperationServices } from './operations.ts';
import { text } from './quantities.ts';
import { QuorumCactusPlugin } from './quorum-cactus-plugin.ts';
import { QuorumMetrics } from './quorum-metrics.ts';
import { RawMethods } from './raw-methods.ts';
import { SigningCredentials } from './signing-credential.ts';
import { TransactionRunner } from './transaction-runner.ts';

export type CactusNetwork = Readonly<{
  rpcUrl: string;
  chainId: number;
  /** Whether a block is final at once, as with QBFT, IBFT and IBFT 2.0. */
  finalAtOnce: boolean;
  /** Accounts that Cactus's clients may not use: the one that pays the relay's fees. */
  reservedAccounts: readonly string[];
}>;
export type CactusDependencies = Readonly<{
  log: Logger;
  /** Monotonic, ms. */
  now: () => number;
  /** Unix ms. */
  wallClock: () => number;
  /** Further plugins for the registry, keychains among them. */
  plugins?: readonly ICactusPlugin[];
}>;
export type RunningCactus = Readonly<{ url: string; registry: PluginRegistry; close: () => Promise<void> }>;

const API_VERSION = '0.1.0';

/** Starts, or stops what was started and throws: CactusError when the node does not answer, ConfigError for a keychain. */
export async function startCactus(
  setup: CactusSetup,
  network: CactusNetwork,
  deps: CactusDependencies,
): Promise<RunningCactus> {
  const { rpcTimeoutMs, answerBytes } = setup.limits;
  const rpc = new EthersRpc({ url: network.rpcUrl, chainId: network.chainId, timeoutMs: rpcTimeoutMs, answerBytes });
  try {
    return await serve(setup, network, deps, rpc);
  } catch (error) {
    rpc.close();
    throw error;
  }
}

async function serve(setup: CactusSetup, network: CactusNetwork, deps: CactusDependencies, rpc: EthersRpc) {
  const { authentication, limits } = setup;
  const tokens = authentication && new AccessTokens(authentication, deps.wallClock);
  const registry = new PluginRegistry({ logLevel: 'error', plugins: [] });
  for (const plugin of [...(await openKeychains(setup)), ...(deps.plugins ?? [])]) registry.add(plugin);
  const metrics = new QuorumMetrics();
  const clock = new HeadClock({ pollMs: limits.pollMs }, rpc);
  const services = await openServices({ setup, network, deps, rpc, clock, registry });
  const document = openApiDocument({
    title: 'Drawbridge: Cactus API of the Quorum connector',
    description: 'The operations of Cactus’s Quorum and Besu ledger connectors.',
    version: API_VERSION,
    operations: OPERATIONS,
    mainDialect: 'quorum',
    ...(authentication && { authentication }),
  });
  const plugin = new QuorumCactusPlugin(
    { instanceId: setup.instanceId, finalAtOnce: network.finalAtOnce, requests: limits.requests, document },
    {
      services,
      feed: new BlockFeed(limits, { rpc, clock }),
      metrics,
      ...(tokens && { tokens }),
      log: deps.log,
      now: deps.now,
    },
  );
  registry.add(plugin);
  await plugin.onPluginInit();
  const { bodyBytes, requestTimeoutMs, requests, watchers } = limits;
  const api = await startApiServer(
    setup,
    { bodyBytes, requestTimeoutMs, connections: 2 * (requests + watchers) },
    { plugin, metrics, document, tokens, wallClock: deps.wallClock },
  );
  return {
    url: api.url,
    registry,
    close: async () => {
      await api.close();
      rpc.close();
    },
  };
}

async function openKeychains({ keychains, instanceId }: CactusSetup): Promise<FileKeychain[]> {
  const opened = keychains.map(
    ({ keychainId, dir }) => new FileKeychain({ keychainId, dir, instanceId: `${instanceId}/${keychainId}` }),
  );
  for (const keychain of opened) await keychain.onPluginInit();
  return opened;
}

type ServiceParts = Readonly<{
  setup: CactusSetup;
  network: CactusNetwork;
  deps: CactusDependencies;
  rpc: EthersRpc;
  clock: HeadClock;
  registry: PluginRegistry;
}>;

async function openServices({ setup, network, deps, rpc, clock, registry }: ServiceParts): Promise<OperationServices> {
  const { limits, developmentOnly, transactionManagerUrl, rawMethods } = setup;
  const { rpcTimeoutMs, answerBytes } = limits;
  const reservedAccounts = new Set(network.reservedAccounts.map((account) => getAddress(account.toLowerCase())));
  const credentials = new SigningCredentials({ ...developmentOnly, reservedAccounts }, registry);
  const runner = new TransactionRunner(
    {
      ...limits,
      chainId: network.chainId,
      ...(transactionManagerUrl !== undefined && {
        transactionManager: { url: transactionManagerUrl, timeoutMs: rpcTimeoutMs, answerBytes },
      }),
    },
    { rpc, clock, now: deps.now },
  );
  // As web3 does: contracts in keychains are noted by network id, which need not be the chain id.
  const store = new ContractStore(text(await rpc.ask('net_version'), 'network id'));
  const contracts = new ContractOperations({ rpc, credentials, runner, contracts: store });
  return {
    contracts,
    besu: new BesuOperations({ logBlocks: limits.logBlocks }, { rpc, credentials, contracts }),
    rawMethods: new RawMethods({ allowed: rawMethods, logBlocks: limits.logBlocks }, { rpc, runner }),
    rawContract: { rpc, credentials, runner },
  };
}
