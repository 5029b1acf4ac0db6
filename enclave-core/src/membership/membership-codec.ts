/** Canonical bytes of the membership, part of every snapshot: equal states have equal bytes. */
import { type CborFormat, decodeCbor, demandCanonical } from '@drawbridge/protocol/canonical-cbor';
import { readDigest, readList, readTuple, readWhole, refuseLedger } from '@drawbridge/protocol/ledger/ledger-fields';
import { MAX_RAFT_ID, nodeRowTuple, readNodeRow } from '@drawbridge/protocol/ledger/node-row';
import { encode } from 'cborg';
import { MAX_NODES_EVER, MAX_PLACES_OF_A_KEY } from './apply-service.ts';
import type { MembershipState, NodeState } from './membership-state.ts';

const VERSION = 1;
/** A row has two keys, certificates being the largest part of it. */
const MAX_ROW_BYTES = 40_000;
const FORMAT: CborFormat = {
  what: 'membership',
  code: 'LEDGER_INVALID',
  maxBytes: MAX_NODES_EVER * MAX_ROW_BYTES,
};
const MAX_EPOCH = 0xffff_ffff;

export function encodeMembership(state: MembershipState): Uint8Array {
  const { nodes, nextRaftId, revision, epoch, rekeys, mark, evidence } = state;
  return encode([
    VERSION,
    [...nodes.values()].map((row) => [nodeRowTuple(row), row.replaces, row.left]),
    nextRaftId,
    revision,
    epoch,
    rekeys,
    mark?.seqno ?? null,
    evidence ? [evidence.seqno, evidence.digest, evidence.evidenceSeqno] : null,
  ]);
}

/** @throws ProtocolError `LEDGER_INVALID` for anything but the canonical bytes of one membership */
export function decodeMembership(bytes: Uint8Array): MembershipState {
  const fields = readTuple(decodeCbor(bytes, FORMAT), 8, FORMAT.what);
  const [version, rows, nextRaftId, revision, epoch, rekeys, mark, evidence] = fields;
  if (version !== VERSION) return refuseLedger('membership has an unknown version');
  const state: MembershipState = {
    nodes: readRows(rows),
    nextRaftId: readWhole(nextRaftId, 1, MAX_RAFT_ID, 'next raft id'),
    revision: readWhole(revision, 1, Number.MAX_SAFE_INTEGER, 'revision'),
    epoch: readWhole(epoch, 1, MAX_EPOCH, 'epoch'),
    rekeys: readWhole(rekeys, 0, Number.MAX_SAFE_INTEGER, 'rekeys'),
    ...(mark !== null && { mark: { seqno: readSeqno(mark) } }),
    ...(evidence !== null && { evidence: readEvidence(evidence) }),
  };
  demandCanonical(bytes, encodeMembership(state), FORMAT);
  return state;
}

const readSeqno = (value: unknown): number => readWhole(value, 1, Number.MAX_SAFE_INTEGER, 'seqno');

/** Raft ids rise, so that no two orders of rows are one state. */
function readRows(value: unknown): Map<number, NodeState> {
  const nodes = new Map<number, NodeState>();
  let last = 0;
  for (const item of readList(value, MAX_NODES_EVER, 'nodes')) {
    const node = readNode(item);
    if (node.raftId <= last) refuseLedger('raft ids of the nodes do not rise');
    last = node.raftId;
    nodes.set(last, node);
  }
  return nodes;
}

function readNode(value: unknown): NodeState {
  const [row, replaces, left] = readTuple(value, 3, 'node');
  if (typeof left !== 'boolean') return refuseLedger('a node has left or not');
  const ids = readList(replaces, MAX_PLACES_OF_A_KEY, 'replaced nodes');
  return { ...readNodeRow(row), replaces: ids.map((id) => readWhole(id, 1, MAX_RAFT_ID, 'raft id')), left };
}

function readEvidence(value: unknown): NonNullable<MembershipState['evidence']> {
  const [seqno, digest, evidenceSeqno] = readTuple(value, 3, 'evidence of a snapshot');
  return {
    seqno: readSeqno(seqno),
    digest: readDigest(digest, 'digest'),
    evidenceSeqno: readSeqno(evidenceSeqno),
  };
}
