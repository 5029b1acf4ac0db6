/**
 * One node of the core: settlement state, ledger, history and relay behind `CoreService`. Knows nothing of HTTP. Whatever
 * makes it unable to go on correctly stops it for good, with one line in the log that says what to do.
 */
import { join } from 'node:path';
import type { ParticipantId } from '@drawbridge/protocol/ids';
import { FILE_LOG_STORE_DEFAULTS, FileLogStore, type FileLogStoreOptions } from '../consensus/file-log-store.ts';
import { immediateTurns, intervalTicker, systemClock, systemEntropy } from '../consensus/node-host.ts';
import type { LogStore, StoredLog } from '../consensus/ports.ts';
import { Replica } from '../consensus/replica.ts';
import { REPLICA_DEFAULTS, type ReplicaOptions } from '../consensus/replica-options.ts';
import {
  type Committed,
  type CoreService,
  type HistoryReader,
  type NodeStatus,
  type RelayService,
  SubmitError,
} from '../core-service.ts';
import { History, type HistoryOptions } from '../history/history.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { NodeLog } from '../node-log.ts';
import { CoreRelay } from '../relay/core-relay.ts';
import type { Command } from '../settlement/command.ts';
import type { SettlementView } from '../settlement/view.ts';
import { DeadlineTimer } from './deadline-timer.ts';
import { repairHistory } from './history-repair.ts';
import { ParticipantListeners } from './participant-listeners.ts';
import { Proposer, type ProposerOptions } from './proposer.ts';
import { type AppliedEntry, SettlementMachine } from './settlement-machine.ts';

export type CoreNodeOptions = Readonly<{
  /** Holds `ledger/` and `history/`, which this node makes. */
  dir: string;
  /** Raft id of this node. Default 1. */
  nodeId?: number;
  /** Shown in the status: the process was started so that it can be looked into. */
  development?: boolean;
  /** Default 50 ms. */
  tickMs?: number;
  /** How the log is cut into files. */
  ledger?: Partial<Omit<FileLogStoreOptions, 'directory'>>;
  replica?: Partial<Omit<ReplicaOptions, 'id' | 'bootstrap'>>;
  proposer?: ProposerOptions;
  history?: Omit<HistoryOptions, 'dir'>;
  /** How long a stop waits for answers that are under way. Default 5 s. */
  stopTimeoutMs?: number;
}>;

export type CoreNodeDependencies = Readonly<{
  keys: KeyRing;
  /** The compiled consensus engine; `loadRaftModule` gives it. */
  engine: WebAssembly.Module;
  /** Content of the snapshot that a new ledger begins with; not called for a ledger that has begun. */
  genesisContent: () => Promise<Uint8Array>;
  log: NodeLog;
  /** Unix ms. */
  nowMs: () => number;
  /** The node has stopped for good. */
  onFailed: (error: unknown) => void;
}>;

const FIRST_INDEX = 1;

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'UNEXPECTED';

export class CoreNode implements CoreService {
  readonly relay: RelayService;
  readonly #options: CoreNodeOptions;
  readonly #log: NodeLog;
  readonly #onFailed: (error: unknown) => void;
  readonly #machine: SettlementMachine;
  readonly #history: History;
  readonly #store: LogStore;
  readonly #proposer: Proposer;
  readonly #deadlines: DeadlineTimer;
  readonly #listeners = new ParticipantListeners();
  #replica: Replica | undefined;
  /** Term of the last applied entry. */
  #lastTerm = 0;
  /** The start, waiting for the ledger to be applied. */
  #startWait: Readonly<{ term: number; resolve: () => void }> | undefined;
  #abandoned: Promise<void> | undefined;
  /** Rejects when the node fails. */
  readonly #failure: Promise<never>;
  #rejectFailure: (error: unknown) => void = () => undefined;
  #serviceStatus: NodeStatus['serviceStatus'] = 'open';

