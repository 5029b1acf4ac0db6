/**
 * What clients of CCF ask a node, without a certificate, in its names, forms and statuses. Told as this node knows it now:
 * a node that is behind says `Unknown` of what others have committed. Different on purpose: receipts come at once and not by
 * polling, a malformed id is 400 everywhere, an unknown leader passes and is 503.
 */
import { NodeIdForm, TransactionIdForm, wordForm } from '@drawbridge/protocol/api/forms';
import { ReceiptSchema } from '@drawbridge/protocol/api/receipt';
import {
  SERVICE_NODE_STATUSES,
  type ServiceNode,
  ServiceNodeSchema,
  type ServiceNodeStatus,
  type ServiceNodes,
  ServiceNodesSchema,
} from '@drawbridge/protocol/api/service-nodes';
import {
  type CommitAnswer,
  CommitAnswerSchema,
  type TransactionAnswer,
  TransactionAnswerSchema,
} from '@drawbridge/protocol/api/transaction';
import { type Wire, wire } from '@drawbridge/protocol/api/wire';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import type { Receipt } from '@drawbridge/protocol/ledger/receipt';
import { parseTransactionId } from '@drawbridge/protocol/ledger/transaction-id';
import { Type } from '@sinclair/typebox';
import type { CoreService, NetworkNode, TransactionStatus } from '../../core-service.ts';
import { ccfErrorHandler, sendCcfError } from '../ccf-errors.ts';
import type { Answer, ApiContext, ApiReply, ApiServer } from '../context.ts';
import { isReady } from './node-routes.ts';

type TransactionQuery = Readonly<{ transaction_id: string }>;
const TransactionQuerySchema: Wire<TransactionQuery> = wire<TransactionQuery>()(
  Type.Object({ transaction_id: TransactionIdForm }),
);
type NodesQuery = Readonly<{ host?: string; port?: string; status?: ServiceNodeStatus }>;
const NodesQuerySchema: Wire<NodesQuery> = wire<NodesQuery>()(
  Type.Object({
    host: Type.Optional(Type.String({ maxLength: 253, description: 'the host of an address of the API' })),
    port: Type.Optional(Type.String({ maxLength: 5, description: 'its port' })),
    status: Type.Optional(wordForm<ServiceNodeStatus>(SERVICE_NODE_STATUSES)),
  }),
);
type NodeParams = Readonly<{ node_id: NodeId }>;
const NodeParamsSchema: Wire<NodeParams> = wire<NodeParams>()(Type.Object({ node_id: NodeIdForm }));

/** What every route here has in common. */
const OPEN = { open: true, errors: 'ccf' } as const;
const TAGS = ['node (CCF)'];

export function ccfNodeRoutes(app: ApiServer, context: ApiContext): void {
  transactionRoutes(app, context);
  receiptRoute(app, context);
  serviceNodeRoutes(app, context);
  roleRoutes(app, context);
  readyRoutes(app, context);
  factRoutes(app, context);
}

function transactionRoutes(app: ApiServer, { core, log }: ApiContext): void {
  const errorHandler = ccfErrorHandler(log);
  app.get<{ Querystring: TransactionQuery }>(
    '/node/tx',
    {
      config: OPEN,
      errorHandler,
      schema: {
        tags: TAGS,
        summary: 'What became of a transaction, as this node knows it',
        querystring: TransactionQuerySchema,
        response: { 200: TransactionAnswerSchema },
      },
    },
    async ({ query: { transaction_id } }): Answer<TransactionAnswer> => ({
      transaction_id,
      status: statusOf(core, transaction_id),
    }),
  );
  app.get(
    '/node/commit',
    {
      config: OPEN,
      errorHandler,
      schema: {
        tags: TAGS,
        summary: 'The newest transaction that is committed and applied at this node',
        response: { 200: CommitAnswerSchema },
      },
    },
    async (): Answer<CommitAnswer> => ({ transaction_id: core.committed() }),
  );
}

/** The id has passed its form; one that no number can hold names nothing that was ever there. */
function statusOf(core: Pick<CoreService, 'transactionStatus'>, text: string): TransactionStatus {
  const id = parseTransactionId(text);
  return id ? core.transactionStatus(id.view, id.seqno) : 'Unknown';
}

