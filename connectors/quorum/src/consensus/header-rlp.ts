/**
 * The RLP of a block's header out of `eth_getBlockByNumber`, for nodes that hand out no raw header. The order is that of
 * go-ethereum's `types.Header`; fields that came with later forks follow in theirs, each where the node shows it.
 */
import { RLP } from '@ethereumjs/rlp';
import { type RpcObject, rpcBytes, rpcScalar } from './rpc-value.ts';

/** `scalar`, any `bytes`, or so many bytes. */
type FieldForm = 'scalar' | 'bytes' | number;

const FIELDS: readonly (readonly [string, FieldForm])[] = [
  ['parentHash', 32],
  ['sha3Uncles', 32],
  ['miner', 20],
  ['stateRoot', 32],
  ['transactionsRoot', 32],
  ['receiptsRoot', 32],
  ['logsBloom', 256],
  ['difficulty', 'scalar'],
  ['number', 'scalar'],
  ['gasLimit', 'scalar'],
  ['gasUsed', 'scalar'],
  ['timestamp', 'scalar'],
  ['extraData', 'bytes'],
  ['mixHash', 32],
  ['nonce', 8],
];
const LATER_FIELDS: readonly (readonly [string, FieldForm])[] = [
  ['baseFeePerGas', 'scalar'],
  ['withdrawalsRoot', 32],
  ['blobGasUsed', 'scalar'],
  ['excessBlobGas', 'scalar'],
  ['parentBeaconBlockRoot', 32],
  ['requestsHash', 32],
];

/** @throws LedgerUnavailableError for a block without a header's fields. */
export function encodeHeader(block: RpcObject): Uint8Array {
  const later = LATER_FIELDS.filter(([name]) => block[name] !== undefined && block[name] !== null);
  return RLP.encode([...FIELDS, ...later].map(([name, form]) => encodeField(block[name], name, form)));
}

function encodeField(value: unknown, name: string, form: FieldForm): Uint8Array {
  const what = `a header's ${name}`;
  if (form === 'scalar') return rpcScalar(value, what);
  return form === 'bytes' ? rpcBytes(value, what) : rpcBytes(value, what, form);
}
