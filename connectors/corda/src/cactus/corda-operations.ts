/** Every operation of Cactus's Corda connector. Those of Corda 5 and the upload of jars answer that they are not here. */
import { CactusError } from '@drawbridge/connector-cactus/cactus-error';
import { type Operation, type OperationFacts, operation } from '@drawbridge/connector-cactus/operation';
import type { Static, TSchema } from '@sinclair/typebox';
import type { AgentOperations } from './agent-operations.ts';
import * as schemas from './operation-schemas.ts';
import type { StateMonitors } from './state-monitors.ts';

export type CordaServices = Readonly<{ agent: AgentOperations; monitors: StateMonitors }>;
type CordaOperation = Operation<CordaServices>;

const corda = <S extends TSchema>(
  facts: Omit<OperationFacts, 'dialect'>,
  scope: 'read' | 'write',
  request: S,
  run: (services: CordaServices, body: Static<S>) => Promise<unknown>,
): CordaOperation => operation({ dialect: 'corda', ...facts }, scope, request, run);

/** Uploads over SSH and the REST API of Corda 5 are no part of a connector to a running Corda 4 network. */
const unsupported = (verb: 'get' | 'post', name: string, operationId: string): CordaOperation =>
  corda(
    { name, verb, operationId, summary: 'Not served', answer: schemas.UnsupportedAnswer },
    'write',
    schemas.UnsupportedRequest,
    async () => {
      throw new CactusError('REQUEST_UNSUPPORTED', 'this connector does not serve this operation');
    },
  );

const ledger: readonly CordaOperation[] = [
  corda(
    {
      name: 'invoke-contract',
      operationId: 'invokeContractV1',
      summary: 'Runs one of the flows that the agent may start',
      answer: schemas.InvokeAnswer,
    },
    'write',
    schemas.InvokeRequest,
    ({ agent }, body) => agent.invoke(body),
  ),
  corda(
    {
      name: 'vault-query',
      operationId: 'vaultQueryV1',
      summary: 'Unconsumed states of one of the classes that the agent may show',
      answer: schemas.VaultQueryAnswer,
    },
    'read',
    schemas.VaultQueryRequest,
    ({ agent }, { contractStateType }) => agent.vaultQuery(contractStateType),
  ),
  corda(
    {
      name: 'list-flows',
      operationId: 'listFlowsV1',
      summary: 'Flows of the node that the agent may start',
      answer: schemas.ListFlowsAnswer,
    },
    'read',
    schemas.ListFlowsRequest,
    ({ agent }, { filter }) => agent.listFlows(filter ?? ''),
  ),
  corda(
    {
      name: 'network-map',
      operationId: 'networkMapV1',
      summary: 'Nodes and parties that the node knows',
      answer: schemas.NetworkMapAnswer,
    },
    'read',
    schemas.NetworkMapRequest,
    ({ agent }) => agent.networkMap(),
  ),
  corda(
    {
      name: 'diagnose-node',
      operationId: 'diagnoseNodeV1',
      summary: 'Version of the node, and its CorDapps',
      answer: schemas.DiagnoseNodeAnswer,
    },
    'read',
    schemas.DiagnoseNodeRequest,
    ({ agent }) => agent.diagnoseNode(),
  ),
];

const monitors: readonly CordaOperation[] = [
  corda(
    {
      name: 'start-monitor',
      operationId: 'startMonitorV1',
      summary: 'Watches a class of states from now on',
      answer: schemas.MonitorAnswer,
    },
    'read',
    schemas.MonitorRequest,
    (services, body) => services.monitors.start(body),
  ),
  corda(
    {
      name: 'get-monitor-transactions',
      verb: 'get',
      operationId: 'GetMonitorTransactionsV1',
      summary: 'States recorded since, but those that were cleared',
      answer: schemas.MonitorTransactionsAnswer,
    },
    'read',
    schemas.MonitorRequest,
    (services, body) => services.monitors.transactions(body),
  ),
  corda(
    {
      name: 'clear-monitor-transactions',
      verb: 'delete',
      operationId: 'ClearMonitorTransactionsV1',
      summary: 'Forgets states that were told',
      answer: schemas.MonitorAnswer,
    },
    'read',
    schemas.ClearMonitorRequest,
    async (services, body) => services.monitors.clear(body),
  ),
  corda(
    {
      name: 'stop-monitor',
      verb: 'delete',
      operationId: 'stopMonitorV1',
      summary: 'Ends a monitor',
      answer: schemas.MonitorAnswer,
    },
    'read',
    schemas.MonitorRequest,
    async (services, body) => services.monitors.stop(body),
  ),
];

export const CORDA_OPERATIONS: readonly CordaOperation[] = [
  ...ledger,
  ...monitors,
  unsupported('post', 'deploy-contract-jars', 'deployContractJarsV1'),
  unsupported('get', 'list-cpi', 'listCpiV1'),
  unsupported('get', 'list-flow', 'listFlowV1'),
  unsupported('get', 'get-flow-cid', 'getFlowV1'),
  unsupported('post', 'start-flow', 'startFlowV1'),
];
