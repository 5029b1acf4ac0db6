/**
 * What a node says of itself and of its service to anyone. Fields in camelCase are ours and complete; those in snake_case
 * have CCF's names and meanings, for clients that were written for it.
 */
import { Type } from '@sinclair/typebox';
import type { Bytes32 } from '../bytes32.ts';
import type { NodeId } from '../ledger/node-id.ts';
import { EXAMPLE_NODE, exampleWord } from './examples.ts';
import { Bytes32Form, CountForm, NodeIdForm, TransactionIdForm, wordForm } from './forms.ts';
import { type Wire, wire } from './wire.ts';

export type NodeRole = 'leader' | 'follower' | 'candidate' | 'learner';
export type ServiceStatus = 'open' | 'stopping' | 'failed';
/** Words of CCF. `Pending`: catching up, without a vote. `Initialized`: stopped taking part after a failure. */
export type CcfNodeState = 'Initialized' | 'Pending' | 'PartOfNetwork';

export type NodeState = Readonly<{
  nodeId: NodeId;
  /** Number in the Raft group; a node that joins anew gets another. */
  raftId: number;
  /** `virtual` protects nothing. */
  platform: string;
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
  /** Newest entry that a signature in the ledger covers; 0 before the first. */
  lastSignedSeqno: number;
  /** Newest entry that was applied when this process began to take part. */
  startupSeqno: number;
  serviceId: Bytes32;
  serviceStatus: ServiceStatus;
  node_id: NodeId;
  state: CcfNodeState;
  last_signed_seqno: number;
  startup_seqno: number;
  /** Whether the node is about to stop. */
  stop_notice: boolean;
}>;
const ServiceStatusForm: Wire<ServiceStatus> = wordForm<ServiceStatus>(['open', 'stopping', 'failed']);
export const NodeStateSchema: Wire<NodeState> = wire<NodeState>()(
  Type.Object(
    {
      nodeId: NodeIdForm,
      raftId: CountForm,
      platform: Type.String({ description: 'what the node runs on; `virtual` protects nothing' }),
      rollbackProtected: Type.Boolean({ description: 'whether a rolled-back disk would be noticed' }),
      clockProtected: Type.Boolean({ description: 'whether other nodes bound the clock of the leader' }),
      development: Type.Boolean({ description: 'whether whoever started the node can look into it' }),
      role: wordForm<NodeRole>(['leader', 'follower', 'candidate', 'learner']),
      view: CountForm,
      lastSeqno: CountForm,
      committedSeqno: CountForm,
      lastSignedSeqno: CountForm,
      startupSeqno: CountForm,
      serviceId: Bytes32Form,
      serviceStatus: ServiceStatusForm,
      node_id: NodeIdForm,
      state: wordForm<CcfNodeState>(['Initialized', 'Pending', 'PartOfNetwork']),
      last_signed_seqno: CountForm,
      startup_seqno: CountForm,
      stop_notice: Type.Boolean(),
    },
    {
      title: 'NodeState',
      examples: [
        {
          nodeId: EXAMPLE_NODE,
          raftId: 1,
          platform: 'virtual',
          rollbackProtected: false,
          clockProtected: true,
          development: false,
          role: 'leader',
          view: 2,
          lastSeqno: 1042,
          committedSeqno: 1042,
          lastSignedSeqno: 1041,
          startupSeqno: 1,
          serviceId: exampleWord('d'),
          serviceStatus: 'open',
          node_id: EXAMPLE_NODE,
          state: 'PartOfNetwork',
          last_signed_seqno: 1041,
          startup_seqno: 1,
          stop_notice: false,
        } satisfies NodeState,
      ],
    },
  ),
);

const PrimaryForm: Wire<NodeId | null> = Type.Unsafe<NodeId | null>(Type.Union([NodeIdForm, Type.Null()]));

export type NodeNetwork = Readonly<{
  serviceId: Bytes32;
  /** Of the node that answers. */
  serviceStatus: ServiceStatus;
  /** PEM. What clients pin; every node's certificate is issued under it. */
  serviceCertificate: string;
  /** SHA-256 of its DER. */
  serviceCertificateFingerprint: Bytes32;
  service_status: 'Open';
  service_certificate: string;
  current_view: number;
  /** Null while no leader is known. */
  primary_id: NodeId | null;
  recovery_count: number;
  service_data: null;
  current_service_create_txid: string;
}>;
export const NodeNetworkSchema: Wire<NodeNetwork> = wire<NodeNetwork>()(
  Type.Object(
    {
      serviceId: Bytes32Form,
      serviceStatus: ServiceStatusForm,
      serviceCertificate: Type.String({ description: 'the certificate in PEM' }),
      serviceCertificateFingerprint: Bytes32Form,
      service_status: wordForm<'Open'>(['Open']),
      service_certificate: Type.String({ description: 'the certificate in PEM' }),
      current_view: CountForm,
      primary_id: PrimaryForm,
      recovery_count: CountForm,
      service_data: Type.Null(),
      current_service_create_txid: TransactionIdForm,
    },
    { title: 'NodeNetwork' },
  ),
);

export type Ready = Readonly<{ ready: boolean }>;
export const ReadySchema: Wire<Ready> = wire<Ready>()(Type.Object({ ready: Type.Boolean() }));
