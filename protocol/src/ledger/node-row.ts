/**
 * A node of the core as the ledger knows it. In CBOR a list: `[raftId, nodeId, certificate, encryptionKey, peerAddress,
 * apiAddress, platform, [version …], life]`.
 */
import { hexToBytes } from '@noble/hashes/utils.js';
import { readList, readNodeId, readText, readTuple, readWhole } from './ledger-fields.ts';
import type { NodeId } from './node-id.ts';
import { type NodeLife, readLife } from './node-life.ts';

export type NodeRow = Readonly<{
  raftId: number;
  nodeId: NodeId;
  /** PEM, endorsed by the service. */
  certificate: string;
  /** PEM of an RSA-3072 SPKI: ledger secrets are sealed to it. */
  encryptionKey: string;
  /** host:port */
  peerAddress: string;
  apiAddress: string;
  platform: string;
  /** Protocol versions that it can run. */
  versions: readonly number[];
  /** Of the process that has this place; its peers take no other for it. */
  life: NodeLife;
}>;

/** Before it has a Raft id. */
export type NodeDescription = Omit<NodeRow, 'raftId'>;

/** Largest certificate and key, in characters of PEM. */
export const MAX_PEM_CHARACTERS = 16_384;
const MAX_ADDRESS_CHARACTERS = 272;
export const MAX_PLATFORM_CHARACTERS = 64;
const MAX_VERSIONS = 256;
/** Raft ids are read as doubles, and some of raft's messages hold them in 32 bits. */
export const MAX_RAFT_ID: number = 2 ** 32 - 1;

export const nodeDescriptionTuple = (node: NodeDescription): readonly unknown[] => [
  hexToBytes(node.nodeId),
  node.certificate,
  node.encryptionKey,
  node.peerAddress,
  node.apiAddress,
  node.platform,
  node.versions,
  hexToBytes(node.life),
];

export const nodeRowTuple = (row: NodeRow): readonly unknown[] => [row.raftId, ...nodeDescriptionTuple(row)];

/** @throws ProtocolError `LEDGER_INVALID` */
export function readNodeDescription(value: unknown): NodeDescription {
  const fields = readTuple(value, 8, 'node');
  const [nodeId, certificate, encryptionKey, peerAddress, apiAddress, platform, versions, life] = fields;
  return {
    nodeId: readNodeId(nodeId),
    certificate: readText(certificate, MAX_PEM_CHARACTERS, 'certificate'),
    encryptionKey: readText(encryptionKey, MAX_PEM_CHARACTERS, 'encryption key'),
    peerAddress: readText(peerAddress, MAX_ADDRESS_CHARACTERS, 'peer address'),
    apiAddress: readText(apiAddress, MAX_ADDRESS_CHARACTERS, 'api address'),
    platform: readText(platform, MAX_PLATFORM_CHARACTERS, 'platform'),
    versions: readList(versions, MAX_VERSIONS, 'versions').map((version) =>
      readWhole(version, 1, 0xffff_ffff, 'version'),
    ),
    life: readLife(life),
  };
}

/** @throws ProtocolError `LEDGER_INVALID` */
export function readNodeRow(value: unknown): NodeRow {
  const [raftId, ...description] = readTuple(value, 9, 'node row');
  return { raftId: readWhole(raftId, 1, MAX_RAFT_ID, 'raft id'), ...readNodeDescription(description) };
}
