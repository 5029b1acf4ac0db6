/** The nodes of the service, as one of them sees them. */
import type { Session } from './bank-commands.ts';
import { json, table } from './output.ts';

export async function showNodes({ client, output, json: asJson }: Session): Promise<void> {
  const nodes = await client.nodes();
  if (asJson) return output.out(json(nodes));
  const rows = nodes.map(({ node_id, raft_id, status, primary, rpc_interfaces, platform }) => [
    node_id,
    `${raft_id}`,
    status,
    primary ? 'leads' : '',
    rpc_interfaces.primary_rpc_interface.published_address,
    platform,
  ]);
  output.out(table(['NODE', 'RAFT', 'STATUS', 'ROLE', 'ADDRESS', 'PLATFORM'], rows, ['RAFT']));
  if (!nodes.some(({ primary }) => primary)) output.err('this node knows no leader now');
}
