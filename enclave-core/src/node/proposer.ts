/**
 * Batches commands into log entries. What is submitted in one turn of the event loop, or while an earlier entry is on its
 * way to the disk, becomes one entry: under load the cost of a write is shared by all that wait for it. Where more waits
 * than an entry takes, banks take turns.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ReplicaError, type ReplicaErrorCode } from '../consensus/replica-error.ts';
import { type Committed, SubmitError } from '../core-service.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { encodeEntry } from '../settlement/codec.ts';
import type { Command } from '../settlement/command.ts';
import { MAX_COMMANDS_PER_ENTRY } from '../settlement/limits.ts';
import { CodecError } from '../settlement/tuples.ts';
import { FairQueue, type Submitter } from './fair-queue.ts';
import type { AppliedEntry } from './settlement-machine.ts';

export type ProposerOptions = Readonly<{
  /** Commands in one entry, unless one submission alone has more. Default 2,048. */
  maxCommandsPerEntry?: number;
  /** Entries proposed and not yet applied. Default 1: the next one gathers meanwhile. */
  maxEntriesInFlight?: number;
  /** Commands that wait, after which each bank has only its guaranteed room (`fair-queue.ts`). Default 50,000. */
  maxQueuedCommands?: number;
  /** Commands of one bank that wait, after which its submissions are refused. Default 10,000. */
  maxQueuedCommandsPerBank?: number;
}>;

/** Of one bank in a row, where several have something that waits: this part of an entry. */
const TURNS_PER_ENTRY = 32;

export type ProposerDependencies = Readonly<{
  keys: KeyRing;
  /** Hands an entry to Raft; settles after it is applied. Rejects with `ReplicaError`. */
  propose: (data: Uint8Array) => Promise<unknown>;
  /** Stamp of the last applied entry, Unix ms. */
  appliedStampMs: () => number;
  nowMs: () => number;
  /** Resolves when readers' history has caught up enough to take more. */
  drained: () => Promise<void>;
  onFailure: (error: unknown) => void;
}>;

type Submission = Readonly<{
  commands: readonly Command[];
  resolve: (committed: Committed[]) => void;
  reject: (error: SubmitError | CodecError) => void;
}>;

export class Proposer {
  readonly #limits: Required<ProposerOptions>;
  readonly #uses: ProposerDependencies;
  readonly #queue: FairQueue<Submission>;
  /** Entries on their way, by their sealed bytes' salt and counter. */
  readonly #inFlight = new Map<string, readonly Submission[]>();
  #lastStampMs = 0;
  #pumping = false;
  #closed: SubmitError | undefined;