  private constructor(options: CoreNodeOptions, uses: CoreNodeDependencies, store: LogStore) {
    this.#options = options;
    this.#log = uses.log;
    this.#onFailed = uses.onFailed;
    this.#store = store;
    this.#failure = new Promise((_, reject) => {
      this.#rejectFailure = reject;
    });
    // Only a start waits for it; later failures go to `onFailed`.
    this.#failure.catch(() => undefined);
    const { keys, nowMs } = uses;
    const onFailure = (error: unknown): void => this.#fail(error);
    this.#history = new History({ ...options.history, dir: join(options.dir, 'history') }, { keys, onFailure });
    this.#machine = new SettlementMachine({ keys, history: this.#history, onApplied: (e) => this.#applied(e) });
    this.#proposer = new Proposer(options.proposer ?? {}, {
      keys,
      nowMs,
      appliedStampMs: () => this.#machine.state.stampMs,
      propose: (data) => this.#running().propose(data),
      drained: () => this.#history.drained(),
      onFailure,
    });
    this.#deadlines = new DeadlineTimer({
      nextDeadlineMs: () => this.#machine.state.nextDeadlineMs(),
      nowMs,
      onDue: () => this.#proposer.submit([{ type: 'clock' }]),
    });
    this.relay = new CoreRelay(this);
  }

  /**
   * Opens the ledger in `dir`, or begins it; resolves when everything in it is applied and this node takes part.
   * @throws LogDamagedError, LogLockedError, SealBrokenError, EntryUnreadableError, InvariantError
   */
  static async start(options: CoreNodeOptions, uses: CoreNodeDependencies): Promise<CoreNode> {
    const ledger = { ...FILE_LOG_STORE_DEFAULTS, ...options.ledger, directory: join(options.dir, 'ledger') };
    const store = await FileLogStore.open(ledger, { entropy: systemEntropy });
    let node: CoreNode | undefined;
    try {
      node = new CoreNode(options, uses, store);
      await Promise.race([node.#start(uses), node.#failure]);
      return node;
    } catch (error) {
      await (node ? node.#abandon() : store.close());
      throw error;
    }
  }

  async #start(uses: CoreNodeDependencies): Promise<void> {
    const { keys, genesisContent, log } = uses;
    const store = this.#store;
    const stored = await store.load();
    const snapshotIndex = stored.snapshot?.index ?? FIRST_INDEX;
    const lastIndex = stored.entries.at(-1)?.index ?? snapshotIndex;
    await repairHistory({ history: this.#history, store, keys, log, snapshotIndex, lastIndex, genesisContent });
    const replica = await this.#join(uses, stored);
    const { tornTail, damagedSnapshots } = replica.recovered;
    if (tornTail) log.warn({ ...tornTail }, 'cut off what a crash left of a write that was never acknowledged');
    for (const { file, reason } of damagedSnapshots) log.warn({ file, reason }, 'passed over a damaged snapshot');
    const { role, term: view } = replica.status();
    // A new leader begins with an entry of its own term, and all that was ever answered stands before that.
    if (role === 'leader') await this.#appliedTerm(view);
    else await replica.readIndex();
    this.#deadlines.rearm();
    log.info({ seqno: this.#machine.index, view }, 'the ledger is applied');
  }

  /** Resolves when a leader is known. */
  async #join(uses: CoreNodeDependencies, stored: StoredLog): Promise<Replica> {
    const { log, genesisContent, engine } = uses;
    const isNew = !stored.snapshot && !stored.hardState && stored.entries.length === 0;
    const id = this.#options.nodeId ?? 1;
    const bootstrap = isNew ? { voters: [id], content: await genesisContent() } : null;
    let onLeader: () => void = () => undefined;
    const leaderKnown = new Promise<void>((resolve) => {
      onLeader = resolve;
    });
    this.#replica = await Replica.start(
      { ...REPLICA_DEFAULTS, ...this.#options.replica, id, bootstrap },
      {
        module: engine,
        store: loadedStore(this.#store, stored),
        transport: { send: () => undefined, sendSnapshot: () => Promise.reject(new Error('this node has no peers')) },
        stateMachine: this.#machine,
        clock: systemClock,
        entropy: systemEntropy,
        ticker: intervalTicker(this.#options.tickMs ?? 50),
        scheduler: immediateTurns,
        log: (level, text) => this.#raftLog(level, text),
        onFatal: (error) => this.#fail(error),
        onRoleChange: ({ role, term, leader }) => {
          log.info({ role, view: term }, 'role in the group');
          if (leader !== null) onLeader();
        },
        onMembersChange: () => undefined,
      },
    );
    await leaderKnown;
    return this.#replica;
  }

  #appliedTerm(term: number): Promise<void> {
    return new Promise((resolve) => {
      this.#startWait = { term, resolve };
      this.#endStartWait();
    });
  }

  #endStartWait(): void {
    if (this.#startWait && this.#lastTerm >= this.#startWait.term) this.#startWait.resolve();
  }

  get view(): SettlementView {
    return this.#machine.state;
  }

  get history(): HistoryReader {
    return this.#history;
  }

  submit(commands: readonly Command[]): Promise<Committed[]> {
    if (this.#serviceStatus !== 'open') return Promise.reject(new SubmitError('STOPPING', 'the core is stopping'));
    return this.#proposer.submit(commands);
  }

  onEvents(participant: ParticipantId, listener: () => void): () => void {
    return this.#listeners.add(participant, listener);
  }

  status(): NodeStatus {
    const { id, role, term, lastIndex } = this.#running().status();
    return {
      nodeId: id,
      platform: 'virtual',
      rollbackProtected: false,
      clockProtected: false,
      development: this.#options.development ?? false,
      role: role === 'preCandidate' ? 'candidate' : role,
      view: term,
      lastSeqno: Math.max(lastIndex, this.#machine.index),
      committedSeqno: this.#machine.index,
      serviceId: this.#machine.state.serviceId,
      serviceStatus: this.#serviceStatus,
    };
  }

  /** Takes no more, answers what is under way, makes everything durable. */
  async stop(): Promise<void> {
    if (this.#serviceStatus !== 'open') return;
    this.#serviceStatus = 'stopping';
    this.#deadlines.stop();
    const timeout = setTimeout(() => this.#proposer.abort(), this.#options.stopTimeoutMs ?? 5_000);
    await this.#proposer.close();
    clearTimeout(timeout);
    await this.#replica?.stop();
    await this.#history.flush();
    await this.#history.close();
    await this.#store.close();
  }

  #running(): Replica {
    if (!this.#replica) throw new SubmitError('STOPPING', 'the node has not started');
    return this.#replica;
  }

  #applied(entries: readonly AppliedEntry[]): void {
    for (const { index, applied } of entries) {
      for (const { type, network, asset, code } of applied?.records.alarms ?? []) {
        this.#log.warn(
          { code: type, network, asset, cause: code, seqno: index },
          'alarm: operators must look at this lane',
        );
      }
    }
    this.#lastTerm = entries.at(-1)?.term ?? this.#lastTerm;
    this.#endStartWait();
    this.#proposer.settle(entries);
    this.#deadlines.rearm();
    this.#listeners.notify(entries);
  }

  #fail(error: unknown): void {
    if (this.#serviceStatus === 'failed') return;
    this.#serviceStatus = 'failed';
    const detail = error instanceof Error ? error.message : String(error);
    this.#log.error({ code: codeOf(error), detail }, 'the node has stopped and must be started again by an operator');
    this.#proposer.abort();
    this.#rejectFailure(error);
    void this.#abandon().finally(() => this.#onFailed(error));
  }

  /** Lets go of everything, once, without asking whether it worked. */
  #abandon(): Promise<void> {
    this.#abandoned ??= this.#letGo();
    return this.#abandoned;
  }

  async #letGo(): Promise<void> {
    this.#deadlines.stop();
    const ends = [() => this.#replica?.stop(), () => this.#history.close(), () => this.#store.close()];
    for (const end of ends) {
      await Promise.resolve(end()).catch((error: unknown) => this.#log.warn({ code: codeOf(error) }, 'while stopping'));
    }
  }

  #raftLog(level: string, text: string): void {
    const write = level === 'error' || level === 'fatal' ? this.#log.error : this.#log.warn;
    write({ code: 'RAFT', level }, text);
  }
}

/** The store as the replica sees it: with what was loaded already. */
function loadedStore(store: LogStore, stored: StoredLog): LogStore {
  return {
    load: async () => stored,
    append: (batch) => store.append(batch),
    saveSnapshot: (snapshot) => store.saveSnapshot(snapshot),
    loadSnapshot: (index) => store.loadSnapshot(index),
    readEntries: (fromIndex) => store.readEntries(fromIndex),
    close: () => store.close(),
  };
}
