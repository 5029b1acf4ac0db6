/** Gives what is committed to the state machine and follows what it says of the members. */
import type { SnapshotPoint, StateMachine } from './ports.ts';
import type { RaftEngine } from './raft-engine.ts';
import { type ConfState, type Entry, entryType } from './raft-types.ts';
import { namesMember } from './snapshot-keeper.ts';

export type ApplierHost = Readonly<{
  engine: Pick<RaftEngine, 'applyConfChange'>;
  stateMachine: Pick<StateMachine, 'applyBatch'>;
  onMembersChange: (members: ConfState, index: number) => void;
  /** Once: this node was a member and is none any more, for ever. */
  onRemoved: () => void;
}>;

export class Applier {
  readonly #id: number;
  readonly #host: ApplierHost;
  #index: number;
  #members: ConfState;
  #membersIndex: number;
  #removed = false;

  /** @param start the snapshot that the state machine was restored from */
  constructor(id: number, start: Pick<SnapshotPoint, 'index' | 'confState'>, host: ApplierHost) {
    this.#id = id;
    this.#host = host;
    this.#index = start.index;
    this.#members = start.confState;
    this.#membersIndex = start.index;
  }

  /** Of the last entry that the state machine has; 0 before it has any. */
  get index(): number {
    return this.#index;
  }

  get members(): ConfState {
    return this.#members;
  }

  /** Index of the entry or snapshot that brought the present members. */
  get membersIndex(): number {
    return this.#membersIndex;
  }

  get removed(): boolean {
    return this.#removed;
  }

  /** A configuration entry ends a batch of the state machine's. */
  apply(committed: readonly Entry[]): void {
    let from = 0;
    for (let at = 0; at < committed.length; at++) {
      const entry = committed[at];
      if (!entry || entry.type === entryType.normal) continue;
      this.#applyBatch(committed.slice(from, at + 1));
      from = at + 1;
      this.#changed(this.#host.engine.applyConfChange(entry), entry.index);
    }
    if (from < committed.length) this.#applyBatch(from === 0 ? committed : committed.slice(from));
  }

  #applyBatch(entries: readonly Entry[]): void {
    this.#host.stateMachine.applyBatch(entries, this.#members);
    this.#index = entries.at(-1)?.index ?? this.#index;
  }

  installed({ index, confState }: Pick<SnapshotPoint, 'index' | 'confState'>): void {
    this.#index = index;
    this.#changed(confState, index);
  }

  #changed(members: ConfState, index: number): void {
    const left = namesMember(this.#members, this.#id) && !namesMember(members, this.#id);
    this.#members = members;
    this.#membersIndex = index;
    this.#host.onMembersChange(members, index);
    if (!left || this.#removed) return;
    this.#removed = true;
    this.#host.onRemoved();
  }
}
