/**
 * What the service writes about itself, readable by whoever has the ledger: nodes, ledger secrets (sealed), snapshots. Payload
 * of the entry, without its head: canonical CBOR of a list whose first item is the number of the type. A number keeps its
 * meaning for ever. The genesis record, at seqno 1, is the whole data of its entry.
 */
import { hexToBytes } from '@noble/hashes/utils.js';
import { encode } from 'cborg';
import { type Bytes32, fromHex } from '../bytes32.ts';
import { type CborFormat, decodeCbor, demandCanonical } from '../canonical-cbor.ts';
import type { Sha256 } from './hash.ts';
import {
  readBytes,
  readDigest,
  readList,
  readNodeId,
  readText,
  readTuple,
  readWhole,
  readWord,
  refuseLedger,
} from './ledger-fields.ts';
import type { NodeId } from './node-id.ts';
import {
  MAX_PEM_CHARACTERS,
  MAX_RAFT_ID,
  type NodeDescription,
  type NodeRow,
  nodeDescriptionTuple,
  nodeRowTuple,
  readNodeDescription,
  readNodeRow,
} from './node-row.ts';

export type { NodeDescription, NodeRow } from './node-row.ts';

/** A ledger secret for one node: a protocol envelope to its encryption key. */
export type SecretWrap = Readonly<{ nodeId: NodeId; sealed: Uint8Array }>;

export type ServiceEntry =
  /** It gets the next Raft id. `replaces`: Raft id of the row to be swapped out, besides one of the same node id. */
  | Readonly<{ type: 'admitNode'; node: NodeDescription; replaces?: number }>
  /** It is a member no more, by a change of the group that stands before. Its certificate stays known, for old receipts. */
  | Readonly<{ type: 'nodeLeft'; raftId: number }>
  /** A node came back under its Raft id and key, at other addresses, with another program or, alone, in another life. */
  | Readonly<{ type: 'updateNode'; raftId: number; node: NodeDescription }>
  /** A new ledger secret from the next entry on. `previous`: the one before, sealed under it. */
  | Readonly<{ type: 'rekey'; epoch: number; wraps: readonly SecretWrap[]; previous: Uint8Array }>
  /** Every node captures its state exactly here. */
  | Readonly<{ type: 'snapshotMark' }>
  /** SHA-256 of the canonical plaintext of the state at the mark that stands at `seqno`. */
  | Readonly<{ type: 'snapshotEvidence'; seqno: number; digest: Uint8Array }>;

const NUMBERS = {
  admitNode: 1,
  rekey: 2,
  snapshotMark: 3,
  snapshotEvidence: 4,
  nodeLeft: 5,
  updateNode: 6,
} as const satisfies Record<ServiceEntry['type'], number>;

const MAX_WRAPS = 64;
const MAX_SEALED_BYTES = 4_096;
const FORMAT: CborFormat = { what: 'service entry', code: 'LEDGER_INVALID', maxBytes: 512 * 1024 };

export function encodeServiceEntry(entry: ServiceEntry): Uint8Array {
  return encode(serviceTuple(entry));
}

function serviceTuple(entry: ServiceEntry): readonly unknown[] {
  switch (entry.type) {
    case 'admitNode':
      return [NUMBERS.admitNode, nodeDescriptionTuple(entry.node), entry.replaces ?? null];
    case 'rekey':
      return [
        NUMBERS.rekey,
        entry.epoch,
        entry.wraps.map(({ nodeId, sealed }) => [hexToBytes(nodeId), sealed]),
        entry.previous,
      ];
    case 'snapshotMark':
      return [NUMBERS.snapshotMark];
    case 'snapshotEvidence':
      return [NUMBERS.snapshotEvidence, entry.seqno, entry.digest];
    case 'nodeLeft':
      return [NUMBERS.nodeLeft, entry.raftId];
    case 'updateNode':
      return [NUMBERS.updateNode, entry.raftId, nodeDescriptionTuple(entry.node)];
  }
}

/** @throws ProtocolError `LEDGER_INVALID` for anything but the canonical bytes of one service entry */
export function decodeServiceEntry(payload: Uint8Array): ServiceEntry {
  const value = decodeCbor(payload, FORMAT);
  if (!Array.isArray(value)) return refuseLedger('service entry must be a list');
  const entry = readServiceEntry(value);
  demandCanonical(payload, encodeServiceEntry(entry), FORMAT);
  return entry;
}

