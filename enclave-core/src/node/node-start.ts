/** How a node begins: opens its folder, makes the history whole, restores the state, joins the group, waits to be up to date. */
import { toHex } from '@drawbridge/protocol/bytes32';
import { encodeGenesisRecord } from '@drawbridge/protocol/ledger/service-entry';
import type { StateMachine, StoredLog } from '../consensus/ports.ts';
import { Replica } from '../consensus/replica.ts';
import { REPLICA_DEFAULTS, type ReplicaDependencies } from '../consensus/replica-options.ts';
import { SubmitError } from '../core-service.ts';
import { LedgerDamagedError } from '../ledger/ledger-errors.ts';
import { codeOf } from '../peers/peer-error.ts';
import type { PeerHandlers, PeerMethod } from '../peers/peer-types.ts';
import type { AdmissionDesk, CoreNodeDependencies, CoreNodeOptions, Genesis } from './core-node.ts';
import { repairHistory, replayLedger } from './history-repair.ts';
import { NodeParts } from './node-parts.ts';
import { loadedLog } from './node-storage.ts';
import { decodeSeqno, encodeReceipt, MAX_LEDGER_ANSWER_BYTES } from './peer-requests.ts';
import { raftLog } from './raft-log.ts';
import { isSnapshotEvidence } from './snapshot-evidence.ts';
import { digestOf, genesisImage, type OpenedImage, openImage } from './state-image.ts';
import { decodeSubmission, encodeAnswer } from './submit-codec.ts';

const FIRST_INDEX = 1;
const FIRST_TERM = 1;
/** Pause before a node that is not up to date asks again, in ms. */
const RETRY_MS = 200;

/** What the disk of an earlier life can do to a start. */
const OF_AN_EARLIER_LIFE: ReadonlySet<string> = new Set([
  'HISTORY_DAMAGED',
  'LEDGER_CONFLICT',
  'LEDGER_DAMAGED',
  'STATE_DIVERGED',
]);

/** This node was a member and is none any more. Its folder is of no further use. */
export class NodeRemovedError extends Error {
  override readonly name = 'NodeRemovedError';
  readonly code = 'NODE_REMOVED' as const;
}

/** @throws what keeps a node from starting, each with words for an operator */
export async function startNode(options: CoreNodeOptions, uses: CoreNodeDependencies): Promise<NodeParts> {
  let parts: NodeParts | undefined;
  const storage = await uses.openStorage((error) => parts?.fail(error));
  parts = new NodeParts(options, uses, storage);
  try {
    await Promise.race([begin(parts), parts.failure]);
    return parts;
  } catch (error) {
    // The next start shall not stop at the same place: without a snapshot it begins with nothing.
    if (OF_AN_EARLIER_LIFE.has(codeOf(error))) await storage.earlier?.discard().catch(() => undefined);
    await parts.abandon();
    throw error;
  }
}

async function begin(parts: NodeParts): Promise<void> {
  const { uses, storage, options } = parts;
  const stored = await storage.log.load();
  const snapshotIndex = stored.snapshot?.index ?? FIRST_INDEX;
  const lastIndex = Math.max(stored.entries.at(-1)?.index ?? 0, snapshotIndex, storage.ledger.storedSeqno);
  if (storage.ledger.storedSeqno < snapshotIndex && snapshotIndex > FIRST_INDEX) {
    throw new LedgerDamagedError({
      file: 'ledger/',
      offset: 0,
      reason: `the ledger ends at ${storage.ledger.storedSeqno}, the log goes on from ${snapshotIndex}; copy the ledger folder of another node`,
    });
  }
  const { keys, rules, genesis, log } = uses;
  const { earlier } = storage;
  const snapshot = stored.snapshot ?? earlier ?? null;
  const believed = earlier && storage.history.believe(earlier.index, earlier.digest);
  if (earlier && !believed) await storage.history.clear();
  // What the log had of an earlier life is gone, and what the history has beyond the ledger comes again.
  if (!believed) {
    await repairHistory({ ...storage, keys, rules, openRekey: uses.openRekey, log, snapshot, lastIndex, genesis });
  }
  const isNew = !stored.snapshot && !stored.hardState && stored.entries.length === 0;
  const founds = isNew && !options.joined;
  // Who joined begins with the first state and is then sent what followed.
  if (!stored.snapshot && !founds) await restoreGenesis(parts, await genesis());
  if (uses.openPeers) parts.peers = await uses.openPeers(parts.directory, peerHandlers(parts));
  const bootstrap = founds ? { voters: [options.raftId], first: genesisImage((await genesis()).content) } : null;
  parts.replica = await Replica.start(
    { ...REPLICA_DEFAULTS, ...options.replica, id: options.raftId, bootstrap },
    replicaHost(parts, stored),
  );
  parts.peers.directoryChanged();
  reportRecovery(parts);
  parts.memberships.start();
  await upToDate(parts);
  // Where none was sent, it was not needed, and is large.
  earlier?.take();
  parts.startupSeqno = parts.machine.index;
  parts.deadlines.rearm();
  const { term: view } = parts.replica.status();
  log.info({ seqno: parts.machine.index, view }, 'the ledger is applied');
}

