/**
 * What a node answers, in the shapes of web3.js 1.x, which Cactus's API passes on: numbers where they fit, decimal text
 * for amounts and difficulties, addresses in checksum case.
 */

import { CactusError } from '@drawbridge/connector-cactus/cactus-error';
import { getAddress } from 'ethers';
import { fields } from './ethereum-rpc.ts';
import { decimal, jsonNumber, text } from './quantities.ts';

export type Web3Log = Readonly<{
  address: string;
  topics: readonly string[];
  data: string;
  blockNumber: number;
  blockHash: string;
  transactionHash: string;
  transactionIndex: number;
  logIndex: number;
  removed: boolean;
}>;

/**
 * `to` is empty for the creation of a contract: Cactus's schema wants text. The gas of the block so far is there under
 * web3's name and under that of Cactus's schema.
 */
export type Web3TransactionReceipt = Readonly<{
  status: boolean;
  transactionHash: string;
  transactionIndex: number;
  blockHash: string;
  blockNumber: number;
  gasUsed: number;
  cumulativeGasUsed: number;
  cumulativeGasUSed: number;
  contractAddress?: string;
  from: string;
  to: string;
  logs: readonly Web3Log[];
  logsBloom: string;
  revertReason?: string;
  output?: string;
  commitmentHash?: string;
}>;

const HASH = /^0x[0-9a-fA-F]{64}$/;
const BYTES = /^0x([0-9a-fA-F]{2})*$/;

export function receiptOf(answer: unknown): Web3TransactionReceipt {
  const receipt = need(answer, 'receipt');
  const { contractAddress, to, logs, revertReason, output } = receipt;
  if (!Array.isArray(logs)) throw malformed('logs');
  const cumulativeGasUsed = jsonNumber(receipt.cumulativeGasUsed, 'cumulativeGasUsed');
  return {
    status: jsonNumber(receipt.status, 'status') === 1,
    transactionHash: hash(receipt.transactionHash, 'transactionHash'),
    transactionIndex: jsonNumber(receipt.transactionIndex, 'transactionIndex'),
    blockHash: hash(receipt.blockHash, 'blockHash'),
    blockNumber: jsonNumber(receipt.blockNumber, 'blockNumber'),
    gasUsed: jsonNumber(receipt.gasUsed, 'gasUsed'),
    cumulativeGasUsed,
    cumulativeGasUSed: cumulativeGasUsed,
    ...(typeof contractAddress === 'string' && { contractAddress: address(contractAddress, 'contractAddress') }),
    from: address(receipt.from, 'from'),
    to: to ? address(to, 'to') : '',
    logs: logs.map((log: unknown) => logOf(log)),
    logsBloom: bytes(receipt.logsBloom, 'logsBloom'),
    ...(typeof revertReason === 'string' && { revertReason }),
    ...(typeof output === 'string' && { output }),
  };
}

export function logOf(answer: unknown): Web3Log {
  const log = need(answer, 'log');
  if (!Array.isArray(log.topics)) throw malformed('topics');
  return {
    address: address(log.address, 'address'),
    topics: log.topics.map((topic: unknown) => hash(topic, 'topic')),
    data: bytes(log.data, 'data'),
    blockNumber: jsonNumber(log.blockNumber, 'blockNumber'),
    blockHash: hash(log.blockHash, 'blockHash'),
    transactionHash: hash(log.transactionHash, 'transactionHash'),
    transactionIndex: jsonNumber(log.transactionIndex, 'transactionIndex'),
    logIndex: jsonNumber(log.logIndex, 'logIndex'),
    removed: log.removed === true,
  };
}

