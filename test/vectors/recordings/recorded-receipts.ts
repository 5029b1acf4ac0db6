/**
 * All receipts of a block: rebuilt to the root that its header names, each then proven by the product's verifier from that
 * root, and each log compared with what the node said.
 */
import { decodeReceipt, logContent } from '@drawbridge/evidence/ethereum-receipt';
import { proveReceipt } from '@drawbridge/evidence/ethereum-receipt-proof';
import { encodeReceipt, type PlainReceipt, receiptTrie } from '@drawbridge/evidence/testing/receipt-trie';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import {
  addressOf,
  bytesOf,
  type Fields,
  fault,
  fieldsOf,
  hexOf,
  listOf,
  numberOf,
  quantityOf,
  recorded,
  wordOf,
} from './recording.ts';

function receiptOf(value: unknown): PlainReceipt {
  const receipt = fieldsOf(value, 'receipt');
  const status = quantityOf(receipt.status, 'status');
  if (status > 1n) fault('status is neither 0 nor 1');
  return {
    type: recorded(receipt.type) ? numberOf(receipt.type, 'type') : 0,
    succeeded: status === 1n,
    cumulativeGasUsed: quantityOf(receipt.cumulativeGasUsed, 'cumulativeGasUsed'),
    logsBloom: hexOf(receipt.logsBloom, 'logsBloom'),
    logs: listOf(receipt.logs, 'logs').map((item) => {
      const log = fieldsOf(item, 'log');
      return {
        address: addressOf(log.address, 'address'),
        topics: listOf(log.topics, 'topics').map((topic) => wordOf(topic, 'topic')),
        data: hexOf(log.data, 'data'),
      };
    }),
  };
}

/** Receipts by their index, whatever order they were recorded in. */
function inOrder(receipts: readonly unknown[]): readonly unknown[] {
  const ordered: unknown[] = [];
  for (const [at, item] of receipts.entries()) {
    const { transactionIndex } = fieldsOf(item, 'receipt');
    const index = recorded(transactionIndex) ? numberOf(transactionIndex, 'transactionIndex') : at;
    if (index >= receipts.length || ordered[index] !== undefined) fault('the receipts are not those of one block');
    ordered[index] = item;
  }
  return ordered;
}

/** @throws RecordingFault for the first thing that is not as recorded. */
export async function checkReceipts(receipts: readonly unknown[], receiptsRoot: Bytes32): Promise<void> {
  const plain = inOrder(receipts).map(receiptOf);
  const trie = await receiptTrie(plain.map(encodeReceipt));
  if (trie.root !== receiptsRoot) fault('the receipts do not hash to the receipts root');
  for (const [index, receipt] of plain.entries()) {
    const proven = proveReceipt(await trie.proofOf(index), receiptsRoot, index);
    if (!proven.ok) return fault(`receipt ${index}: ${proven.detail}`);
    const decoded = decodeReceipt(proven.receipt);
    if (!decoded.ok) return fault(`receipt ${index}: ${decoded.detail}`);
    const { type, succeeded, logs } = decoded.receipt;
    const found = { type, succeeded, logs: logs.map(logContent) };
    const said = { type: receipt.type, succeeded: receipt.succeeded, logs: receipt.logs };
    if (JSON.stringify(found) !== JSON.stringify(said)) fault(`receipt ${index} is not as recorded`);
  }
}

/** What a participant of a private transaction sees is not what the block holds: it must not hash to the root. */
export async function checkPrivateView(receipts: readonly unknown[], receiptsRoot: Bytes32): Promise<void> {
  const trie = await receiptTrie(inOrder(receipts).map(receiptOf).map(encodeReceipt));
  if (trie.root === receiptsRoot) fault('the private view hashes to the receipts root');
}

/** A proof that was recorded with the block. */
export function checkExampleProof(example: Fields, receiptsRoot: Bytes32): void {
  const root = wordOf(example.root, 'root of the proof');
  if (root !== receiptsRoot) fault('the recorded proof is of another root');
  const nodes = listOf(example.proof, 'nodes of the proof').map((node) => bytesOf(node, 'node of the proof'));
  const proven = proveReceipt(nodes, receiptsRoot, numberOf(example.transactionIndex, 'transactionIndex'));
  if (!proven.ok) return fault(`the recorded proof: ${proven.detail}`);
  const decoded = decodeReceipt(proven.receipt);
  if (!decoded.ok) fault(`the recorded proof: ${decoded.detail}`);
}
