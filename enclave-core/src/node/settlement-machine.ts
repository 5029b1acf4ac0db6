/**
 * The replicated state machine: decrypts committed entries, applies them to the settlement state, and hands what they left
 * to history and to whoever waits. Everything here follows from the log alone.
 */
import type { StateMachine } from '../consensus/ports.ts';
import { entryType, type Entry as LogEntry } from '../consensus/raft-types.ts';
import { type History, HistoryDamagedError } from '../history/history.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { Applied } from '../settlement/apply.ts';
import { decodeEntry } from '../settlement/codec.ts';
import { Draft } from '../settlement/draft.ts';
import type { SettlementState } from '../settlement/state.ts';
import { openSnapshot, type StateSnapshot, sealSnapshot } from './state-snapshot.ts';

/** A committed entry and what it left; nothing for the entries by which Raft itself proceeds. */
export type AppliedEntry = Readonly<{ index: number; term: number; data: Uint8Array; applied?: Applied }>;

export type SettlementMachineDependencies = Readonly<{
  keys: KeyRing;
  history: Pick<History, 'append' | 'flush' | 'lastSeqno'>;
  /** After state and history have it. */
  onApplied: (entries: readonly AppliedEntry[]) => void;
}>;

/** Thrown where an entry of the log cannot be understood: the node must stop, and stay stopped until it is looked into. */
export class EntryUnreadableError extends Error {
  override readonly name = 'EntryUnreadableError';
  readonly code = 'ENTRY_UNREADABLE' as const;
}

export class SettlementMachine implements StateMachine {
  readonly #keys: KeyRing;
  readonly #history: Pick<History, 'append' | 'flush' | 'lastSeqno'>;
  readonly #onApplied: (entries: readonly AppliedEntry[]) => void;
  #current: StateSnapshot | undefined;

  constructor(dependencies: SettlementMachineDependencies) {
    this.#keys = dependencies.keys;
    this.#history = dependencies.history;
    this.#onApplied = dependencies.onApplied;
  }

  /** The committed state. Another object after `restore`, so it must be asked for each time. */
  get state(): SettlementState {
    return this.#started().state;
  }

  /** Index of the last applied entry; 0 before the first `restore`. */
  get index(): number {
    return this.#current?.index ?? 0;
  }

  /** @throws InvariantError, EntryUnreadableError; the state is then as before the batch */
  applyBatch(entries: readonly LogEntry[]): void {
    const current = this.#started();
    const draft = new Draft(current.state);
    const applied = entries.map((entry) => this.#apply(draft, entry));
    draft.commit();
    this.#current = { ...current, index: entries.at(-1)?.index ?? current.index };
    for (const { index, applied: left } of applied) {
      this.#history.append(index, left?.records ?? { transfers: [], lines: [], events: [], alarms: [] });
    }
    this.#onApplied(applied);
  }

  #apply(draft: Draft, { index, term, type, data }: LogEntry): AppliedEntry {
    if (type !== entryType.normal || data.length === 0) return { index, term, data };
    return { index, term, data, applied: draft.apply(readEntry(this.#keys, index, data)) };
  }

  /** The history is durable up to the snapshot before the snapshot is, so that a replay from it misses nothing. */
  snapshot(): Promise<Uint8Array> {
    return sealSnapshot(this.#keys, this.#started(), () => this.#history.flush());
  }

  /** Nobody sends snapshots to a single node. */
  install(): Promise<void> {
    return Promise.reject(new Error('this node takes no snapshots of others'));
  }

  /** @throws SealBrokenError; HistoryDamagedError where the history lacks what the snapshot stands on */
  async restore(content: Uint8Array, at: Readonly<{ index: number; term: number }>): Promise<void> {
    if (this.#history.lastSeqno < at.index) {
      throw new HistoryDamagedError(`the history ends at ${this.#history.lastSeqno}, the snapshot is of ${at.index}`);
    }
    this.#current = openSnapshot(this.#keys, at.index, content);
  }

  #started(): StateSnapshot {
    if (!this.#current) throw new Error('the state machine has no state yet');
    return this.#current;
  }
}

/** @throws EntryUnreadableError */
export function readEntry(keys: KeyRing, index: number, data: Uint8Array): ReturnType<typeof decodeEntry> {
  try {
    return decodeEntry(keys.open('log', data));
  } catch (cause) {
    throw new EntryUnreadableError(`log entry ${index} cannot be decrypted or decoded with this key and version`, {
      cause,
    });
  }
}