  constructor(options: ProposerOptions, dependencies: ProposerDependencies) {
    this.#limits = {
      maxCommandsPerEntry: options.maxCommandsPerEntry ?? 2_048,
      maxEntriesInFlight: options.maxEntriesInFlight ?? 1,
      maxQueuedCommands: options.maxQueuedCommands ?? 50_000,
      maxQueuedCommandsPerBank: options.maxQueuedCommandsPerBank ?? 10_000,
    };
    this.#queue = new FairQueue({
      maxQueued: this.#limits.maxQueuedCommands,
      maxQueuedPerSubmitter: Math.min(this.#limits.maxQueuedCommandsPerBank, this.#limits.maxQueuedCommands),
      turn: Math.ceil(this.#limits.maxCommandsPerEntry / TURNS_PER_ENTRY),
    });
    this.#uses = dependencies;
  }

  get idle(): boolean {
    return this.#queue.empty && this.#inFlight.size === 0;
  }

  /**
   * @throws SubmitError `OVERLOADED`, `NOT_LEADER`, `STOPPING`; `UNCERTAIN` once the entry was proposed; CodecError for
   * a command that cannot be written down, which is a bug of the caller's
   */
  submit(commands: readonly Command[]): Promise<Committed[]> {
    if (this.#closed) return Promise.reject(this.#closed);
    if (commands.length === 0) return Promise.resolve([]);
    if (commands.length > MAX_COMMANDS_PER_ENTRY) {
      return Promise.reject(new RangeError(`at most ${MAX_COMMANDS_PER_ENTRY} commands in one submission`));
    }
    return new Promise((resolve, reject) => {
      if (!this.#queue.push(submitterOf(commands), { commands, resolve, reject })) {
        reject(new SubmitError('OVERLOADED', 'too many commands wait; send again with the same ids'));
        return;
      }
      this.#pump();
    });
  }

  /** Answers whoever waits for these entries. */
  settle(entries: readonly AppliedEntry[]): void {
    for (const { data, index, term, applied } of entries) {
      const waiting = applied && this.#inFlight.get(nameOf(data));
      if (!waiting) continue;
      this.#inFlight.delete(nameOf(data));
      let next = 0;
      for (const { commands, resolve } of waiting) {
        const outcomes = applied.outcomes.slice(next, next + commands.length);
        next += commands.length;
        resolve(outcomes.map((outcome) => ({ outcome, transactionId: `${term}.${index}` })));
      }
    }
    this.#pump();
  }

  /** Takes nothing more; resolves when what was taken is answered. */
  async close(): Promise<void> {
    this.#closed ??= new SubmitError('STOPPING', 'the core is stopping');
    while (!this.idle) await nextTurn();
  }

  /** Ends at once. */
  abort(): void {
    this.#closed ??= new SubmitError('STOPPING', 'the core has stopped');
    for (const batch of this.#inFlight.values()) for (const { reject } of batch) reject(uncertain());
    this.#inFlight.clear();
    for (const { reject } of this.#queue.clear()) reject(this.#closed);
  }

  #pump(): void {
    if (this.#pumping || this.#queue.empty) return;
    if (this.#inFlight.size >= this.#limits.maxEntriesInFlight) return;
    this.#pumping = true;
    this.#proposeNext().then(
      () => {
        this.#pumping = false;
        this.#pump();
      },
      (error: unknown) => this.#uses.onFailure(error),
    );
  }

  async #proposeNext(): Promise<void> {
    await nextTurn();
    await this.#uses.drained();
    let batch = this.#queue.take(this.#limits.maxCommandsPerEntry);
    if (batch.length === 0) return;
    const stampMs = Math.max(this.#uses.nowMs(), this.#lastStampMs, this.#uses.appliedStampMs());
    this.#lastStampMs = stampMs;
    let entry: Uint8Array;
    try {
      entry = encodeBatch(stampMs, batch);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      batch = batch.filter((submission) => isWritable(stampMs, submission));
      if (batch.length === 0) return;
      entry = encodeBatch(stampMs, batch);
    }
    const data = this.#uses.keys.seal('log', entry);
    const name = nameOf(data);
    this.#inFlight.set(name, batch);
    this.#uses.propose(data).catch((error: unknown) => this.#refuse(name, error));
  }

  /** Raft did not take the entry, lost it, or does not know. */
  #refuse(name: string, error: unknown): void {
    const batch = this.#inFlight.get(name) ?? [];
    this.#inFlight.delete(name);
    const refusal = submitError(error);
    for (const { reject } of batch) reject(refusal);
    if (!REPLICA_CODES.has(codeOf(error))) this.#uses.onFailure(error);
    this.#pump();
  }
}

/** Whose lane a submission waits in: the first participant's that its commands name; else they are the core's own. */
function submitterOf(commands: readonly Command[]): Submitter {
  for (const command of commands) {
    if (command.type === 'submitTransfer') return command.terms.debtor;
    if ('bank' in command) return command.bank;
    if ('by' in command) return command.by;
  }
  return 'core';
}

function encodeBatch(stampMs: number, batch: readonly Submission[]): Uint8Array {
  const commands = batch.length === 1 ? (batch[0]?.commands ?? []) : batch.flatMap((submission) => submission.commands);
  return encodeEntry({ version: 1, stampMs, clockProtected: false, commands });
}

/** Rejects a submission that has no bytes: whoever asked for it learns of the bug, and nobody else does. */
function isWritable(stampMs: number, submission: Submission): boolean {
  try {
    encodeBatch(stampMs, [submission]);
    return true;
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    submission.reject(error);
    return false;
  }
}

/** Version, salt and counter: no two entries have them in common. */
const nameOf = (data: Uint8Array): string =>
  Buffer.from(data.buffer, data.byteOffset, Math.min(data.length, 41)).toString('latin1');

const REPLICA_CODES: ReadonlySet<string> = new Set<ReplicaErrorCode>([
  'NOT_LEADER',
  'PROPOSAL_DROPPED',
  'OVERLOADED',
  'UNCERTAIN',
  'STOPPED',
]);

const codeOf = (error: unknown): string => (error instanceof ReplicaError ? error.code : '');

const uncertain = (cause?: unknown): SubmitError =>
  new SubmitError('UNCERTAIN', 'it is not certain that this was taken; send again with the same ids', { cause });

function submitError(cause: unknown): SubmitError {
  switch (codeOf(cause)) {
    case 'OVERLOADED':
      return new SubmitError('OVERLOADED', 'too many entries wait; send again with the same ids', { cause });
    case 'NOT_LEADER':
    case 'PROPOSAL_DROPPED':
      return new SubmitError('NOT_LEADER', 'no leader can take this now; send again with the same ids', { cause });
    case 'STOPPED':
      return new SubmitError('STOPPING', 'the core is stopping', { cause });
    default:
      return uncertain(cause);
  }
}
