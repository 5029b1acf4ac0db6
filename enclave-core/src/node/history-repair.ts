/**
 * Makes the history whole before a node goes on from a snapshot: if it lacks what the snapshot stands on (its folder was
 * deleted, or the machine crashed), the ledger is replayed from its beginning on a state of its own. Records come from a disk
 * that is not trusted, so they count only if they lead to the tree of the snapshot, which is sealed.
 */

import { MerkleFrontier } from '@drawbridge/protocol/ledger/merkle-tree';
import { encodeGenesisRecord } from '@drawbridge/protocol/ledger/service-entry';
import type { SnapshotContent } from '../consensus/ports.ts';
import type { LedgerKeys } from '../keys/ledger-keys.ts';
import { samePeaks } from '../ledger/closed-chunks.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { LedgerDamagedError } from '../ledger/ledger-errors.ts';
import { hashLeaf } from '../ledger/record-encoder.ts';
import type { NodeLog } from '../node-log.ts';
import type { EntryRecords } from '../settlement/record.ts';
import { RELEASED_RULES, type Rulebook } from '../settlement/rules.ts';
import { sha256 } from '../sha256.ts';
import type { Genesis } from './core-node.ts';
import type { NodeHistory } from './node-storage.ts';
import { replayBatches } from './replay-batches.ts';
import { type OpenRekey, ReplicatedMachine, StateDivergedError } from './replicated-machine.ts';
import { genesisImage, openImage, type ReplicatedState } from './state-image.ts';

/** Where every ledger begins. */
const FIRST_INDEX = 1;
const FIRST_TERM = 1;
const NO_MEMBERS = { voters: [], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };
/** Genesis registers and moves nothing. */
const NO_RECORDS: EntryRecords = { transfers: [], lines: [], events: [], alarms: [] };

type IndexedSnapshot = SnapshotContent & Readonly<{ index: number }>;

export type HistoryRepairInput = Readonly<{
  history: Pick<NodeHistory, 'append' | 'clear' | 'drained' | 'flush' | 'isOutdated' | 'lastSeqno'>;
  ledger: Pick<Ledger, 'readFrom'>;
  keys: LedgerKeys;
  rules: Rulebook | undefined;
  openRekey: OpenRekey;
  log: NodeLog;
  /** That the node goes on from; null where it begins with the first state. */
  snapshot: IndexedSnapshot | null;
  /** Last index that the disk has. */
  lastIndex: number;
  genesis: () => Promise<Genesis>;
}>;

/** @throws LedgerDamagedError where the records on this disk are not those that the snapshot stands on */
export async function repairHistory(input: HistoryRepairInput): Promise<void> {
  const { history, snapshot, lastIndex, log } = input;
  if (history.isOutdated) {
    log.warn({ code: 'HISTORY_FORMAT' }, 'the history was written in another format; it is made again from the ledger');
    await history.clear();
  }
  if (history.lastSeqno > lastIndex) {
    log.warn(
      { code: 'HISTORY_AHEAD', historySeqno: history.lastSeqno, lastSeqno: lastIndex },
      'the history knows more than the log, as after a restored copy of it; it is made anew',
    );
    await history.clear();
  }
  if (history.lastSeqno >= (snapshot?.index ?? FIRST_INDEX)) return;
  if (snapshot && snapshot.index > FIRST_INDEX) await remake(input, snapshot);
  else history.append(FIRST_INDEX, NO_RECORDS);
  await history.flush();
}

/**
 * A history that goes to the snapshot is believed at the next start, so the last entry waits until the tree has been compared;
 * one that ends before may be what was left when a comparison failed or was never reached, so it is made from its beginning.
 */
async function remake(input: HistoryRepairInput, snapshot: IndexedSnapshot) {
  const { history, log, keys } = input;
  const { index } = snapshot;
  const vouchedFor = (await openImage(keys, index, snapshot)).state.frontier.peaks();
  log.info({ toSeqno: index }, 'history is made again from the ledger');
  await history.clear();
  let last = NO_RECORDS;
  const state = await replayLedger({
    ...input,
    upTo: index,
    history: {
      append: (seqno, records) => {
        if (seqno < index) history.append(seqno, records);
        else last = records;
      },
      drained: () => history.drained(),
    },
  });
  if (!samePeaks(state.frontier.peaks(), vouchedFor)) {
    throw damaged(`its records do not lead to the tree of the snapshot of ${index}`);
  }
  history.append(index, last);
}

export type Replay = Pick<HistoryRepairInput, 'ledger' | 'keys' | 'rules' | 'openRekey' | 'genesis'> &
  Readonly<{
    history: Pick<NodeHistory, 'append' | 'drained'>;
    /** Last entry to be applied. */
    upTo: number;
  }>;

/**
 * From the first state, by the records on this disk. Nothing vouches for what they lead to but the tree, or the digest, that the
 * caller knows of that place.
 * @returns the state exactly at `upTo`, with the tree of what was applied
 * @throws LedgerDamagedError where a signature in the ledger covers another tree
 */
export async function replayLedger({
  history,
  ledger,
  keys,
  rules,
  openRekey,
  upTo,
  genesis,
}: Replay): Promise<ReplicatedState> {
  let tree = MerkleFrontier.start(sha256);
  const machine = new ReplicatedMachine({
    keys,
    history,
    openRekey,
    rules: rules ?? RELEASED_RULES,
    ledger: {
      append: (record) => void tree.append(hashLeaf(record)),
      resumeAt: (frontier) => {
        tree = frontier.clone();
      },
      frontier: () => tree.clone(),
    },
    onMark: () => undefined,
    onApplied: () => undefined,
  });
  const { content, record } = await genesis();
  const { state } = await openImage(keys, FIRST_INDEX, genesisImage(content));
  machine.restore(state, { index: FIRST_INDEX, term: FIRST_TERM, data: encodeGenesisRecord(record) });
  for await (const entries of replayBatches(ledger.readFrom(machine.index + 1), upTo)) {
    try {
      machine.applyBatch(entries, NO_MEMBERS);
    } catch (cause) {
      throw cause instanceof StateDivergedError ? damaged(cause.message, cause) : cause;
    }
    await history.drained();
  }
  if (machine.index !== upTo) {
    throw new Error(`the ledger has entries up to ${machine.index} only, the snapshot is of ${upTo}`);
  }
  return { ...machine.replicated(), frontier: tree };
}

const damaged = (reason: string, cause?: Error): LedgerDamagedError =>
  new LedgerDamagedError({ file: 'ledger/', offset: 0, reason }, { cause });
