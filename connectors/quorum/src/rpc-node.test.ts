import { expect, test } from '@jest/globals';
import { sendRefusal } from './rpc-node.ts';

test.each([
  ['geth', 'nonce too low: next nonce 5, tx nonce 4', 'nonce-too-low'],
  ['besu', 'Nonce too low', 'nonce-too-low'],
  ['besu', 'Transaction nonce is below sender account nonce', 'nonce-too-low'],
  ['geth', 'already known', 'already-known'],
  ['anvil', 'transaction already imported', 'already-known'],
  ['besu', 'Known transaction', 'already-known'],
  ['geth', 'replacement transaction underpriced', 'replacement-underpriced'],
  ['besu', 'Replacement transaction underpriced', 'replacement-underpriced'],
  ['geth', 'transaction underpriced: tip needed 1, tip permitted 0', 'underpriced'],
  ['geth', 'max fee per gas less than block base fee: address 0x, maxFeePerGas: 1, baseFee: 2', 'underpriced'],
  ['besu', 'Gas price below current base fee', 'underpriced'],
  ['geth', 'insufficient funds for gas * price + value: balance 0, tx cost 1', 'no-funds'],
  ['anvil', 'Insufficient funds for gas * price + value', 'no-funds'],
  ['besu', 'Upfront cost exceeds account balance', 'no-funds'],
  ['geth', 'txpool is full', 'pool-full'],
  ['geth', 'exceeds block gas limit', 'gas-limit'],
  ['geth', 'intrinsic gas too low', 'gas-limit'],
  ['some node', 'computer says no', 'other'],
])('%s: %s', (_node, message, refusal) => {
  expect(sendRefusal(message)).toBe(refusal);
});