function receiptRoute(app: ApiServer, { core, log }: ApiContext): void {
  app.get<{ Querystring: TransactionQuery }>(
    '/node/receipt',
    {
      config: OPEN,
      errorHandler: ccfErrorHandler(log),
      schema: {
        tags: TAGS,
        summary: 'The receipt of a transaction, without claims, at once: an uncovered one has a signature made for it',
        description:
          'Waits until this node knows what others have committed, so that an id that any node answered is found. ' +
          '404 `TransactionPendingOrUnknown` or `TransactionInvalid`; 503 with `retry-after` where it cannot be had now.',
        querystring: TransactionQuerySchema,
        response: { 200: ReceiptSchema },
      },
    },
    async ({ query: { transaction_id } }, reply): Answer<Receipt> => {
      const id = parseTransactionId(transaction_id);
      if (!id) return sendCcfError(reply, 'TransactionPendingOrUnknown', notCommitted(transaction_id, 'Unknown'));
      let status = core.transactionStatus(id.view, id.seqno);
      if (status === 'Pending' || status === 'Unknown') {
        await core.barrier();
        status = core.transactionStatus(id.view, id.seqno);
      }
      if (status !== 'Committed') {
        const code = status === 'Invalid' ? 'TransactionInvalid' : 'TransactionPendingOrUnknown';
        return sendCcfError(reply, code, notCommitted(transaction_id, status));
      }
      const receipt = await core.receipts.transaction(`${id.view}.${id.seqno}`);
      return receipt ?? sendCcfError(reply, 'NodeCannotHandleRequest', 'This node does not have that entry yet.');
    },
  );
}

const notCommitted = (id: string, status: TransactionStatus): string =>
  `Transaction ${id} is not committed here: ${status.toLowerCase()}.`;

function serviceNode(node: NetworkNode): ServiceNode {
  const { nodeId, status, primary, apiAddress, raftId, platform, peerAddress } = node;
  return {
    node_id: nodeId,
    status,
    primary,
    rpc_interfaces: { primary_rpc_interface: { published_address: apiAddress } },
    node_data: null,
    raft_id: raftId,
    platform,
    peer_address: peerAddress,
  };
}

function serviceNodeRoutes(app: ApiServer, { core, log }: ApiContext): void {
  const errorHandler = ccfErrorHandler(log);
  const answer = (reply: ApiReply, id: NodeId): ServiceNode | ApiReply => {
    const found = core.network().nodes.find(({ nodeId }) => nodeId === id);
    return found ? serviceNode(found) : sendCcfError(reply, 'ResourceNotFound', 'Node not found.');
  };
  app.get<{ Querystring: NodesQuery }>(
    '/node/network/nodes',
    {
      config: OPEN,
      errorHandler,
      schema: {
        tags: TAGS,
        summary: 'The nodes of the service, with their addresses and which of them leads',
        querystring: NodesQuerySchema,
        response: { 200: ServiceNodesSchema },
      },
    },
    async ({ query }): Answer<ServiceNodes> => ({
      nodes: core
        .network()
        .nodes.filter((node) => matches(node, query))
        .map(serviceNode),
    }),
  );
  const single = { config: OPEN, errorHandler };
  const response = { 200: ServiceNodeSchema };
  app.get<{ Params: NodeParams }>(
    '/node/network/nodes/:node_id',
    { ...single, schema: { tags: TAGS, summary: 'One node of the service', params: NodeParamsSchema, response } },
    async ({ params }, reply): Answer<ServiceNode> => answer(reply, params.node_id),
  );
  app.get(
    '/node/network/nodes/self',
    { ...single, schema: { tags: TAGS, summary: 'The node that answers', response } },
    async (_request, reply): Answer<ServiceNode> => answer(reply, core.status().nodeId),
  );
  app.get(
    '/node/network/nodes/primary',
    { ...single, schema: { tags: TAGS, summary: 'The node that leads, as far as this one knows', response } },
    async (_request, reply): Answer<ServiceNode> => {
      const { primaryId } = core.network();
      return primaryId === null ? sendNoPrimary(reply) : answer(reply, primaryId);
    },
  );
}

function matches({ apiAddress, status }: NetworkNode, query: NodesQuery): boolean {
  const colon = apiAddress.lastIndexOf(':');
  const [host, port] = [apiAddress.slice(0, colon), apiAddress.slice(colon + 1)];
  return (query.status ?? status) === status && (query.host ?? host) === host && (query.port ?? port) === port;
}

const sendNoPrimary = (reply: ApiReply): ApiReply => sendCcfError(reply, 'PrimaryNotFound', 'Primary unknown.');

/** For load balancers: 200 by the node asked for, elsewhere 308 to it. */
function roleRoutes(app: ApiServer, { core, log }: ApiContext): void {
  const errorHandler = ccfErrorHandler(log);
  const redirect = (reply: ApiReply, to: NetworkNode, path: string): ApiReply =>
    reply.code(308).header('location', `https://${to.apiAddress}${path}`).send();
  const schema = (summary: string) => ({
    tags: TAGS,
    summary,
    response: {
      200: Type.Null({ description: 'this is it' }),
      308: Type.Null({ description: 'that is at `location`' }),
    },
  });
  app.route({
    url: '/node/primary',
    method: ['GET', 'HEAD'],
    config: OPEN,
    errorHandler,
    schema: schema('Whether this node leads'),
    handler: async (_request, reply): Promise<ApiReply> => {
      const { primaryId, nodes } = core.network();
      if (primaryId === core.status().nodeId) return reply.code(200).send();
      const primary = nodes.find(({ nodeId }) => nodeId === primaryId);
      return primary ? redirect(reply, primary, '/node/primary') : sendNoPrimary(reply);
    },
  });
  app.route({
    url: '/node/backup',
    method: ['GET', 'HEAD'],
    config: OPEN,
    errorHandler,
    schema: schema('Whether this node follows another'),
    handler: async (_request, reply): Promise<ApiReply> => {
      const { primaryId, nodes } = core.network();
      if (primaryId !== core.status().nodeId) return reply.code(200).send();
      const backup = nodes.find(({ status, primary }) => status === 'Trusted' && !primary);
      return backup
        ? redirect(reply, backup, '/node/backup')
        : sendCcfError(reply, 'ResourceNotFound', 'This service has no backup.');
    },
  });
}