/** Cactus's schema spells two roots without their s; web3 with. Both are there. */
export function blockHeaderOf(answer: unknown): Readonly<Record<string, unknown>> {
  const block = need(answer, 'block');
  const transactionsRoot = hash(block.transactionsRoot, 'transactionsRoot');
  const receiptsRoot = hash(block.receiptsRoot, 'receiptsRoot');
  return {
    number: jsonNumber(block.number, 'number'),
    hash: hash(block.hash, 'hash'),
    parentHash: hash(block.parentHash, 'parentHash'),
    nonce: typeof block.nonce === 'string' ? bytes(block.nonce, 'nonce') : '0x0000000000000000',
    sha3Uncles: hash(block.sha3Uncles, 'sha3Uncles'),
    logsBloom: bytes(block.logsBloom, 'logsBloom'),
    transactionsRoot,
    transactionRoot: transactionsRoot,
    stateRoot: hash(block.stateRoot, 'stateRoot'),
    receiptsRoot,
    receiptRoot: receiptsRoot,
    miner: address(block.miner, 'miner'),
    difficulty: decimal(block.difficulty ?? '0x0', 'difficulty'),
    ...(typeof block.mixHash === 'string' && { mixHash: block.mixHash }),
    extraData: bytes(block.extraData, 'extraData'),
    gasLimit: jsonNumber(block.gasLimit, 'gasLimit'),
    gasUsed: jsonNumber(block.gasUsed, 'gasUsed'),
    timestamp: jsonNumber(block.timestamp, 'timestamp'),
    ...(typeof block.baseFeePerGas === 'string' && { baseFeePerGas: jsonNumber(block.baseFeePerGas, 'baseFeePerGas') }),
  };
}

/** A header with what web3's `getBlock` adds; transactions are hashes or whole, as the node gave them. */
export function blockDataOf(answer: unknown): Readonly<Record<string, unknown>> {
  const block = need(answer, 'block');
  const { transactions, uncles } = block;
  return {
    ...blockHeaderOf(block),
    size: jsonNumber(block.size ?? '0x0', 'size'),
    totalDifficulty: decimal(block.totalDifficulty ?? '0x0', 'totalDifficulty'),
    uncles: Array.isArray(uncles) ? uncles.map((uncle: unknown) => hash(uncle, 'uncle')) : [],
    transactions: Array.isArray(transactions)
      ? transactions.map((item: unknown) =>
          typeof item === 'string' ? hash(item, 'transaction') : transactionOf(item),
        )
      : [],
  };
}

/** `get-block` of Besu: its schema wants difficulties as numbers. */
export function evmBlockOf(answer: unknown): Readonly<Record<string, unknown>> {
  const block = blockDataOf(answer);
  return {
    ...block,
    difficulty: smallNumber(block.difficulty, 'difficulty'),
    totalDifficulty: smallNumber(block.totalDifficulty, 'totalDifficulty'),
  };
}

const smallNumber = (value: unknown, name: string): number => jsonNumber(Number(value), name);

export function transactionOf(answer: unknown): Readonly<Record<string, unknown>> {
  const item = need(answer, 'transaction');
  const { blockHash, blockNumber, transactionIndex, to } = item;
  return {
    hash: hash(item.hash, 'hash'),
    nonce: jsonNumber(item.nonce, 'nonce'),
    blockHash: blockHash ? hash(blockHash, 'blockHash') : null,
    blockNumber: blockNumber ? jsonNumber(blockNumber, 'blockNumber') : null,
    transactionIndex: transactionIndex ? jsonNumber(transactionIndex, 'transactionIndex') : null,
    from: address(item.from, 'from'),
    to: to ? address(to, 'to') : null,
    value: decimal(item.value, 'value'),
    gasPrice: decimal(item.gasPrice ?? item.maxFeePerGas ?? '0x0', 'gasPrice'),
    gas: jsonNumber(item.gas, 'gas'),
    input: bytes(item.input, 'input'),
    ...pick(item, ['v', 'r', 's', 'type', 'chainId']),
  };
}

function pick(item: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = item[name];
    if (typeof value === 'string') picked[name] = value;
  }
  return picked;
}

function need(value: unknown, name: string): Record<string, unknown> {
  const found = fields(value);
  if (!found) throw malformed(name);
  return found;
}

function hash(value: unknown, name: string): string {
  if (typeof value === 'string' && HASH.test(value)) return value;
  throw malformed(name);
}

function bytes(value: unknown, name: string): string {
  if (typeof value === 'string' && BYTES.test(value)) return value;
  throw malformed(name);
}

function address(value: unknown, name: string): string {
  const hex = text(value, name);
  if (!/^0x[0-9a-fA-F]{40}$/.test(hex)) throw malformed(name);
  return getAddress(hex.toLowerCase());
}

const malformed = (name: string): CactusError =>
  new CactusError('LEDGER_UNAVAILABLE', `the node answered no ${name} that can be read`);
