/**
 * Signature entries: a node's word for the tree below. Payload of the entry, without its head: canonical CBOR
 * `[size, view, root, nodeId, signature]`.
 */
import { hexToBytes } from '@noble/hashes/utils.js';
import { encode } from 'cborg';
import { type CborFormat, decodeCbor, demandCanonical } from '../canonical-cbor.ts';
import { readBytes, readDigest, readNodeId, readTuple, readWhole } from './ledger-fields.ts';
import type { NodeId } from './node-id.ts';

export type SignatureEntry = Readonly<{
  /** Leaves of the tree that is signed: 0 … size − 1, so all entries before seqno `size`. */
  size: number;
  /** That of the entry itself. */
  view: number;
  /** Root of that tree. */
  root: Uint8Array;
  nodeId: NodeId;
  /** DER ECDSA P-384 by the node's key over `root`, which counts as a SHA-256 digest already computed. */
  signature: Uint8Array;
}>;

/** DER of two numbers of 48 bytes has at most 104. */
const MAX_SIGNATURE_BYTES = 112;
const FORMAT: CborFormat = { what: 'signature entry', code: 'LEDGER_INVALID', maxBytes: 256 };

export function encodeSignatureEntry({ size, view, root, nodeId, signature }: SignatureEntry): Uint8Array {
  return encode([size, view, root, hexToBytes(nodeId), signature]);
}

/** @throws ProtocolError `LEDGER_INVALID` for anything but the canonical bytes of one signature entry */
export function decodeSignatureEntry(payload: Uint8Array): SignatureEntry {
  const [size, view, root, nodeId, signature] = readTuple(decodeCbor(payload, FORMAT), 5, FORMAT.what);
  const entry: SignatureEntry = {
    size: readWhole(size, 1, Number.MAX_SAFE_INTEGER, 'size'),
    view: readWhole(view, 1, Number.MAX_SAFE_INTEGER, 'view'),
    root: readDigest(root, 'root'),
    nodeId: readNodeId(nodeId),
    signature: readBytes(signature, MAX_SIGNATURE_BYTES, 'signature'),
  };
  demandCanonical(payload, encodeSignatureEntry(entry), FORMAT);
  return entry;
}
