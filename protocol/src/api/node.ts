/** What a node says of itself to anyone. */
import { Type } from '@sinclair/typebox';
import type { Bytes32 } from '../bytes32.ts';
import { exampleWord } from './examples.ts';
import { Bytes32Form, CountForm, wordForm } from './forms.ts';
import { type Wire, wire } from './wire.ts';

export type NodeRole = 'leader' | 'follower' | 'candidate' | 'learner';
export type ServiceStatus = 'open' | 'stopping' | 'failed';

export type NodeState = Readonly<{
  nodeId: number;
  platform: 'virtual';
  /** False: a rollback of the disk by the host would go unnoticed. */
  rollbackProtected: boolean;
  /** False: times in the ledger are this node's alone. */
  clockProtected: boolean;
  /** True: started so that whoever started it can look into it. */
  development: boolean;
  role: NodeRole;
  view: number;
  lastSeqno: number;
  committedSeqno: number;
  serviceId: Bytes32;
  serviceStatus: ServiceStatus;
}>;
const ServiceStatusForm: Wire<ServiceStatus> = wordForm<ServiceStatus>(['open', 'stopping', 'failed']);
export const NodeStateSchema: Wire<NodeState> = wire<NodeState>()(
  Type.Object(
    {
      nodeId: CountForm,
      platform: wordForm<'virtual'>(['virtual']),
      rollbackProtected: Type.Boolean({ description: 'whether a rolled-back disk would be noticed' }),
      clockProtected: Type.Boolean({ description: 'whether other nodes bound the clock of the leader' }),
      development: Type.Boolean({ description: 'whether whoever started the node can look into it' }),
      role: wordForm<NodeRole>(['leader', 'follower', 'candidate', 'learner']),
      view: CountForm,
      lastSeqno: CountForm,
      committedSeqno: CountForm,
      serviceId: Bytes32Form,
      serviceStatus: ServiceStatusForm,
    },
    {
      title: 'NodeState',
      examples: [
        {
          nodeId: 1,
          platform: 'virtual',
          rollbackProtected: false,
          clockProtected: false,
          development: false,
          role: 'leader',
          view: 2,
          lastSeqno: 1042,
          committedSeqno: 1042,
          serviceId: exampleWord('d'),
          serviceStatus: 'open',
        } satisfies NodeState,
      ],
    },
  ),
);

export type NodeNetwork = Readonly<{
  serviceId: Bytes32;
  serviceStatus: ServiceStatus;
  /** PEM. What clients pin. */
  serviceCertificate: string;
  /** SHA-256 of its DER. */
  serviceCertificateFingerprint: Bytes32;
}>;
export const NodeNetworkSchema: Wire<NodeNetwork> = wire<NodeNetwork>()(
  Type.Object(
    {
      serviceId: Bytes32Form,
      serviceStatus: ServiceStatusForm,
      serviceCertificate: Type.String({ description: 'the certificate in PEM' }),
      serviceCertificateFingerprint: Bytes32Form,
    },
    { title: 'NodeNetwork' },
  ),
);

export type Ready = Readonly<{ ready: boolean }>;
export const ReadySchema: Wire<Ready> = wire<Ready>()(Type.Object({ ready: Type.Boolean() }));
