/** What RPC users need on a node, as it is listed in the READMEs of agent and tool: development networks give no more. */
const flow = (name: string): string => `StartFlow.drawbridge.corda.flow.${name}`;
const call = (name: string): string => `InvokeRpc.${name}`;

export const AGENT_PERMISSIONS: readonly string[] = [
  ...['ExecuteInstruction', 'FindInstruction', 'FindLock', 'DescribeVault', 'GuardVault'].map(flow),
  ...['nodeInfo', 'currentNodeTime', 'networkMapSnapshot'].map(call),
  ...['vaultQueryBy', 'vaultQueryByWithPagingSpec', 'vaultTrackBy'].map(call),
  ...['internalFindVerifiedTransaction', 'removeClientId'].map(call),
];

/** Besides, where the agent's configuration has `operations`; with `StartFlow` for each flow that it names. */
export const OPERATIONS_PERMISSIONS: readonly string[] = [
  ...['registeredFlows', 'nodeDiagnosticInfo', 'wellKnownPartyFromX500Name', 'finishedFlowsWithClientIds'].map(call),
];

export const TOOL_PERMISSIONS: readonly string[] = [
  ...['CashConstraint', 'CreateVault', 'DescribeVault', 'LockValue', 'FindLock', 'MoveTokens', 'GuardVault'].map(flow),
  'StartFlow.net.corda.finance.flows.CashIssueAndPaymentFlow',
  ...['nodeInfo', 'networkMapSnapshot', 'notaryIdentities', 'getNetworkParameters'].map(call),
  ...['wellKnownPartyFromX500Name', 'vaultQueryByWithPagingSpec'].map(call),
];
