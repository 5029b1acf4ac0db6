/** What a node keeps on the disk: Raft's log, the ledger, the history. */
import { join } from 'node:path';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import { FILE_LOG_STORE_DEFAULTS, FileLogStore, type FileLogStoreOptions } from '../consensus/file-log-store.ts';
import { nodeDisk } from '../consensus/log/disk.ts';
import type { LogStore, StoredLog } from '../consensus/ports.ts';
import type { HistoryReader } from '../core-service.ts';
import { History, type HistoryOptions } from '../history/history.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { Ledger, type LedgerOptions } from '../ledger/ledger.ts';
import type { EarlierState } from './earlier-life.ts';
import type { NodeHost } from './node-host.ts';

/** The history as a node uses it; a simulation keeps one in memory. */
export type NodeHistory = HistoryReader &
  Pick<
    History,
    | 'append'
    | 'believe'
    | 'blockEvents'
    | 'clear'
    | 'close'
    | 'drained'
    | 'eventSeqno'
    | 'flush'
    | 'isOutdated'
    | 'lastSeqno'
    | 'transferSeqno'
    | 'vouch'
  >;

export type NodeStorage = Readonly<{
  log: LogStore;
  ledger: Ledger;
  history: NodeHistory;
  /** Of a node that has a new place: what ledger and history were of before, where they are still there. */
  earlier?: EarlierState;
}>;

/** Opens all three, or none. @throws LogDamagedError, LogLockedError, LedgerDamagedError, errors of the disk */
export type OpenStorage = (onFailure: (error: unknown) => void) => Promise<NodeStorage>;

export type FileStorageOptions = Readonly<{
  /** Holds `log/`, `ledger/` and `history/`, which this makes. */
  dir: string;
  serviceId: Bytes32;
  log?: Partial<Omit<FileLogStoreOptions, 'directory'>>;
  ledger?: Partial<Omit<LedgerOptions, 'directory' | 'serviceId'>>;
  history?: Omit<HistoryOptions, 'dir'>;
}>;

export const LOG_FOLDER = 'log';
export const LEDGER_FOLDER = 'ledger';
export const HISTORY_FOLDER = 'history';
/** Snapshots that earlier lives left, where a node gets a new place with each. */
export const EARLIER_FOLDER = 'earlier';

/** @param keys of this disk, for the history */
export function fileStorage(options: FileStorageOptions, keys: KeyRing, host: NodeHost): OpenStorage {
  const { dir, serviceId } = options;
  return async (onFailure) => {
    const log = await FileLogStore.open(
      { ...FILE_LOG_STORE_DEFAULTS, ...options.log, directory: join(dir, LOG_FOLDER) },
      { entropy: host.entropy },
    );
    let ledger: Ledger | undefined;
    try {
      ledger = await Ledger.open(
        { ...options.ledger, directory: join(dir, LEDGER_FOLDER), serviceId },
        { disk: nodeDisk, timers: host.timers, onFailure },
      );
      const history = new History({ ...options.history, dir: join(dir, HISTORY_FOLDER) }, { keys, onFailure });
      return { log, ledger, history };
    } catch (error) {
      await ledger?.close();
      await log.close();
      throw error;
    }
  };
}

/** The log as the replica sees it: with what was loaded already, its entries, which are given out once and not held any longer. */
export function loadedLog(log: LogStore, stored: StoredLog): LogStore {
  let loaded: StoredLog | null = stored;
  return {
    load: async () => {
      if (!loaded) throw new RangeError('the log was loaded already');
      const once = loaded;
      loaded = null;
      return once;
    },
    append: (batch) => log.append(batch),
    beginSnapshot: (point) => log.beginSnapshot(point),
    dropBefore: (index) => log.dropBefore(index),
    readEntries: (fromIndex) => log.readEntries(fromIndex),
    close: () => log.close(),
  };
}
