/**
 * Methods of `web3.eth` that `invoke-raw-web3eth-method` knows, by Cactus's names. What is not here cannot be allowed:
 * nothing that makes the node sign, changes its settings or its keys.
 */

/** Reads, allowed unless the operator says otherwise. */
export const DEFAULT_RAW_METHODS = [
  'call',
  'estimateGas',
  'getBalance',
  'getBlock',
  'getBlockNumber',
  'getBlockTransactionCount',
  'getBlockUncleCount',
  'getChainId',
  'getCode',
  'getFeeHistory',
  'getGasPrice',
  'getNodeInfo',
  'getPastLogs',
  'getProof',
  'getProtocolVersion',
  'getStorageAt',
  'getTransaction',
  'getTransactionCount',
  'getTransactionFromBlock',
  'getTransactionReceipt',
  'getUncle',
  'isMining',
  'isSyncing',
] as const;

/** Allowed only where the configuration names them: the node's own accounts, and what others have signed. */
const BY_REQUEST_ONLY = ['getAccounts', 'getCoinbase', 'getHashrate', 'sendSignedTransaction'] as const;

export const RAW_METHOD_NAMES = [...DEFAULT_RAW_METHODS, ...BY_REQUEST_ONLY] as const;
export type RawMethodName = (typeof RAW_METHOD_NAMES)[number];
