/**
 * Merkle-Patricia proof that a receipt stands at an index of a block. Nodes are decoded by `@ethereumjs/mpt`; the walk is
 * ours, because that library's own verifier takes nodes that it does not need, in any order. Here each node must be the one
 * that the node before it names, nothing may be left over, and no byte is decoded before its hash was found right.
 */
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import { toHex } from '@drawbridge/protocol/bytes32';
import { MAX_PROOF_BYTES } from '@drawbridge/protocol/consensus-evidence';
import {
  BranchMPTNode,
  decodeRawMPTNode,
  ExtensionMPTNode,
  isRawMPTNode,
  LeafMPTNode,
  type MPTNode,
} from '@ethereumjs/mpt';
import { RLP } from '@ethereumjs/rlp';
import { decodeRlp, type RlpBounds } from './bounded-rlp.ts';
import { keccak256 } from './keccak.ts';

/** The encoded receipt, or in words where the path breaks. */
export type ReceiptProof = Readonly<{ ok: true; receipt: Uint8Array } | { ok: false; detail: string }>;

/** RLP of the index in halves of bytes, high half first. */
function keyNibbles(transactionIndex: number): readonly number[] {
  const nibbles: number[] = [];
  for (const byte of RLP.encode(transactionIndex)) nibbles.push(byte >> 4, byte & 15);
  return nibbles;
}

const refuse = (detail: string): ReceiptProof => ({ ok: false, detail });

/** A branch has 17 items, and short nodes may stand in it. */
const NODE_BOUNDS: RlpBounds = { bytes: MAX_PROOF_BYTES, items: 256, depth: 4 };

function decodeNode(bytes: Uint8Array): MPTNode | undefined {
  const items = decodeRlp(bytes, NODE_BOUNDS);
  if (items === undefined || !isRawMPTNode(items)) return undefined;
  try {
    return decodeRawMPTNode(items);
  } catch {
    // The library throws for nothing but bytes that are no node.
    return undefined;
  }
}

/** How far a node leads: to the hash of the next, to the receipt, or (`undefined`) nowhere. */
type Step = Readonly<{ hash: Uint8Array; nibbles: number } | { receipt: Uint8Array }>;

function stepOf(node: MPTNode, rest: readonly number[]): Step | undefined {
  if (node instanceof BranchMPTNode) {
    const child = rest[0] === undefined ? undefined : node.getBranch(rest[0]);
    // A child of fewer than 32 bytes stands in its parent itself; nothing that leads to a receipt is as short.
    return child instanceof Uint8Array && child.length === 32 ? { hash: child, nibbles: 1 } : undefined;
  }
  const own = node.key();
  if (own.some((nibble, i) => nibble !== rest[i])) return undefined;
  const value = node.value();
  if (!(value instanceof Uint8Array)) return undefined;
  if (node instanceof LeafMPTNode) return own.length === rest.length ? { receipt: value } : undefined;
  return node instanceof ExtensionMPTNode && value.length === 32 ? { hash: value, nibbles: own.length } : undefined;
}

/**
 * Follows `proof`, root first, from `receiptsRoot` to the receipt of the transaction. At most one hash and one decoding a
 * node: O(bytes).
 */
export function proveReceipt(
  proof: readonly Uint8Array[],
  receiptsRoot: Bytes32,
  transactionIndex: number,
): ReceiptProof {
  let expected: string = receiptsRoot;
  let rest = keyNibbles(transactionIndex);
  for (const [at, bytes] of proof.entries()) {
    if (toHex(keccak256(bytes)) !== expected) return refuse(`node ${at} of the proof is not the one that is named`);
    const node = decodeNode(bytes);
    const step = node && stepOf(node, rest);
    if (step === undefined) return refuse(`node ${at} of the proof does not lead to the receipt`);
    if ('receipt' in step) {
      return at === proof.length - 1
        ? { ok: true, receipt: step.receipt }
        : refuse('the proof has nodes behind the receipt');
    }
    expected = toHex(step.hash);
    rest = rest.slice(step.nibbles);
  }
  return refuse('the proof ends before the receipt');
}
