/**
 * etcd's raft, one node per instance, by a typed binding. It does no I/O: what goes in is a message, a tick or an
 * acknowledgement, what comes out is data. Exports, frames and error codes: `engine/README.md`.
 */
import { readFile } from 'node:fs/promises';
import { decodeProgress, decodeReady, decodeStatus, FrameReader, FrameWriter } from './raft-frames.ts';
import type {
  ConfChange,
  ConfState,
  Entry,
  HardState,
  MemberProgress,
  RaftMessage,
  RaftSnapshot,
  RaftStatus,
  Ready,
} from './raft-types.ts';
import { entryType } from './raft-types.ts';
import type { Clock, Entropy } from './wasi-shim.ts';
import { wasiShim } from './wasi-shim.ts';

export type RaftEngineErrorCode =
  | 'REFUSED'
  | 'PROPOSAL_DROPPED'
  | 'COMPACTED'
  | 'SNAPSHOT_OUT_OF_DATE'
  | 'UNAVAILABLE'
  | 'MALFORMED'
  | 'OUT_OF_ORDER'
  | 'DEAD';

/** `DEAD`: an invariant of raft broke and the instance must not be used again; start a new one from disk. */
export class RaftEngineError extends Error {
  override readonly name = 'RaftEngineError';
  readonly code: RaftEngineErrorCode;

  constructor(code: RaftEngineErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const CODES: ReadonlyMap<number, RaftEngineErrorCode> = new Map([
  [-1, 'REFUSED'],
  [-2, 'PROPOSAL_DROPPED'],
  [-3, 'COMPACTED'],
  [-4, 'SNAPSHOT_OUT_OF_DATE'],
  [-5, 'UNAVAILABLE'],
  [-6, 'MALFORMED'],
  [-7, 'OUT_OF_ORDER'],
]);

export type RaftLogLevel = 'debug' | 'info' | 'warning' | 'error' | 'fatal';
const LOG_LEVELS: readonly RaftLogLevel[] = ['debug', 'info', 'warning', 'error', 'fatal'];

export type RaftEngineOptions = Readonly<{
  /** Raft id of this node, 1 to 2^53 - 1; never used again by another. */
  id: number;
  /** Ticks without a leader before a follower campaigns; raft adds up to as much again at random. */
  electionTicks: number;
  heartbeatTicks: number;
  /** Bytes of entries in one message; an entry that is larger travels alone. */
  maxMessageBytes: number;
  /** Messages in flight to one follower. */
  maxInflightMessages: number;
  /** Bytes in flight to one follower; 0 = no limit. */
  maxInflightBytes: number;
  /** Bytes of own proposals that are not committed, beyond which proposals are dropped; 0 = no limit. */
  maxUncommittedBytes: number;
  /** What the disk holds. All null or empty: a node that joins a group it knows nothing of. */
  snapshot: RaftSnapshot | null;
  hardState: HardState | null;
  entries: readonly Entry[];
  /** Index that the state machine has applied already. */
  applied: number;
  /** Bytes of WebAssembly memory asked for at the start; pages that are never used take no memory of the machine. */
  reservedBytes: number;
  logLevel: RaftLogLevel;
}>;

export type RaftEngineDependencies = Readonly<{
  module: WebAssembly.Module;
  clock: Clock;
  entropy: Entropy;
  log: (level: RaftLogLevel, text: string) => void;
}>;

const NOTHING = new Uint8Array();
const FLAGS = { preVote: 1, checkQuorum: 2, stepDownOnRemoval: 4 } as const;
/**
 * What the memory grows by when the reserved bytes were too few. V8 takes a larger memory for that much new garbage to
 * come and collects all that it has, some three times per growth, so growth by the half megabytes of Go would stall a node.
 */
const GROWTH_BYTES = 64 * 1024 * 1024;
/** Growth beyond what was asked for that is due to the heap; Go keeps a little outside of it. */
const UNEXPECTED_BYTES = 8 * 1024 * 1024;
/** Copies of small outputs are cut from one piece of so many bytes: an allocation outside of the heap costs V8 microseconds. */
const SHARED_BYTES = 64 * 1024;
const MAX_SHARED_BYTES = 8 * 1024;
/** Bytes of entries loaded by one call at the start. */
const LOAD_CHUNK_BYTES = 8 * 1024 * 1024;

/** Compiles the engine that is committed beside this package; about 0.1 s, once per process. */
export async function loadRaftModule(
  file: URL = new URL('../../engine/raft.wasm', import.meta.url),
): Promise<WebAssembly.Module> {
  return new WebAssembly.Module(await readFile(file));
}

type EngineFunction = (...parameters: (number | bigint)[]) => number;

export class RaftEngine {
  readonly #exports: Readonly<Record<string, EngineFunction>>;
  readonly #memory: WebAssembly.Memory;
  readonly #mailbox: number;
  /** Of the mailbox; made anew when the memory grew. */
  #box: DataView;
  readonly #stderr: () => string;
  readonly #writer = new FrameWriter();
  #inputAt = 0;
  #inputCapacity = 0;
  /** Size of the memory when it was last asked for more. */
  #expectedBytes = 0;
  #shared: Uint8Array = NOTHING;
  #sharedAt = 0;
  #death: RaftEngineError | null = null;

  /** @throws RaftEngineError `MALFORMED` when snapshot, hard state and entries contradict each other. */
  constructor(options: RaftEngineOptions, dependencies: RaftEngineDependencies) {
    const { clock, entropy, log } = dependencies;
    const decoder = new TextDecoder();
    const memory = (): ArrayBuffer => this.#memory.buffer;
    const wasi = wasiShim({ memory, clock, entropy });
    this.#stderr = wasi.stderr;
    const instance = new WebAssembly.Instance(dependencies.module, {
      wasi_snapshot_preview1: wasi.imports,
      raft: {
        log: (level: number, at: number, length: number) =>
          log(LOG_LEVELS[level] ?? 'fatal', decoder.decode(new Uint8Array(memory(), at, length))),
      },
    });
    this.#memory = instance.exports.memory as WebAssembly.Memory;
    this.#exports = instance.exports as Readonly<Record<string, EngineFunction>>;
    this.#enter('_initialize');
    this.#mailbox = this.#enter('mailbox') >>> 0;
    this.#box = new DataView(this.#memory.buffer, this.#mailbox, 16);
    this.#reserve(options.reservedBytes);
    this.#load(options);
    this.#create(options);
  }

  #reserve(bytes: number): void {
    if (bytes > 0) this.#call('reserve', bytes);
    this.#expectedBytes = this.memoryBytes;
  }

  #load(options: RaftEngineOptions): void {
    if (options.snapshot) this.#send('load_snapshot', this.#writer.start().snapshot(options.snapshot));
    let chunk: Entry[] = [];
    let bytes = 0;
    for (const entry of options.entries) {
      chunk.push(entry);
      bytes += entry.data.length;
      if (bytes < LOAD_CHUNK_BYTES) continue;
      this.#send('load_entries', this.#writer.start().entries(chunk));
      chunk = [];
      bytes = 0;
    }
    if (chunk.length > 0) this.#send('load_entries', this.#writer.start().entries(chunk));
    if (options.hardState) this.#send('load_hardstate', this.#writer.start().hardState(options.hardState));
  }