function reportRecovery({ replica, uses: { log } }: NodeParts): void {
  const { tornTail, damagedSnapshots } = replica.recovered;
  if (tornTail) log.warn({ ...tornTail }, 'cut off what a crash left of a write that was never acknowledged');
  for (const { file, reason } of damagedSnapshots) log.warn({ file, reason }, 'passed over a damaged snapshot');
}

/** All that was committed anywhere before is applied here. Without a majority this waits until there is one. */
async function upToDate(parts: NodeParts): Promise<void> {
  for (;;) {
    const error = await parts.barrier().then(
      () => undefined,
      (cause: unknown) => cause,
    );
    if (error === undefined) return;
    if (!(error instanceof SubmitError) || error.code === 'STOPPING') throw error;
    await new Promise<void>((resolve) => void parts.uses.host.timers.after(RETRY_MS, resolve));
  }
}

function replicaHost(parts: NodeParts, stored: StoredLog): ReplicaDependencies {
  const { uses, storage } = parts;
  const { log, host, engine } = uses;
  return {
    ...host,
    module: engine,
    store: loadedLog(storage.log, stored),
    transport: {
      send: (messages) => parts.peers.send(messages),
      sendSnapshot: (message, content) => parts.peers.sendSnapshot(message, content),
    },
    stateMachine: stateMachine(parts),
    log: raftLog(log),
    onFatal: (error) => parts.fail(error),
    onRoleChange: ({ role, term, leader }) => log.info({ role, view: term, leader }, 'role in the group'),
    onLeading: (leading) => {
      if (!leading) return;
      parts.signatures.began();
      parts.snapshots.began();
      parts.deadlines.rearm();
    },
    onMembersChange: (members, index) => {
      const { voters, learners, votersOutgoing } = members;
      parts.threeVoters.changed(members, index);
      log.info({ voters, learners, votersOutgoing, seqno: index }, 'members of the group');
      parts.peers.directoryChanged();
    },
    onRemoved: () =>
      parts.fail(new NodeRemovedError('this node was removed from the service; its folder is of no further use')),
    onSnapshotWanted: () => parts.snapshots.want(),
  };
}

function stateMachine(parts: NodeParts): StateMachine {
  return {
    applyBatch: (entries, members) => parts.machine.applyBatch(entries, members),
    restore: async (snapshot) => {
      const { index } = snapshot;
      const opened = await openImage(parts.uses.keys, index, snapshot);
      if (index === FIRST_INDEX) return restoreGenesis(parts, await parts.uses.genesis(), opened);
      await demandEvidence(parts, opened);
      parts.restore(opened.state);
    },
    install: (from, head, into, signal) => parts.catchUp.install(from, head, into, signal),
  };
}

async function restoreGenesis(parts: NodeParts, { content, record }: Genesis, opened?: OpenedImage): Promise<void> {
  const { state, digest } = opened ?? (await openImage(parts.uses.keys, FIRST_INDEX, genesisImage(content)));
  if (toHex(digest) !== record.stateDigest) {
    throw new LedgerDamagedError({
      file: 'genesis.snapshot',
      offset: 0,
      reason: 'it is not the state that the ledger began with',
    });
  }
  parts.machine.restore(state, { index: FIRST_INDEX, term: FIRST_TERM, data: encodeGenesisRecord(record) });
}