function readyRoutes(app: ApiServer, { core, log }: ApiContext): void {
  const errorHandler = ccfErrorHandler(log);
  const response = { 204: Type.Null({ description: 'ready' }) };
  app.get(
    '/node/ready/app',
    {
      config: OPEN,
      errorHandler,
      schema: { tags: TAGS, summary: 'Whether this node serves participants: 204, or 503', response },
    },
    async (_request, reply): Promise<ApiReply> =>
      isReady(core)
        ? reply.code(204).send()
        : sendCcfError(reply, 'NodeCannotHandleRequest', 'The node does not take part, or knows no leader.'),
  );
  app.get(
    '/node/ready/gov',
    {
      config: OPEN,
      errorHandler,
      schema: {
        tags: TAGS,
        summary:
          'Whether this node serves the governance API: 503, since this service is governed by signed amendments',
        response,
      },
    },
    async (_request, reply): Promise<ApiReply> =>
      sendCcfError(reply, 'NodeCannotHandleRequest', 'This service is governed by signed amendments and not by /gov.'),
  );
}

const VersionSchema = Type.Object({
  ccf_version: Type.String({ description: 'whose interface this is, and the version of the program' }),
  quickjs_version: Type.String({ description: 'empty: no JavaScript is run for others' }),
  unsafe: Type.Boolean({ description: 'whether whoever started the node can look into it' }),
});
/** Of the API's document; what the code is, attestation says. */
const VERSION = 'drawbridge-1.0.0';

const ConsensusSchema = Type.Object({
  details: Type.Object({
    configs: Type.Array(
      Type.Object({
        idx: Type.Integer(),
        nodes: Type.Record(Type.String(), Type.Object({ address: Type.String() })),
      }),
    ),
    acks: Type.Record(Type.String(), Type.Integer(), { description: 'empty: the leader does not tell' }),
    membership_state: Type.String({ examples: ['Active'] }),
    leadership_state: Type.String({ examples: ['Leader', 'Follower', 'Candidate'] }),
    primary_id: Type.Optional(NodeIdForm),
    current_view: Type.Integer(),
    ticking: Type.Boolean(),
  }),
});
const LEADERSHIP = { leader: 'Leader', follower: 'Follower', candidate: 'Candidate', learner: 'Follower' } as const;

function factRoutes(app: ApiServer, { core, log }: ApiContext): void {
  const errorHandler = ccfErrorHandler(log);
  app.get(
    '/node/version',
    {
      config: OPEN,
      errorHandler,
      schema: { tags: TAGS, summary: 'The version of the interface', response: { 200: VersionSchema } },
    },
    async () => ({ ccf_version: VERSION, quickjs_version: '', unsafe: core.status().development }),
  );
  app.get(
    '/node/consensus',
    {
      config: OPEN,
      errorHandler,
      schema: {
        tags: TAGS,
        summary: 'The configuration and the part of this node in it',
        description: '`configs` has one configuration, that of now; `idx` is the newest entry that this node applied.',
        response: { 200: ConsensusSchema },
      },
    },
    async () => {
      const { role, committedSeqno, serviceStatus } = core.status();
      const { nodes, primaryId, currentView } = core.network();
      const configured = nodes.map(({ nodeId, peerAddress }) => [nodeId, { address: peerAddress }] as const);
      return {
        details: {
          configs: [{ idx: committedSeqno, nodes: Object.fromEntries(configured) }],
          acks: {},
          membership_state: role === 'learner' ? 'Learner' : 'Active',
          leadership_state: LEADERSHIP[role],
          ...(primaryId !== null && { primary_id: primaryId }),
          current_view: currentView,
          ticking: serviceStatus === 'open',
        },
      };
    },
  );
  app.get(
    '/node/service/previous_identity',
    {
      config: OPEN,
      errorHandler,
      schema: {
        tags: TAGS,
        summary: 'The certificate that the service had before a recovery: 404, as it never had another',
        response: { 200: Type.Object({ previous_service_identity: Type.String() }) },
      },
    },
    async (_request, reply): Promise<ApiReply> =>
      sendCcfError(reply, 'ResourceNotFound', 'This service is not a recovery of a previous service.'),
  );
}
