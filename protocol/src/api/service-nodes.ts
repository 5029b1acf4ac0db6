/** The nodes that together are the service, in CCF's form; `raft_id`, `platform` and `peer_address` are ours. */
import { Type } from '@sinclair/typebox';
import type { NodeId } from '../ledger/node-id.ts';
import { EXAMPLE_NODE } from './examples.ts';
import { CountForm, NodeIdForm, wordForm } from './forms.ts';
import { type Wire, wire } from './wire.ts';

/** `Learner`: trusted and catching up, without a vote. */
export const SERVICE_NODE_STATUSES = ['Trusted', 'Learner', 'Pending'] as const;
export type ServiceNodeStatus = (typeof SERVICE_NODE_STATUSES)[number];
/** `host:port` of the API. */
type RpcInterface = Readonly<{ published_address: string }>;

export type ServiceNode = Readonly<{
  node_id: NodeId;
  status: ServiceNodeStatus;
  primary: boolean;
  rpc_interfaces: Readonly<{ primary_rpc_interface: RpcInterface }>;
  node_data: null;
  /** Number in the Raft group. */
  raft_id: number;
  platform: string;
  /** `host:port` for other nodes. */
  peer_address: string;
}>;
export const ServiceNodeSchema: Wire<ServiceNode> = wire<ServiceNode>()(
  Type.Object(
    {
      node_id: NodeIdForm,
      status: wordForm<ServiceNodeStatus>(SERVICE_NODE_STATUSES),
      primary: Type.Boolean({ description: 'whether it leads, as far as the node that answers knows' }),
      rpc_interfaces: Type.Object({
        primary_rpc_interface: Type.Object({ published_address: Type.String({ examples: ['core-1.example:8443'] }) }),
      }),
      node_data: Type.Null(),
      raft_id: CountForm,
      platform: Type.String(),
      peer_address: Type.String(),
    },
    {
      title: 'ServiceNode',
      examples: [
        {
          node_id: EXAMPLE_NODE,
          status: 'Trusted',
          primary: true,
          rpc_interfaces: { primary_rpc_interface: { published_address: 'core-1.example:8443' } },
          node_data: null,
          raft_id: 1,
          platform: 'virtual',
          peer_address: 'core-1.example:9443',
        } satisfies ServiceNode,
      ],
    },
  ),
);

export type ServiceNodes = Readonly<{ nodes: readonly ServiceNode[] }>;
export const ServiceNodesSchema: Wire<ServiceNodes> = wire<ServiceNodes>()(
  Type.Object({ nodes: Type.Array(ServiceNodeSchema) }),
);
