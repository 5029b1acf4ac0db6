/** Blocks that were recorded on real networks (`test/vectors/quorum`), and a node that answers with them. */
import { readFileSync } from 'node:fs';
import type { FollowedEvent } from '@drawbridge/connector-sdk/vault-event-source';
import { blockHashOf } from '@drawbridge/evidence/sealed-header';
import { parseBytes32, parseHex } from '@drawbridge/protocol/bytes32';
import { parseEvmAddress } from '@drawbridge/protocol/ids';
import type { EvmLog } from '@drawbridge/protocol/observer-evidence';
import { encodeHeader } from '../consensus/header-rlp.ts';
import type { RpcAnswer } from '../rpc-node.ts';

const FOLDER = new URL('../../../../test/vectors/quorum/', import.meta.url);

export type RpcFields = Readonly<Record<string, unknown>>;
export type RecordedBlock = Readonly<{
  rule: 'qbft' | 'ibft' | 'clique';
  block: RpcFields;
  receipts: readonly RpcFields[];
  /** Nodes of the proof that was made when it was recorded. */
  proof: Readonly<{ transactionIndex: number; nodes: readonly string[] }> | undefined;
}>;

type BlockFile = Readonly<{
  algo: 'qbft' | 'ibft';
  block: RpcFields;
  receipts: RpcFields[];
  participantReceipts?: RpcFields[];
  txs?: RpcFields[];
  exampleProof?: { transactionIndex: number | string; proof: string[] };
}>;
type RangeFile = Readonly<{
  rule: 'qbft' | 'clique';
  headers: RpcFields[];
  blocks?: { number: string; receipts: RpcFields[]; transactions: string[] }[];
}>;

const read = <T>(name: string): T => JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8')) as T;

export const RECORDED_BLOCKS = [
  'ibft-deploy',
  'ibft-empty',
  'qbft-deploy',
  'qbft-empty',
  'qbft-multi',
  'qbft-private-stub-ptm',
] as const;

export function recordedBlock(name: (typeof RECORDED_BLOCKS)[number]): RecordedBlock {
  const { algo, block, receipts, exampleProof } = read<BlockFile>(name);
  const proof = exampleProof && {
    transactionIndex: Number(exampleProof.transactionIndex),
    nodes: exampleProof.proof,
  };
  return { rule: algo, block, receipts, proof };
}

/** The private transaction's block as the node of a participant shows it, and its transactions in full. */
export function recordedPrivateBlock(): Readonly<{
  block: RpcFields;
  participantReceipts: readonly RpcFields[];
  transactions: readonly RpcFields[];
}> {
  const { block, participantReceipts = [], txs = [] } = read<BlockFile>('qbft-private-stub-ptm');
  return { block, participantReceipts, transactions: txs };
}

/** Consecutive headers, as blocks without transactions. */
export function recordedHeaders(name: 'clique-range' | 'qbft-set-change'): readonly RpcFields[] {
  return read<RangeFile>(name).headers.map((header) => ({ transactions: [], ...header }));
}

/** Blocks of the Clique network that have receipts, of types 0, 1 and 2. */
export function recordedCliqueBlocks(): readonly RecordedBlock[] {
  const { headers, blocks = [] } = read<RangeFile>('clique-range');
  return blocks.map(({ number, transactions, receipts }) => {
    const header = headers.find((candidate) => candidate.number === number);
    if (!header) throw new RangeError(`header ${number} was not recorded`);
    return { rule: 'clique', block: { ...header, transactions }, receipts, proof: undefined };
  });
}

/** Every log of a recorded block, as `eth_getLogs` gives it. */
export function eventsOf({ block, receipts }: RecordedBlock): FollowedEvent<EvmLog>[] {
  return receipts
    .flatMap(({ logs }) => logs as RpcFields[])
    .map((log, at) => {
      const raw: EvmLog = {
        blockNumber: Number(block.number),
        blockHash: parseBytes32(String(block.hash)),
        transactionHash: parseBytes32(String(log.transactionHash)),
        logIndex: Number(log.logIndex),
        address: parseEvmAddress(String(log.address)),
        topics: (log.topics as string[]).map((topic) => parseBytes32(topic)),
        data: parseHex(String(log.data)),
      };
      return { vault: raw.address, seq: at + 1, blockNumber: raw.blockNumber, blockHash: raw.blockHash, raw };
    });
}

/** The same block with other fields, and the hash that it has then. */
export function rehashed(recorded: RecordedBlock, fields: RpcFields): RecordedBlock {
  const block = { ...recorded.block, ...fields };
  const hash = blockHashOf(encodeHeader(block), recorded.rule);
  if (!hash) throw new RangeError('the fields make no header of the rule');
  const receipts = recorded.receipts.map((one) => ({ ...one, blockHash: hash, blockNumber: block.number }));
  return { ...recorded, block: { ...block, hash }, receipts };
}

/** A node that has these blocks, and the methods that GoQuorum has, or `eth_getBlockReceipts` too. */
export class RecordedNode {
  /** Methods that were called, in order. */
  readonly calls: string[] = [];
  blocks: readonly RecordedBlock[];
  hasBlockReceipts = true;
  /** In place of the hashes, when a block is asked for with its transactions. */
  transactions: readonly RpcFields[] = [];

  constructor(blocks: readonly RecordedBlock[]) {
    this.blocks = blocks;
  }

  answer(method: string, params: readonly unknown[]): RpcAnswer {
    this.calls.push(method);
    const at = this.blocks.find(({ block }) => block.number === params[0]);
    switch (method) {
      case 'eth_blockNumber':
        return { result: this.blocks.at(-1)?.block.number };
      case 'eth_getBlockByNumber':
        return {
          result: at && params[1] === true ? { ...at.block, transactions: this.transactions } : (at?.block ?? null),
        };
      case 'eth_getTransactionReceipt':
        return {
          result:
            this.blocks.flatMap(({ receipts }) => receipts).find((one) => one.transactionHash === params[0]) ?? null,
        };
      case 'eth_getBlockReceipts':
        if (this.hasBlockReceipts) return { result: at?.receipts ?? null };
        return {
          refused: { code: -32_601, message: 'the method eth_getBlockReceipts does not exist/is not available' },
        };
      default:
        return { refused: { code: -32_601, message: `the method ${method} does not exist/is not available` } };
    }
  }

  async request(method: string, ...params: unknown[]): Promise<RpcAnswer> {
    return this.answer(method, params);
  }
}
