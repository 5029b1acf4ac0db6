/**
 * The settlement state machine as a replica drives it: opens committed entries, applies them through the real draft, and
 * seals and opens whole states. History is the world's, kept in memory from what the entries left.
 */
import type { SnapshotPoint, StateMachine } from '@drawbridge/enclave-core/consensus/ports';
import { type ConfState, entryType, type Entry as LogEntry } from '@drawbridge/enclave-core/consensus/raft-types';
import type { KeyRing } from '@drawbridge/enclave-core/keys/key-ring';
import type { Applied } from '@drawbridge/enclave-core/settlement/apply';
import { decodeEntry } from '@drawbridge/enclave-core/settlement/codec';
import type { Entry } from '@drawbridge/enclave-core/settlement/command';
import { Draft } from '@drawbridge/enclave-core/settlement/draft';
import { decodeSnapshot, encodeSnapshot } from '@drawbridge/enclave-core/settlement/snapshot';
import type { SettlementState } from '@drawbridge/enclave-core/settlement/state';

/** A committed entry, in clear, and what it left; neither for the entries by which Raft itself proceeds. */
export type AppliedEntry = Readonly<{ log: LogEntry; entry?: Entry; applied?: Applied }>;

export type SimMachineHost = Readonly<{
  keys: KeyRing;
  onApplied: (entries: readonly AppliedEntry[], state: SettlementState) => void;
  onRestored: (at: SnapshotPoint, state: SettlementState) => void;
  /** Breaks the state after a batch, for planted bugs. */
  spoil?: (entries: readonly AppliedEntry[], state: SettlementState) => void;
}>;

const placeOf = (index: number): Uint8Array => Buffer.from(`state/${index}`);

export function sealState(keys: KeyRing, index: number, state: SettlementState): Uint8Array {
  return keys.seal('snapshot', encodeSnapshot(state), placeOf(index));
}

export class SimMachine implements StateMachine {
  readonly #host: SimMachineHost;
  #state: SettlementState | undefined;
  #index = 0;
  #term = 0;

  constructor(host: SimMachineHost) {
    this.#host = host;
  }

  get state(): SettlementState {
    if (!this.#state) throw new Error('the state machine has no state yet');
    return this.#state;
  }

  get started(): boolean {
    return this.#state !== undefined;
  }

  /** Of the last applied entry. */
  get index(): number {
    return this.#index;
  }

  get term(): number {
    return this.#term;
  }

  applyBatch(entries: readonly LogEntry[], _members: ConfState): void {
    const draft = new Draft(this.state);
    const applied = entries.map((log): AppliedEntry => {
      if (log.type !== entryType.normal || log.data.length === 0) return { log };
      const entry = decodeEntry(this.#host.keys.open('log', log.data));
      return { log, entry, applied: draft.apply(entry) };
    });
    draft.commit();
    const last = entries.at(-1);
    this.#index = last?.index ?? this.#index;
    this.#term = last?.term ?? this.#term;
    this.#host.spoil?.(applied, this.state);
    this.#host.onApplied(applied, this.state);
  }

  /** Sealed bytes of the state as of the last applied entry. */
  capture(): Readonly<{ index: number; term: number; content: Uint8Array }> {
    return { index: this.#index, term: this.#term, content: sealState(this.#host.keys, this.#index, this.state) };
  }

  async restore(content: Uint8Array, at: SnapshotPoint): Promise<void> {
    this.#state = decodeSnapshot(this.#host.keys.open('snapshot', content, placeOf(at.index)));
    this.#index = at.index;
    this.#term = at.term;
    this.#host.onRestored(at, this.#state);
  }

  install(_from: number, at: SnapshotPoint, content: Uint8Array): Promise<void> {
    return this.restore(content, at);
  }
}
