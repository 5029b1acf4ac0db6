/**
 * The settlement state machine as a replica alone drives it: opens committed entries, applies them through the real draft,
 * and seals and opens whole states. History is the checkers', kept from what the entries left.
 */
import type {
  SnapshotPoint,
  SnapshotWriter,
  StateMachine,
  StoredSnapshot,
} from '@drawbridge/enclave-core/consensus/ports';
import { type ConfState, entryType, type Entry as LogEntry } from '@drawbridge/enclave-core/consensus/raft-types';
import type { KeyRing } from '@drawbridge/enclave-core/keys/key-ring';
import { decodeEntry } from '@drawbridge/enclave-core/settlement/codec';
import type { Command, Outcome } from '@drawbridge/enclave-core/settlement/command';
import { Draft } from '@drawbridge/enclave-core/settlement/draft';
import type { EntryRecords } from '@drawbridge/enclave-core/settlement/record';
import { decodeSnapshot, encodeSnapshot } from '@drawbridge/enclave-core/settlement/snapshot';
import type { SettlementState } from '@drawbridge/enclave-core/settlement/state';
import { type AppliedHere, textOf } from './sim-process.ts';

export type SimMachineHost = Readonly<{
  keys: KeyRing;
  /** Of the first command of an entry. */
  onOutcome: (data: Uint8Array, outcome: Outcome) => void;
  onApplied: (entries: readonly AppliedHere[], state: SettlementState) => void;
  onRestored: (index: number, state: SettlementState) => void;
  /** Breaks the state after an entry, for planted bugs. */
  spoil?: (records: EntryRecords, state: SettlementState) => void;
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

  applyBatch(entries: readonly LogEntry[], _members: ConfState): void {
    const draft = new Draft(this.state);
    const applied = entries.map((entry) => this.#apply(draft, entry));
    draft.commit();
    const last = entries.at(-1);
    this.#index = last?.index ?? this.#index;
    this.#term = last?.term ?? this.#term;
    for (const { records } of applied) if (records) this.#host.spoil?.(records, this.state);
    this.#host.onApplied(applied, this.state);
  }

  #apply(draft: Draft, { index, term, type, data }: LogEntry): AppliedHere {
    const place = { index, term, content: data };
    if (type !== entryType.normal || data.length === 0) return { ...place, effects: '', records: undefined, taken: [] };
    const entry = decodeEntry(this.#host.keys.open('log', data));
    const applied = draft.apply(entry);
    const [outcome] = applied.outcomes;
    if (outcome) this.#host.onOutcome(data, outcome);
    const taken = entry.commands.flatMap((command, at) => takenBy(command, applied.outcomes[at]));
    return { ...place, effects: textOf(applied), records: applied.records, taken };
  }

  /** Sealed bytes of the state as of the last applied entry. */
  capture(): Readonly<{ index: number; term: number; content: Uint8Array }> {
    return { index: this.#index, term: this.#term, content: sealState(this.#host.keys, this.#index, this.state) };
  }

  /** The head is all of it: this machine has no other way to the state. */
  async restore(snapshot: StoredSnapshot): Promise<void> {
    this.#become(snapshot.head, snapshot);
  }

  async install(_from: number, head: Uint8Array, { point }: SnapshotWriter): Promise<void> {
    this.#become(head, point);
  }

  #become(sealed: Uint8Array, { index, term }: SnapshotPoint): void {
    this.#state = decodeSnapshot(this.#host.keys.open('snapshot', sealed, placeOf(index)));
    this.#index = index;
    this.#term = term;
    this.#host.onRestored(index, this.#state);
  }
}

function takenBy(command: Command, outcome: Outcome | undefined): string[] {
  if (command.type !== 'submitTransfer' || !outcome?.ok || outcome.repeated) return [];
  return [`${command.terms.debtor}/${command.terms.id}`];
}