/**
 * A snapshot counts only if the ledger on this disk vouches for it. One that a leader sent, and that was checked by a receipt
 * then, can be older than the entry that vouches for it is here: then the ledger is replayed, and must lead to the same state.
 */
async function demandEvidence(
  { storage, uses }: NodeParts,
  { digest, evidenceSeqno, state }: OpenedImage,
): Promise<void> {
  const { ledger } = storage;
  const record = await ledger.record(evidenceSeqno);
  if (record && isSnapshotEvidence(record, state.index, digest)) return;
  if (!record && ledger.storedSeqno < evidenceSeqno) {
    uses.log.info({ seqno: state.index }, 'the ledger is replayed to check the snapshot that this node was sent');
    const history = { append: () => undefined, drained: async () => undefined };
    const replayed = await replayLedger({ ...uses, rules: uses.rules, ledger, history, upTo: state.index });
    if ((await digestOf(replayed)).equals(digest)) return;
  }
  throw new LedgerDamagedError({
    file: 'log/',
    offset: 0,
    reason: `the ledger does not vouch for the snapshot of ${state.index} (it should at ${evidenceSeqno})`,
  });
}

function peerHandlers(parts: NodeParts): PeerHandlers {
  const { host } = parts.uses;
  const running = (call: (replica: Replica) => void): void => {
    if (parts.hasReplica) call(parts.replica);
  };
  return {
    messages: (from, messages) => running((replica) => replica.receive(from, messages)),
    snapshot: (from, message, content) => running((replica) => replica.receiveSnapshot(from, message, content)),
    unreachable: (raftId) => running((replica) => replica.reportUnreachable(raftId)),
    clock: (raftId, clockMs) => parts.clocks.take(raftId, { clockMs, takenMs: host.monotonicMs() }),
    request: (_from, method, body) => answer(parts, method, body),
    join: (nodeId, body) => admit(parts, nodeId, body),
  };
}

async function answer(parts: NodeParts, method: PeerMethod, body: Uint8Array): Promise<Uint8Array> {
  switch (method) {
    case 'submit':
      return answerSubmission(parts, body);
    case 'ledger':
      return parts.ledger.records(decodeSeqno(body), MAX_LEDGER_ANSWER_BYTES);
    case 'receipt': {
      const seqno = decodeSeqno(body);
      const receipt = await parts.receipts.transaction(`${parts.machine.viewOf(seqno) ?? 1}.${seqno}`);
      return receipt ? encodeReceipt(receipt) : new Uint8Array(0);
    }
  }
}

async function answerSubmission(parts: NodeParts, body: Uint8Array): Promise<Uint8Array> {
  if (!parts.leads) return encodeAnswer({ refused: new SubmitError('NOT_LEADER', 'this node does not lead') });
  try {
    return encodeAnswer({ committed: await parts.proposer.submit(decodeSubmission(body)) });
  } catch (error) {
    if (error instanceof SubmitError) return encodeAnswer({ refused: error });
    throw error;
  }
}

async function admit(
  parts: NodeParts,
  nodeId: Parameters<PeerHandlers['join']>[0],
  body: Uint8Array,
): Promise<Uint8Array> {
  const { uses } = parts;
  if (!uses.admit) throw new SubmitError('STOPPING', 'this node admits nobody');
  return uses.admit(nodeId, body, admissionDesk(parts));
}

export function admissionDesk(parts: NodeParts): AdmissionDesk {
  const { settlement, membership } = parts.machine;
  const { voters, votersOutgoing } = parts.replica.status().members;
  return {
    raftId: parts.options.raftId,
    leads: parts.leads,
    isAlone: voters.length === 1 && voters[0] === parts.options.raftId && votersOutgoing.length === 0,
    view: settlement,
    registry: settlement.header.registry,
    membership,
    genesis: parts.uses.genesis,
    propose: (entry) => parts.proposeService(entry),
  };
}
