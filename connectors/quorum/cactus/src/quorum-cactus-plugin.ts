/**
 * The Quorum connector as a Cactus plugin: a ledger connector and a web service, in the dialects of Cactus's Quorum and
 * Besu connectors, for the network that this connector serves.
 */
import { WebServicePlugin, type WebServicePluginDependencies } from '@drawbridge/connector-cactus/web-service-plugin';
import { consensusHasTransactionFinality } from '@hyperledger/cactus-core';
import {
  ConsensusAlgorithmFamily,
  type IPluginLedgerConnector,
  type IWebServiceEndpoint,
} from '@hyperledger/cactus-core-api';
import type { Application } from 'express';
import type { Server } from 'socket.io';
import type { BlockFeed } from './block-feed.ts';
import type { DeployRequest, TransactionOutcome } from './contract-operations.ts';
import { fields } from './ethereum-rpc.ts';
import type { RunTransactionBody } from './operation-schemas.ts';
import { OPERATIONS, type OperationServices } from './operations.ts';
import type { QuorumMetrics } from './quorum-metrics.ts';
import { endWatching, serveWatching } from './watch-socket.ts';

export type QuorumCactusPluginOptions = Readonly<{
  instanceId: string;
  finalAtOnce: boolean;
  /** Requests worked on at once. */
  requests: number;
  document: unknown;
}>;
type Dependencies = Omit<WebServicePluginDependencies<OperationServices>, 'operations' | 'hasTransaction' | 'metrics'> &
  Readonly<{ feed: BlockFeed; metrics: QuorumMetrics }>;

export class QuorumCactusPlugin
  extends WebServicePlugin<OperationServices>
  implements IPluginLedgerConnector<DeployRequest, TransactionOutcome, RunTransactionBody, TransactionOutcome>
{
  readonly #finalAtOnce: boolean;
  readonly #deps: Dependencies;
  #server: Server | undefined;

  constructor({ finalAtOnce, ...options }: QuorumCactusPluginOptions, dependencies: Dependencies) {
    const hasTransaction = (answer: unknown): boolean => fields(fields(answer)?.transactionReceipt) !== undefined;
    super(
      { ...options, packageName: '@drawbridge/connector-quorum-cactus' },
      { ...dependencies, operations: OPERATIONS, hasTransaction },
    );
    this.#finalAtOnce = finalAtOnce;
    this.#deps = dependencies;
  }

  /** @throws CactusError; TypeError without a request */
  async deployContract(request?: DeployRequest): Promise<TransactionOutcome> {
    if (!request) throw new TypeError('what to deploy has to be said');
    return this.#deps.services.contracts.deploy(request);
  }

  /** @throws CactusError; TypeError without a request */
  async transact(request?: RunTransactionBody): Promise<TransactionOutcome> {
    if (!request) throw new TypeError('which transaction to run has to be said');
    return this.#deps.services.contracts.runTransaction(request);
  }

  /** Validators of known identity, whichever of the rules they follow. */
  async getConsensusAlgorithmFamily(): Promise<ConsensusAlgorithmFamily> {
    return ConsensusAlgorithmFamily.Authority;
  }

  /** Cactus's answer for the family, where the operator says that this network has it: Clique and anvil do not. */
  async hasTransactionFinality(): Promise<boolean> {
    return this.#finalAtOnce && consensusHasTransactionFinality(await this.getConsensusAlgorithmFamily());
  }

  override async registerWebServices(app: Application, server: Server): Promise<IWebServiceEndpoint[]> {
    const endpoints = await super.registerWebServices(app, server);
    const { feed, metrics, log } = this.#deps;
    serveWatching(server, { feed, metrics, log });
    this.#server = server;
    return endpoints;
  }

  override async shutdown(): Promise<void> {
    if (this.#server) endWatching(this.#server);
    this.#server = undefined;
  }
}