  #create(options: RaftEngineOptions): void {
    const frame = this.#writer.start().u64(options.id).u32(options.electionTicks).u32(options.heartbeatTicks);
    frame.u32(FLAGS.preVote | FLAGS.checkQuorum | FLAGS.stepDownOnRemoval).u32(options.maxInflightMessages);
    frame.u64(options.maxMessageBytes).u64(options.maxInflightBytes);
    frame.u64(options.maxUncommittedBytes).u64(0).u64(options.applied);
    this.#send('create', frame.u32(LOG_LEVELS.indexOf(options.logLevel)));
  }

  /** True after a trap; every call then throws the same `DEAD` error. */
  get dead(): boolean {
    return this.#death !== null;
  }

  tick(count = 1): void {
    this.#call('tick', count);
  }

  /** Gives raft what the authenticated peer `from` sent. Returns how many messages were refused; losing them is harmless. */
  step(from: number, messages: readonly Uint8Array[]): number {
    const frame = this.#writer.start().u64(from);
    for (const message of messages) frame.bytes(message);
    return new FrameReader(this.#send('step', frame)).u32();
  }

  /**
   * Gives raft a MsgSnap. `data` is computed from the content that came beside it and must be what the leader's
   * engine was given by `createSnapshot`. False: refused.
   */
  stepSnapshot(from: number, message: Uint8Array, data: Uint8Array): boolean {
    const frame = this.#writer.start().u64(from).bytes(data).bytes(message);
    return new FrameReader(this.#send('step_snapshot', frame)).u32() === 0;
  }

  /**
   * Appends all payloads, in order, or none. What is appended can still be lost; only a committed entry counts.
   * @throws RaftEngineError `PROPOSAL_DROPPED` unless this node leads and takes proposals.
   */
  propose(payloads: readonly Uint8Array[]): void {
    const frame = this.#writer.start();
    for (const payload of payloads) frame.bytes(payload);
    this.#send('propose', frame);
  }

  /** @throws RaftEngineError `PROPOSAL_DROPPED`; `REFUSED` for a change that could not be applied. */
  proposeConfChange(change: ConfChange): void {
    this.#send('propose_conf_change', this.#writer.start().confChange(change));
  }

  /** To be called for every committed entry that is not normal; the result belongs into the next snapshot. */
  applyConfChange(entry: Entry): ConfState {
    if (entry.type === entryType.normal) throw new TypeError('a normal entry is no configuration change');
    const output = this.#send('apply_conf_change', this.#writer.start().u8(entry.type).raw(entry.data));
    return new FrameReader(output).confState();
  }

  /** The read state that answers carries `context`; without a leader none ever comes. */
  readIndex(context: Uint8Array): void {
    this.#send('read_index', this.#writer.start().raw(context));
  }

  campaign(): void {
    this.#call('campaign');
  }

  transferLeader(to: number): void {
    this.#call('transfer_leader', BigInt(to));
  }

  reportUnreachable(id: number): void {
    this.#call('report_unreachable', BigInt(id));
  }

  /** Must follow every snapshot message sent, else that member stays paused. */
  reportSnapshot(id: number, delivered: boolean): void {
    this.#call('report_snapshot', BigInt(id), delivered ? 1 : 0);
  }

  /** Null: nothing to do. To be called until null after every input. */
  ready(): Ready | null {
    if (this.memoryBytes - this.#expectedBytes > UNEXPECTED_BYTES) this.#reserve(GROWTH_BYTES);
    const output = this.#call('ready');
    return output.length === 0 ? null : decodeReady(this.#kept(output));
  }

  /** The oldest `count` pending appends are durable. Returns the messages that waited for it. */
  appendDone(count: number): RaftMessage[] {
    return new FrameReader(this.#kept(this.#call('append_done', count))).messages();
  }

  /** The oldest `count` batches of committed entries are applied. */
  applyDone(count: number): RaftMessage[] {
    return new FrameReader(this.#kept(this.#call('apply_done', count))).messages();
  }

  /** What members too far behind are sent from now on. @throws RaftEngineError `COMPACTED`, `UNAVAILABLE`, `SNAPSHOT_OUT_OF_DATE`. */
  createSnapshot(index: number, confState: ConfState, data: Uint8Array): void {
    this.#send('create_snapshot', this.#writer.start().u64(index).confState(confState).bytes(data));
  }

  /** Drops cached entries up to `index`, which a snapshot covers. @throws RaftEngineError `COMPACTED`, `OUT_OF_ORDER`. */
  compact(index: number): void {
    this.#call('compact', BigInt(index));
  }

  status(): RaftStatus {
    return decodeStatus(this.#call('status'));
  }

  /** Empty unless this node leads. */
  progress(): MemberProgress[] {
    return decodeProgress(this.#call('progress'));
  }

  /** Bytes of WebAssembly memory; it never shrinks. */
  get memoryBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  #enter(name: string, ...parameters: (number | bigint)[]): number {
    if (this.#death) throw this.#death;
    const exported = this.#exports[name];
    if (exported === undefined) throw new TypeError(`the engine has no export ${name}`);
    try {
      return exported(...parameters);
    } catch (cause) {
      const detail = (this.#stderr() || String(cause)).slice(0, 2000);
      this.#death = new RaftEngineError('DEAD', `the raft engine died in ${name}: ${detail}`, { cause });
      throw this.#death;
    }
  }

  /** A view of the output, valid until the next call. */
  #call(name: string, ...parameters: (number | bigint)[]): Uint8Array {
    const result = this.#enter(name, ...parameters);
    if (result === 0) return NOTHING;
    if (this.#box.buffer !== this.#memory.buffer) this.#box = new DataView(this.#memory.buffer, this.#mailbox, 16);
    const output = new Uint8Array(this.#memory.buffer, this.#box.getUint32(0, true), this.#box.getUint32(4, true));
    if (result > 0) return output;
    throw new RaftEngineError(CODES.get(result) ?? 'REFUSED', `${name}: ${new TextDecoder().decode(output)}`);
  }

  /** A copy of an output, to be kept. */
  #kept(output: Uint8Array): Uint8Array {
    if (output.length > MAX_SHARED_BYTES) return output.slice();
    if (this.#sharedAt + output.length > this.#shared.length) {
      this.#shared = new Uint8Array(SHARED_BYTES);
      this.#sharedAt = 0;
    }
    const copy = this.#shared.subarray(this.#sharedAt, this.#sharedAt + output.length);
    copy.set(output);
    this.#sharedAt += output.length;
    return copy;
  }

  #send(name: string, frame: FrameWriter): Uint8Array {
    const input = frame.finish();
    if (input.length > this.#inputCapacity) {
      this.#inputAt = this.#enter('in_buf', input.length) >>> 0;
      if (this.#inputAt === 0) throw new RaftEngineError('MALFORMED', `${name}: a frame of ${input.length} bytes`);
      this.#inputCapacity = new DataView(this.#memory.buffer, this.#mailbox, 16).getUint32(12, true);
    }
    new Uint8Array(this.#memory.buffer, this.#inputAt, input.length).set(input);
    return this.#call(name, input.length);
  }
}
