/** What anyone may ask of a node, without a certificate. */
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
import type { Answer, ApiContext, ApiServer } from '../context.ts';
import { sendProblem } from '../problems.ts';

export function nodeRoutes(app: ApiServer, { core, serviceCertificate }: ApiContext): void {
  const { fingerprint256 } = new X509Certificate(serviceCertificate);
  const serviceCertificateFingerprint = `0x${fingerprint256.replaceAll(':', '').toLowerCase()}` as Bytes32;
  app.get(
    '/node/state',
    {
      config: { open: true },
      schema: {
        tags: ['node'],
        summary: 'What this node says of itself, and what it is not protected against',
        response: { 200: NodeStateSchema },
      },
    },
    async (): Answer<NodeState> => core.status(),
  );
  app.get(
    '/node/network',
    {
      config: { open: true },
      schema: {
        tags: ['node'],
        summary: 'The service: id, status, and the certificate to pin after comparing it by another way',
        response: { 200: NodeNetworkSchema },
      },
    },
    async (): Answer<NodeNetwork> => {
      const { serviceId, serviceStatus } = core.status();
      return { serviceId, serviceStatus, serviceCertificate, serviceCertificateFingerprint };
    },
  );
  app.get(
    '/node/ready',
    {
      config: { open: true, problems: ['NOT_READY'] },
      schema: {
        tags: ['node'],
        summary: 'Whether this node takes part: 200, or 503',
        response: { 200: ReadySchema },
      },
    },
    async (_request, reply): Answer<Ready> => {
      const { serviceStatus, role } = core.status();
      const ready = serviceStatus === 'open' && (role === 'leader' || role === 'follower');
      return ready ? { ready } : sendProblem(reply, 'NOT_READY');
    },
  );
}
