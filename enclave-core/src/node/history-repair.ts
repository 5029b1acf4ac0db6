/**
 * Makes the history whole before a node goes on from a snapshot: if it lacks what the snapshot stands on (its folder was
 * deleted, or the machine crashed), the ledger is replayed from its beginning on a state of its own.
 */
import type { LogStore } from '../consensus/ports.ts';
import type { History } from '../history/history.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { NodeLog } from '../node-log.ts';
import { SettlementMachine } from './settlement-machine.ts';

/** Where every ledger begins. */
const FIRST = { index: 1, term: 1 } as const;
/** Entries of one batch of the replay. */
const REPLAY_BATCH = 64;

export type HistoryRepairInput = Readonly<{
  history: History;
  store: Pick<LogStore, 'readEntries'>;
  keys: KeyRing;
  log: NodeLog;
  /** Index of the snapshot that the node goes on from. */
  snapshotIndex: number;
  /** Last index that the log on disk has. */
  lastIndex: number;
  /** Content of the snapshot with which the ledger began. Called only if it is needed. */
  genesisContent: () => Promise<Uint8Array>;
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
  if (snapshotIndex > FIRST.index)
    log.info({ fromSeqno: history.lastSeqno + 1, toSeqno: snapshotIndex }, 'history is made again from the ledger');
  // Genesis registers and moves nothing, so its entry leaves no records.
  history.append(FIRST.index, { transfers: [], lines: [], events: [], alarms: [] });
  const machine = new SettlementMachine({ keys: input.keys, history, onApplied: () => undefined });
  await machine.restore(await input.genesisContent(), FIRST);
  let batch = [];
  for await (const entry of input.store.readEntries(machine.index + 1)) {
    if (entry.index > snapshotIndex) break;
    batch.push(entry);
    if (batch.length < REPLAY_BATCH) continue;
    machine.applyBatch(batch);
    batch = [];
    await history.drained();
  }
  if (batch.length > 0) machine.applyBatch(batch);
  if (machine.index !== snapshotIndex) {
    throw new Error(`the log has entries up to ${machine.index} only, the snapshot is of ${snapshotIndex}`);
  }
  await history.flush();
}
