/**
 * The engine's frames, little-endian; their table is in `engine/README.md`. Encoders write what the engine
 * checks again; decoders trust the engine, which is part of the same image, except that numbers stay below 2^53.
 */
import type {
  ConfChange,
  ConfState,
  Entry,
  EntryType,
  HardState,
  MemberProgress,
  RaftMessage,
  RaftSnapshot,
  RaftStatus,
  ReadState,
  Ready,
  Role,
} from './raft-types.ts';

const TWO_32 = 2 ** 32;
const ROLES: readonly Role[] = ['follower', 'candidate', 'leader', 'preCandidate'];
const PROGRESS_STATES = ['probe', 'replicate', 'snapshot'] as const;
/** Bytes of an entry before its data: term u64, index u64, type u8, length u32. */
export const ENTRY_HEADER_BYTES = 21;

/** Builds one frame. Grows by doubling; `finish` gives a view that is valid until the next `start`. */
export class FrameWriter {
  #bytes: Uint8Array = new Uint8Array(4096);
  #view: DataView = new DataView(this.#bytes.buffer);
  #length = 0;

  start(): this {
    this.#length = 0;
    return this;
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #grow(size: number): number {
    const at = this.#length;
    if (at + size > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(2 * this.#bytes.length, at + size));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#length = at + size;
    return at;
  }

  u8(value: number): this {
    const at = this.#grow(1);
    this.#view.setUint8(at, value);
    return this;
  }

  u32(value: number): this {
    const at = this.#grow(4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  u64(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is no integer from 0 to 2^53 - 1`);
    const at = this.#grow(8);
    this.#view.setUint32(at, value % TWO_32, true);
    this.#view.setUint32(at + 4, Math.floor(value / TWO_32), true);
    return this;
  }

  raw(bytes: Uint8Array): this {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  bytes(bytes: Uint8Array): this {
    return this.u32(bytes.length).raw(bytes);
  }

  ids(ids: readonly number[]): this {
    this.u32(ids.length);
    for (const id of ids) this.u64(id);
    return this;
  }

  confState(state: ConfState): this {
    this.ids(state.voters).ids(state.learners).ids(state.votersOutgoing).ids(state.learnersNext);
    return this.u8(state.autoLeave ? 1 : 0);
  }

  hardState(state: HardState): this {
    return this.u64(state.term).u64(state.vote).u64(state.commit);
  }

  snapshot(snapshot: RaftSnapshot): this {
    return this.u64(snapshot.index).u64(snapshot.term).confState(snapshot.confState).bytes(snapshot.data);
  }

  entries(entries: readonly Entry[]): this {
    this.u32(entries.length);
    for (const entry of entries) this.u64(entry.term).u64(entry.index).u8(entry.type).bytes(entry.data);
    return this;
  }

  confChange(change: ConfChange): this {
    const types = { add: 0, remove: 1, addLearner: 3 } as const;
    this.u8(change.transition === 'auto' ? 0 : 1).u32(change.changes.length);
    for (const { type, id } of change.changes) this.u8(types[type]).u64(id);
    return this.u32(0);
  }
}

/** Reads one frame. Byte fields are views of the frame. Reading past its end throws `RangeError`. */
export class FrameReader {
  readonly #frame: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(frame: Uint8Array) {
    this.#frame = frame;
    this.#view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  }

  get remaining(): number {
    return this.#frame.length - this.#at;
  }

  #take(size: number): number {
    const at = this.#at;
    if (size > this.#frame.length - at) throw new RangeError('a frame is too short');
    this.#at = at + size;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  u64(): number {
    const at = this.#take(8);
    const value = this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * TWO_32;
    if (!Number.isSafeInteger(value)) throw new RangeError('a u64 is above 2^53 - 1');
    return value;
  }

  bytes(): Uint8Array {
    const length = this.u32();
    const at = this.#take(length);
    return new Uint8Array(this.#frame.buffer, this.#frame.byteOffset + at, length);
  }

  ids(): number[] {
    return this.list(() => this.u64());
  }

  list<T>(item: () => T): T[] {
    const count = this.u32();
    if (count > this.remaining) throw new RangeError('a list is longer than its frame');
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(item());
    return items;
  }

  confState(): ConfState {
    const [voters, learners, votersOutgoing, learnersNext] = [this.ids(), this.ids(), this.ids(), this.ids()];
    return { voters, learners, votersOutgoing, learnersNext, autoLeave: this.u8() !== 0 };
  }

  hardState(): HardState {
    return { term: this.u64(), vote: this.u64(), commit: this.u64() };
  }

  entries(): Entry[] {
    return this.list(() => {
      const term = this.u64();
      const index = this.u64();
      const type = this.u8();
      if (type > 2) throw new RangeError(`entry ${index} has the unknown type ${type}`);
      return { term, index, type: type as EntryType, data: this.bytes() };
    });
  }

  messages(): RaftMessage[] {
    return this.list(() => ({ to: this.u64(), type: this.u8(), snapshotIndex: this.u64(), bytes: this.bytes() }));
  }

  role(): Role {
    const role = ROLES[this.u8()];
    if (role === undefined) throw new RangeError('unknown role');
    return role;
  }
}

const READY = { hardState: 1, softState: 2, appendPending: 4, applyPending: 8, mustSync: 16 } as const;

export function decodeReady(frame: Uint8Array): Ready {
  const reader = new FrameReader(frame);
  const flags = reader.u32();
  const hardState = flags & READY.hardState ? reader.hardState() : null;
  const softState = flags & READY.softState ? { leader: reader.u64(), role: reader.role() } : null;
  const entries = reader.entries();
  const snapshot = reader.u8() === 0 ? null : decodeSnapshot(reader);
  const committed = reader.entries();
  const messages = reader.messages();
  const readStates = reader.list((): ReadState => ({ index: reader.u64(), context: reader.bytes() }));
  return {
    hardState,
    softState,
    entries,
    snapshot,
    committed,
    messages,
    readStates,
    appendPending: (flags & READY.appendPending) !== 0,
    applyPending: (flags & READY.applyPending) !== 0,
    mustSync: (flags & READY.mustSync) !== 0,
  };
}

function decodeSnapshot(reader: FrameReader): RaftSnapshot {
  return { index: reader.u64(), term: reader.u64(), confState: reader.confState(), data: reader.bytes() };
}

export function decodeStatus(frame: Uint8Array): RaftStatus {
  const reader = new FrameReader(frame);
  return {
    id: reader.u64(),
    term: reader.u64(),
    vote: reader.u64(),
    commit: reader.u64(),
    applied: reader.u64(),
    leader: reader.u64(),
    leadTransferee: reader.u64(),
    firstIndex: reader.u64(),
    lastIndex: reader.u64(),
    role: reader.role(),
  };
}

export function decodeProgress(frame: Uint8Array): MemberProgress[] {
  const reader = new FrameReader(frame);
  return reader.list(() => ({
    id: reader.u64(),
    match: reader.u64(),
    next: reader.u64(),
    state: PROGRESS_STATES[reader.u8()] ?? 'probe',
    recentlyActive: reader.u8() !== 0,
    learner: reader.u8() !== 0,
  }));
}
