/**
 * Receipts of the Ethereum family as consensus encodes them (EIP-2718): RLP of status, gas, bloom and logs, behind one byte
 * for the type where the transaction is typed. Size, parts and depth are bounded before anything is decoded: those who seal
 * a network's blocks may put any bytes under a receipts root.
 */
import { type Bytes32, type Hex, toBytes32, toHex } from '@drawbridge/protocol/bytes32';
import { MAX_PROOF_BYTES } from '@drawbridge/protocol/consensus-evidence';
import type { EvmAddress } from '@drawbridge/protocol/ids';
import { decodeRlp, type RlpBounds, type RlpItem } from './bounded-rlp.ts';

/** Access list, fee market, blob, set code: all have the receipt of EIP-658. Others may not, and are refused. */
const KNOWN_TYPES: ReadonlySet<number> = new Set([1, 2, 3, 4]);
/** RLP of a list begins here; a type byte stands below. */
const FIRST_LIST_BYTE = 0xc0;
const BLOOM_BYTES = 256;
const MAX_TOPICS = 4;

/** One log as the receipt has it; views of the receipt's bytes. */
export type ReceiptLog = Readonly<{ address: Uint8Array; topics: readonly Uint8Array[]; data: Uint8Array }>;

export type EthereumReceipt = Readonly<{
  /** 0: untyped. */
  type: number;
  /** Whether the transaction took effect. */
  succeeded: boolean;
  /** By log index in the receipt. */
  logs: readonly ReceiptLog[];
}>;

/** The receipt, or in words what is wrong with its form. */
export type ReceiptDecoding = Readonly<{ ok: true; receipt: EthereumReceipt } | { ok: false; detail: string }>;

/** Parts of one receipt, lists counted too: some 580 logs. A network may let a transaction have more; it is not proven then. */
export const MAX_RECEIPT_ITEMS = 4_096;
/** Receipt, logs, log, topics. */
const BOUNDS: RlpBounds = { bytes: MAX_PROOF_BYTES, items: MAX_RECEIPT_ITEMS, depth: 4 };

/** One RLP list and nothing after it; `undefined` for anything else. */
function rlpList(input: Uint8Array): readonly RlpItem[] | undefined {
  const item = decodeRlp(input, BOUNDS);
  return Array.isArray(item) ? item : undefined;
}

const isBytes = (item: RlpItem | undefined, length: number): item is Uint8Array =>
  item instanceof Uint8Array && item.length === length;

function logOf(item: RlpItem): ReceiptLog | undefined {
  if (!Array.isArray(item) || item.length !== 3) return undefined;
  const [address, topics, data] = item;
  if (!isBytes(address, 20) || !(data instanceof Uint8Array)) return undefined;
  if (!Array.isArray(topics) || topics.length > MAX_TOPICS) return undefined;
  const words = topics.filter((topic) => isBytes(topic, 32));
  return words.length === topics.length ? { address, topics: words, data } : undefined;
}

/** `undefined`: neither of the two statuses; before EIP-658 a state root stood there, which says nothing of success. */
function statusOf(item: RlpItem | undefined): boolean | undefined {
  if (!(item instanceof Uint8Array)) return undefined;
  if (item.length === 0) return false;
  return item.length === 1 && item[0] === 1 ? true : undefined;
}

const refuse = (detail: string): ReceiptDecoding => ({ ok: false, detail });

/** Decodes one receipt strictly: known type, four fields, minimal RLP, nothing behind. O(bytes). */
export function decodeReceipt(input: Uint8Array): ReceiptDecoding {
  const first = input[0] ?? 0;
  const typed = first < FIRST_LIST_BYTE;
  if (typed && !KNOWN_TYPES.has(first)) return refuse('the type of the receipt is unknown');
  const fields = rlpList(typed ? input.subarray(1) : input);
  if (fields === undefined) return refuse('the receipt is not one RLP list');
  if (fields.length !== 4) return refuse(`the receipt has ${fields.length} fields instead of 4`);
  const [status, gasUsed, bloom, entries] = fields;
  const succeeded = statusOf(status);
  if (succeeded === undefined) return refuse('the receipt has no status');
  if (!(gasUsed instanceof Uint8Array) || gasUsed.length > 8 || gasUsed[0] === 0) return refuse('gas is not a scalar');
  if (!isBytes(bloom, BLOOM_BYTES)) return refuse('the receipt has no bloom filter');
  if (!Array.isArray(entries)) return refuse('the receipt has no list of logs');
  const logs: ReceiptLog[] = [];
  for (const entry of entries) {
    const log = logOf(entry);
    if (log === undefined) return refuse(`log ${logs.length} of the receipt is malformed`);
    logs.push(log);
  }
  return { ok: true, receipt: { type: typed ? first : 0, succeeded, logs } };
}

/** The log in the form in which events are decoded. */
export function logContent(log: ReceiptLog): Readonly<{ address: EvmAddress; topics: readonly Bytes32[]; data: Hex }> {
  return {
    address: toHex(log.address) as EvmAddress,
    topics: log.topics.map((topic) => toBytes32(topic)),
    data: toHex(log.data),
  };
}
