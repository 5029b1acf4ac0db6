/** What anyone may ask of a node, without a certificate, in our own form; `ccf-node-routes.ts` has what CCF's clients expect besides. */
import { X509Certificate } from 'node:crypto';
import {
  type NodeNetwork,
  NodeNetworkSchema,
  type NodeState,
  NodeStateSchema,
  type Ready,
  ReadySchema,
} from '@drawbridge/protocol/api/node';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { CoreService, NodeStatus } from '../../core-service.ts';
import type { Answer, ApiContext, ApiServer } from '../context.ts';
import { sendProblem } from '../problems.ts';

/** The transaction that made the service: its genesis, which Raft finds at index 1 of term 1. */
const CREATED_AT = '1.1';

/** Whether this node serves: it takes part, and knows who leads. */
export function isReady(core: Pick<CoreService, 'status' | 'network'>): boolean {
  const { serviceStatus, role } = core.status();
  return serviceStatus === 'open' && (role === 'leader' || role === 'follower') && core.network().primaryId !== null;
}

function ccfState({ serviceStatus, role }: NodeStatus): NodeState['state'] {
  if (serviceStatus === 'failed') return 'Initialized';
  return role === 'learner' ? 'Pending' : 'PartOfNetwork';
}

/** Remembers the last certificate: it stays the same while a service lives. */
function fingerprinter(): (certificate: string) => Bytes32 {
  let known = { certificate: '', fingerprint: '0x' as Bytes32 };
  return (certificate) => {
    if (certificate !== known.certificate) {
      const hex = new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase();
      known = { certificate, fingerprint: `0x${hex}` as Bytes32 };
    }
    return known.fingerprint;
  };
}

export function nodeRoutes(app: ApiServer, context: ApiContext): void {
  readState(app, context);
  readNetwork(app, context);
  readReady(app, context);
}

function readState(app: ApiServer, { core }: ApiContext): void {
  app.get(
    '/node/state',
    {
      config: { open: true },
      schema: {
        tags: ['node'],
        summary: 'What this node says of itself, and what it is not protected against',
        description: 'Fields in snake_case are those of CCF and repeat what stands in ours.',
        response: { 200: NodeStateSchema },
      },
    },
    async (): Answer<NodeState> => {
      const status = core.status();
      return {
        ...status,
        node_id: status.nodeId,
        state: ccfState(status),
        last_signed_seqno: status.lastSignedSeqno,
        startup_seqno: status.startupSeqno,
        stop_notice: status.serviceStatus === 'stopping',
      };
    },
  );
}

function readNetwork(app: ApiServer, { core }: ApiContext): void {
  const fingerprintOf = fingerprinter();
  app.get(
    '/node/network',
    {
      config: { open: true },
      schema: {
        tags: ['node'],
        summary: 'The service: id, status, leader, and the certificate to pin after comparing it by another way',
        description: 'Fields in snake_case are those of CCF; the nodes are at /node/network/nodes.',
        response: { 200: NodeNetworkSchema },
      },
    },
    async (): Answer<NodeNetwork> => {
      const { serviceId, serviceStatus } = core.status();
      const { serviceCertificate, currentView, primaryId } = core.network();
      return {
        serviceId,
        serviceStatus,
        serviceCertificate,
        serviceCertificateFingerprint: fingerprintOf(serviceCertificate),
        service_status: 'Open',
        service_certificate: serviceCertificate,
        current_view: currentView,
        primary_id: primaryId,
        recovery_count: 0,
        service_data: null,
        current_service_create_txid: CREATED_AT,
      };
    },
  );
}

function readReady(app: ApiServer, { core }: ApiContext): void {
  app.get(
    '/node/ready',
    {
      config: { open: true, problems: ['NOT_READY'] },
      schema: {
        tags: ['node'],
        summary: 'Whether this node takes part and knows who leads: 200, or 503',
        response: { 200: ReadySchema },
      },
    },
    async (_request, reply): Answer<Ready> => (isReady(core) ? { ready: true } : sendProblem(reply, 'NOT_READY')),
  );
}
