/** A header as JSON-RPC gives it, put back into the RLP whose hash is the block's. */
import { RLP } from '@ethereumjs/rlp';
import { bytesOf, type Fields, fault, quantityOf, recorded } from './recording.ts';

type Form = 'bytes' | 'scalar';
/** In the order of the RLP. */
const FIELDS: readonly (readonly [name: string, form: Form])[] = [
  ['parentHash', 'bytes'],
  ['sha3Uncles', 'bytes'],
  ['miner', 'bytes'],
  ['stateRoot', 'bytes'],
  ['transactionsRoot', 'bytes'],
  ['receiptsRoot', 'bytes'],
  ['logsBloom', 'bytes'],
  ['difficulty', 'scalar'],
  ['number', 'scalar'],
  ['gasLimit', 'scalar'],
  ['gasUsed', 'scalar'],
  ['timestamp', 'scalar'],
  ['extraData', 'bytes'],
  ['mixHash', 'bytes'],
  ['nonce', 'bytes'],
];
/** Fields that forks added, each only behind those before it. */
const ADDED: readonly (readonly [name: string, form: Form])[] = [
  ['baseFeePerGas', 'scalar'],
  ['withdrawalsRoot', 'bytes'],
  ['blobGasUsed', 'scalar'],
  ['excessBlobGas', 'scalar'],
  ['parentBeaconBlockRoot', 'bytes'],
  ['requestsHash', 'bytes'],
];

/** How many fields the header has: 15, and more after forks. */
export function fieldCount(header: Fields): number {
  const first = ADDED.findIndex(([name]) => !recorded(header[name]));
  const added = first < 0 ? ADDED.length : first;
  if (ADDED.slice(added).some(([name]) => recorded(header[name]))) fault('the header has fields of a fork without those before');
  return FIELDS.length + added;
}

/** RLP of the header with the seals of this copy. */
export function headerRlp(header: Fields): Uint8Array {
  const present = [...FIELDS, ...ADDED].slice(0, fieldCount(header));
  return RLP.encode(
    present.map(([name, form]) =>
      form === 'bytes' ? bytesOf(header[name], name) : quantityOf(header[name], name),
    ),
  );
}
