/** The Corda connector as a Cactus plugin: a ledger connector and a web service, for the node beside which the agent stands. */
import { CactusError } from '@drawbridge/connector-cactus/cactus-error';
import {
  WebServicePlugin,
  type WebServicePluginDependencies,
  type WebServicePluginOptions,
} from '@drawbridge/connector-cactus/web-service-plugin';
import { ConsensusAlgorithmFamily, type IPluginLedgerConnector } from '@hyperledger/cactus-core-api';
import { CORDA_OPERATIONS, type CordaServices } from './corda-operations.ts';
import type { InvokeBody, InvokeOutcome } from './operation-schemas.ts';

type Dependencies = Omit<WebServicePluginDependencies<CordaServices>, 'operations' | 'hasTransaction'>;

export class CordaCactusPlugin
  extends WebServicePlugin<CordaServices>
  implements IPluginLedgerConnector<never, never, InvokeBody, InvokeOutcome>
{
  readonly #services: CordaServices;

  constructor(options: Omit<WebServicePluginOptions, 'packageName'>, dependencies: Dependencies) {
    super(
      { ...options, packageName: '@drawbridge/connector-corda' },
      { ...dependencies, operations: CORDA_OPERATIONS, hasTransaction },
    );
    this.#services = dependencies.services;
  }

  /** @throws CactusError REQUEST_UNSUPPORTED: CorDapps are installed by whoever runs the node */
  async deployContract(): Promise<never> {
    throw new CactusError('REQUEST_UNSUPPORTED', 'this connector deploys nothing');
  }

  /** @throws CactusError; TypeError without a request */
  async transact(request?: InvokeBody): Promise<InvokeOutcome> {
    if (!request) throw new TypeError('which flow to run has to be said');
    return this.#services.agent.invoke(request);
  }

  /** Notaries of known identity. */
  async getConsensusAlgorithmFamily(): Promise<ConsensusAlgorithmFamily> {
    return ConsensusAlgorithmFamily.Authority;
  }

  /** What a notary signed stays. */
  async hasTransactionFinality(): Promise<boolean> {
    return true;
  }
}

const hasTransaction = (answer: unknown): boolean =>
  typeof answer === 'object' &&
  answer !== null &&
  'transactionId' in answer &&
  typeof answer.transactionId === 'string';
