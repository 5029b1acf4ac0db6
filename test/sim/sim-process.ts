/**
 * One start of one core node in the simulated world, as the world sees it. What a process is given is simulated; what it
 * does with it is the product's. `replica-process.ts` is the consensus driver, its log and settlement alone, which is
 * quick; `core-process.ts` is the whole node, with ledger, signatures, forwarding and membership.
 */
import type { Disk } from '@drawbridge/enclave-core/consensus/log/disk';
import type { LogBatch, LogStore, StateMachine, StoredLog } from '@drawbridge/enclave-core/consensus/ports';
import type { loadRaftModule } from '@drawbridge/enclave-core/consensus/raft-engine';
import type { ConfState, RaftMessage, Role } from '@drawbridge/enclave-core/consensus/raft-types';
import type { Command, Outcome } from '@drawbridge/enclave-core/settlement/command';
import type { EntryRecords } from '@drawbridge/enclave-core/settlement/record';
import type { SettlementState } from '@drawbridge/enclave-core/settlement/state';
import type { ProcessGate } from './process-gate.ts';
import type { Random } from './random.ts';
import type { Cancel } from './virtual-clock.ts';

/** The compiled engine. */
export type EngineModule = Awaited<ReturnType<typeof loadRaftModule>>;

/** An entry that a node applied, and what it left there. */
export type AppliedHere = Readonly<{
  index: number;
  term: number;
  /** What the entry says; equal on every node. */
  content: Uint8Array;
  /** What came of it, as text; equal on every node. */
  effects: string;
  records: EntryRecords | undefined;
  /** Transfers, as `bank/id`, that this entry took for new. */
  taken: readonly string[];
}>;

/** What a process shows of itself to those who check it. None of it may throw. */
export interface ProcessObserver {
  loaded(stored: StoredLog): void;
  /** Asked to be written, and later: durable. */
  appending(batch: LogBatch): void;
  appended(batch: LogBatch): void;
  role(role: Role, term: number): void;
  /** `index`: of the entry or snapshot that brought them. */
  members(members: ConfState, index: number): void;
  applied(entries: readonly AppliedHere[]): void;
  /** The state as of an index: after a batch, or as a snapshot brought it. */
  state(index: number, state: SettlementState, from: 'batch' | 'snapshot'): void;
  /** The root of the ledger's tree after an entry. */
  root(index: number, root: Uint8Array): void;
  /** It goes on from what an earlier life of its machine left. */
  inherited(): void;
  /** It stopped for good. */
  failed(error: unknown): void;
}

/** What a planted bug may put between a process and its ports. */
export type Plant = Readonly<{
  store?: (store: LogStore) => LogStore;
  /** Of a replica alone. */
  machine?: (machine: StateMachine) => StateMachine;
  spoil?: (records: EntryRecords, state: SettlementState) => void;
  send?: (message: RaftMessage) => RaftMessage;
  receive?: (message: Uint8Array) => void;
  /** Reads do not ask the others. */
  readsAlone?: boolean;
}>;

export type ProcessPorts = Readonly<{
  engine: EngineModule;
  gate: ProcessGate;
  disk: Disk;
  random: Random;
  /** Unix ms of this machine's own clock. */
  wallMs: () => number;
  /** Microseconds of the world. */
  nowUs: () => number;
  after: (delayUs: number, name: string, run: () => void) => Cancel;
  send: (messages: readonly RaftMessage[]) => void;
  sendSnapshot: (message: RaftMessage, content: Uint8Array) => Promise<void>;
  /** Asks a peer and waits; rejects with a `code`. */
  request: (to: number, method: string, body: Uint8Array, timeoutMs: number) => Promise<Uint8Array>;
  observer: ProcessObserver;
  plant: Plant;
}>;

export type ProcessStatus = Readonly<{ role: Role; term: number; commit: number; lastIndex: number }>;

export type Submitted = Readonly<{ index: number; term: number; outcome: Outcome }>;

export interface SimProcess {
  readonly raftId: number;
  /** Resolves when it takes part. @throws what keeps it from starting */
  start(): Promise<void>;
  /** It takes part, and can be asked. */
  readonly ready: boolean;
  /** Index of the last entry applied; 0 before it has a state. */
  readonly appliedIndex: number;
  readonly state: SettlementState | undefined;
  readonly members: ConfState;
  status(): ProcessStatus;
  receive(from: number, messages: readonly Uint8Array[]): void;
  receiveSnapshot(from: number, message: Uint8Array, content: Uint8Array): void;
  unreachable(raftId: number): void;
  /** Of a peer. */
  answer(from: number, method: string, body: Uint8Array): Promise<Uint8Array>;
  /**
   * Resolves when the command is committed and applied here.
   * @throws an error with a `code`; `UNCERTAIN` when it may still be committed
   */
  submit(command: Command): Promise<Submitted>;
  /** The state as of an index that is not older than anything that was answered before the call. */
  read<T>(view: (state: SettlementState) => T): Promise<Readonly<{ index: number; value: T }>>;
  transferLeadership(to: number): Promise<boolean>;
  /** Called after each step: shows the observer what it has not shown by itself. */
  inspect(): void;
}

/** Mean time until a busy process turns to its input. */
const BUSY_US = 300;

/** Turns of a process: mostly right after what happens now; a busy one gets to it later, and takes more together. */
export function turnsOf({
  gate,
  after,
  random,
}: Pick<ProcessPorts, 'gate' | 'after' | 'random'>): (turn: () => void) => void {
  const turns = random.fork('turns');
  return (turn) => {
    if (turns.chance(0.2)) after(turns.exponential(BUSY_US), 'turn', () => gate.enter(turn));
    else setImmediate(() => gate.enter(turn));
  };
}

/** Ticks of a process: timers are a little late, and what a stopped process missed is not made up for. */
export function ticksOf(
  { gate, after, random }: Pick<ProcessPorts, 'gate' | 'after' | 'random'>,
  tickUs: number,
): (onTick: () => void) => () => void {
  return (onTick) => {
    const own = random.fork('ticks');
    let cancel: Cancel = () => undefined;
    const next = (): void => {
      cancel = after(tickUs * (1 + own.fraction() / 10), 'tick', () => {
        if (!gate.paused) gate.enter(onTick);
        if (gate.alive) next();
      });
    };
    next();
    return () => cancel();
  };
}

/** The log, with an eye on it. */
export function watchedStore(store: LogStore, { observer, plant }: Pick<ProcessPorts, 'observer' | 'plant'>): LogStore {
  const watched: LogStore = {
    load: async () => {
      const stored = await store.load();
      observer.loaded(stored);
      return stored;
    },
    append: async (batch) => {
      observer.appending(batch);
      await store.append(batch);
      observer.appended(batch);
    },
    beginSnapshot: (point) => store.beginSnapshot(point),
    dropBefore: (index) => store.dropBefore(index),
    readEntries: (fromIndex) => store.readEntries(fromIndex),
    close: () => store.close(),
  };
  return plant.store ? plant.store(watched) : watched;
}

/** Text of a value that may hold big integers; equal values give equal text. */
export const textOf = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? `${part}` : part));
