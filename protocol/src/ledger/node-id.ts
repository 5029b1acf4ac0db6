/** Nodes of the core are known by their key: lower-case hex of SHA-256 over the SPKI (DER) of its public half, as in CCF. */
import { ProtocolError } from '../protocol-error.ts';

export type NodeId = string & { readonly brand: 'NodeId' };

/** @throws ProtocolError `ID_INVALID` */
export function parseNodeId(text: string): NodeId {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new ProtocolError('ID_INVALID', 'node id must be 64 lower-case hex digits');
  return text as NodeId;
}
