/**
 * Makes the history whole before a node goes on from a snapshot: if it lacks what the snapshot stands on (its folder was
 * deleted, or the machine crashed), the ledger is replayed from its beginning on a state of its own.
 */

import { MerkleFrontier } from '@drawbridge/protocol/ledger/merkle-tree';
import type { LedgerKeys } from '../keys/ledger-keys.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { NodeLog } from '../node-log.ts';
import { RELEASED_RULES, type Rulebook } from '../settlement/rules.ts';
import { sha256 } from '../sha256.ts';
import type { Genesis } from './core-node.ts';
import type { NodeHistory } from './node-storage.ts';
import { replayBatches } from './replay-batches.ts';
import { type OpenRekey, ReplicatedMachine } from './replicated-machine.ts';
import { openImage } from './state-image.ts';

/** Where every ledger begins. */
const FIRST_INDEX = 1;
const NO_MEMBERS = { voters: [], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };

export type HistoryRepairInput = Readonly<{
  history: NodeHistory;
  ledger: Pick<Ledger, 'readFrom'>;
  keys: LedgerKeys;
  rules: Rulebook | undefined;
  openRekey: OpenRekey;
  log: NodeLog;
  /** Index of the snapshot that the node goes on from. */
  snapshotIndex: number;
  /** Last index that the disk has. */
  lastIndex: number;
  genesis: () => Promise<Genesis>;
}>;

export async function repairHistory(input: HistoryRepairInput): Promise<void> {
  const { history, snapshotIndex, lastIndex, log } = input;
  if (history.lastSeqno > lastIndex) {
    log.warn(
      { code: 'HISTORY_AHEAD', historySeqno: history.lastSeqno, lastSeqno: lastIndex },
      'the history knows more than the log, as after a restored copy of it; it is made anew',
    );
    await history.clear();
  }
  if (history.lastSeqno >= snapshotIndex) return;
  if (snapshotIndex > FIRST_INDEX)
    log.info({ fromSeqno: history.lastSeqno + 1, toSeqno: snapshotIndex }, 'history is made again from the ledger');
  // Genesis registers and moves nothing, so its entry leaves no records.
  history.append(FIRST_INDEX, { transfers: [], lines: [], events: [], alarms: [] });
  if (snapshotIndex > FIRST_INDEX) await replayLedger({ ...input, upTo: snapshotIndex });
  await history.flush();
}

export type Replay = Pick<HistoryRepairInput, 'ledger' | 'keys' | 'rules' | 'openRekey' | 'genesis'> &
  Readonly<{
    history: Pick<NodeHistory, 'append' | 'drained'>;
    /** Last entry to be applied. */
    upTo: number;
  }>;

/** From the first state, by the records on this disk. @returns a machine that has applied exactly up to `upTo` */
export async function replayLedger({
  history,
  ledger,
  keys,
  rules,
  openRekey,
  upTo,
  genesis,
}: Replay): Promise<ReplicatedMachine> {
  const machine = new ReplicatedMachine({
    keys,
    history,
    openRekey,
    rules: rules ?? RELEASED_RULES,
    ledger: { append: () => undefined, resumeAt: () => undefined, frontier: () => MerkleFrontier.empty(sha256) },
    onMark: () => undefined,
    onApplied: () => undefined,
  });
  machine.restore(openImage(keys, FIRST_INDEX, (await genesis()).content).state);
  for await (const entries of replayBatches(ledger.readFrom(machine.index + 1), upTo)) {
    machine.applyBatch(entries, NO_MEMBERS);
    await history.drained();
  }
  if (machine.index !== upTo) {
    throw new Error(`the ledger has entries up to ${machine.index} only, the snapshot is of ${upTo}`);
  }
  return machine;
}