function readServiceEntry(value: readonly unknown[]): ServiceEntry {
  switch (value[0]) {
    case NUMBERS.admitNode: {
      const [, node, replaces] = readTuple(value, 3, 'admission of a node');
      return {
        type: 'admitNode',
        node: readNodeDescription(node),
        ...(replaces !== null && { replaces: readWhole(replaces, 1, MAX_RAFT_ID, 'raft id') }),
      };
    }
    case NUMBERS.rekey: {
      const [, epoch, wraps, previous] = readTuple(value, 4, 'rekey');
      return {
        type: 'rekey',
        epoch: readWhole(epoch, 0, 0xffff_ffff, 'epoch'),
        wraps: readList(wraps, MAX_WRAPS, 'wraps').map(readWrap),
        previous: readBytes(previous, MAX_SEALED_BYTES, 'previous secret'),
      };
    }
    case NUMBERS.snapshotMark:
      readTuple(value, 1, 'snapshot mark');
      return { type: 'snapshotMark' };
    case NUMBERS.snapshotEvidence: {
      const [, seqno, digest] = readTuple(value, 3, 'snapshot evidence');
      return {
        type: 'snapshotEvidence',
        seqno: readWhole(seqno, 1, Number.MAX_SAFE_INTEGER, 'seqno'),
        digest: readDigest(digest, 'digest'),
      };
    }
    case NUMBERS.nodeLeft: {
      const [, raftId] = readTuple(value, 2, 'leaving of a node');
      return { type: 'nodeLeft', raftId: readWhole(raftId, 1, MAX_RAFT_ID, 'raft id') };
    }
    case NUMBERS.updateNode: {
      const [, raftId, node] = readTuple(value, 3, 'update of a node');
      return {
        type: 'updateNode',
        raftId: readWhole(raftId, 1, MAX_RAFT_ID, 'raft id'),
        node: readNodeDescription(node),
      };
    }
    default:
      return refuseLedger('service entry has an unknown type');
  }
}

function readWrap(value: unknown): SecretWrap {
  const [nodeId, sealed] = readTuple(value, 2, 'wrap');
  return { nodeId: readNodeId(nodeId), sealed: readBytes(sealed, MAX_SEALED_BYTES, 'sealed secret') };
}

/** What the service began with. */
export type GenesisRecord = Readonly<{
  /** SHA-256(`drawbridge/genesis/1` ‖ 0x00 ‖ `genesis`). */
  genesisDigest: Bytes32;
  /** JSON with sorted fields and without spaces, amounts as decimal strings. */
  genesis: string;
  serviceId: Bytes32;
  /** SHA-256 of the canonical plaintext of the state that the ledger begins with. */
  stateDigest: Bytes32;
  /** PEM. */
  serviceCertificate: string;
  /** The node that began it. */
  node: NodeRow;
}>;

/** Largest genesis, in characters. */
export const MAX_GENESIS_CHARACTERS: number = 16 * 2 ** 20;
const GENESIS_FORMAT: CborFormat = {
  what: 'genesis record',
  code: 'LEDGER_INVALID',
  maxBytes: MAX_GENESIS_CHARACTERS + 64 * 1024,
};
const GENESIS_DOMAIN = 'drawbridge/genesis/1\0';

export function encodeGenesisRecord(record: GenesisRecord): Uint8Array {
  return encode([
    fromHex(record.genesisDigest),
    record.genesis,
    fromHex(record.serviceId),
    fromHex(record.stateDigest),
    record.serviceCertificate,
    nodeRowTuple(record.node),
  ]);
}

/** @throws ProtocolError `LEDGER_INVALID` for anything but the canonical bytes of one genesis record */
export function decodeGenesisRecord(data: Uint8Array): GenesisRecord {
  const [digest, genesis, serviceId, stateDigest, certificate, node] = readTuple(
    decodeCbor(data, GENESIS_FORMAT),
    6,
    GENESIS_FORMAT.what,
  );
  const record: GenesisRecord = {
    genesisDigest: readWord(digest, 'genesis digest'),
    genesis: readText(genesis, MAX_GENESIS_CHARACTERS, 'genesis'),
    serviceId: readWord(serviceId, 'service id'),
    stateDigest: readWord(stateDigest, 'state digest'),
    serviceCertificate: readText(certificate, MAX_PEM_CHARACTERS, 'service certificate'),
    node: readNodeRow(node),
  };
  demandCanonical(data, encodeGenesisRecord(record), GENESIS_FORMAT);
  return record;
}

/** What `genesisDigest` of a record must be. */
export const digestOfGenesis = (genesis: string, sha256: Sha256): Uint8Array =>
  sha256(new TextEncoder().encode(GENESIS_DOMAIN + genesis));
