/**
 * Batches commands into log entries. What is submitted in one turn of the event loop, or while an earlier entry is on its
 * way to the disk, becomes one entry: under load the cost of a write is shared by all that wait for it. Where more waits
 * than an entry takes, banks take turns.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ReplicaError, type ReplicaErrorCode } from '../consensus/replica-error.ts';
import { type Committed, SubmitError } from '../core-service.ts';
import type { Applied } from '../settlement/apply.ts';
import { encodeEntry } from '../settlement/codec.ts';
import type { Command, Entry, Outcome } from '../settlement/command.ts';
import { MAX_COMMANDS_PER_ENTRY } from '../settlement/limits.ts';
import type { Transfer } from '../settlement/record.ts';
import { CodecError } from '../settlement/tuples.ts';
import type { ClockReading } from './clock-samples.ts';
import { FairQueue, type Submitter } from './fair-queue.ts';
import type { AppliedEntry } from './replicated-machine.ts';

export type ProposerOptions = Readonly<{
  /** Commands in one entry; a submission of more becomes several. Default 2,048. */
  maxCommandsPerEntry?: number;
  /** Entries proposed and not yet applied. Default 1: the next one gathers meanwhile. Behind an amendment nothing is. */
  maxEntriesInFlight?: number;
  /** Commands that wait, after which each bank has only its guaranteed room (`fair-queue.ts`). Default 50,000. */
  maxQueuedCommands?: number;
  /** Commands of one bank that wait, after which its submissions are refused. Default 10,000. */
  maxQueuedCommandsPerBank?: number;
}>;

/** Amendments that wait; each is signed by hand. */
const MAX_QUEUED_AMENDMENTS = 64;
/** Of one bank in a row, where several have something that waits: this part of an entry. */
const TURNS_PER_ENTRY = 32;

export const MAX_ENTRIES_IN_FLIGHT = 64;
export const DEFAULT_COMMANDS_PER_ENTRY = 2_048;

export type ProposerDependencies = Readonly<{
  /** Bytes of the log entry, sealed where it is to be. */
  seal: (entry: Entry) => Uint8Array;
  /** Hands an entry to Raft; settles after it is applied. Rejects with `ReplicaError`. */
  propose: (data: Uint8Array) => Promise<Readonly<{ index: number; term: number }>>;
  /** Stamp of the last applied entry, Unix ms. */
  appliedStampMs: () => number;
  /** Time as the ledger should have it now. */
  clock: () => ClockReading;
  /** Protocol version of the next entry. */
  version: () => number;
  /** Resolves when history and ledger have caught up enough to take more. */
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
  /** Amendments: each is an entry of its own, which can be read without keys. */
  readonly #amendments: Submission[] = [];
  /** Entries on their way. */
  readonly #inFlight = new Set<readonly Submission[]>();
  /**
   * An amendment is on its way. It may change the protocol version, and an entry of the old one behind it would be wrong on
   * every node.
   */
  #amending = false;
  /** Outcomes of what was applied while something is on its way, by index. */
  readonly #outcomes = new Map<number, Readonly<{ term: number; applied: Applied }>>();
  #lastStampMs = 0;
  #pumping = false;
  #closed: SubmitError | undefined;

  constructor(options: ProposerOptions, dependencies: ProposerDependencies) {
    const inFlight = options.maxEntriesInFlight ?? 1;
    if (!Number.isSafeInteger(inFlight) || inFlight < 1 || inFlight > MAX_ENTRIES_IN_FLIGHT) {
      throw new RangeError(`maxEntriesInFlight must be 1 to ${MAX_ENTRIES_IN_FLIGHT}`);
    }
    this.#limits = {
      maxCommandsPerEntry: options.maxCommandsPerEntry ?? DEFAULT_COMMANDS_PER_ENTRY,
      maxEntriesInFlight: inFlight,
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
    return this.#nothingWaits && this.#inFlight.size === 0;
  }

  get #nothingWaits(): boolean {
    return this.#queue.empty && this.#amendments.length === 0;
  }

  /**
   * @throws SubmitError `OVERLOADED`, `NOT_LEADER`, `STOPPING`; `UNCERTAIN` once the entry was proposed; CodecError for
   * a command that cannot be written down, which is a bug of the caller's. Where a part of a submission of several entries
   * was taken, or may have been, and another was not, `UNCERTAIN`.
   */
  submit(commands: readonly Command[]): Promise<Committed[]> {
    if (this.#closed) return Promise.reject(this.#closed);
    if (commands.length === 0) return Promise.resolve([]);
    if (commands.length > MAX_COMMANDS_PER_ENTRY) {
      return Promise.reject(new RangeError(`at most ${MAX_COMMANDS_PER_ENTRY} commands in one submission`));
    }
    const amendments = commands.filter(({ type }) => type === 'amendment').length;
    if (amendments > 0 && amendments < commands.length) {
      return Promise.reject(new RangeError('amendments are submitted without other commands'));
    }
    const { maxCommandsPerEntry } = this.#limits;
    const parts = amendments > 0 ? [commands] : partsOf(commands, maxCommandsPerEntry);
    const [items, answers] = waitingFor(parts);
    if (!this.#take(items, amendments > 0)) {
      return Promise.reject(new SubmitError('OVERLOADED', 'too many commands wait; send again with the same ids'));
    }
    this.#pump();
    return answers.length === 1 && answers[0] ? answers[0] : wholeOf(answers);
  }

  #take(items: readonly Submission[], areAmendments: boolean): boolean {
    if (!areAmendments) return this.#queue.push(submitterOf(items[0]?.commands ?? []), ...items);
    if (this.#amendments.length >= MAX_QUEUED_AMENDMENTS) return false;
    this.#amendments.push(...items);
    return true;
  }

  /** Notes what these entries did, for whoever waits for them. */
  settle(entries: readonly AppliedEntry[]): void {
    if (this.#inFlight.size === 0) return;
    for (const { index, term, applied } of entries) {
      if (applied) this.#outcomes.set(index, { term, applied });
    }
  }

  /** Takes nothing more; resolves when what was taken is answered. */
  async close(): Promise<void> {
    this.#closed ??= new SubmitError('STOPPING', 'the core is stopping');
    while (!this.idle) await nextTurn();
  }

  /** Ends at once. */
  abort(): void {
    this.#closed ??= new SubmitError('STOPPING', 'the core has stopped');
    for (const batch of this.#inFlight) for (const { reject } of batch) reject(uncertain());
    this.#inFlight.clear();
    for (const { reject } of [...this.#queue.clear(), ...this.#amendments.splice(0)]) reject(this.#closed);
  }

  #pump(): void {
    if (this.#pumping || this.#nothingWaits) return;
    if (this.#amending || this.#inFlight.size >= this.#limits.maxEntriesInFlight) return;
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
    const amendment = this.#amendments.shift();
    let batch = amendment ? [amendment] : this.#queue.take(this.#limits.maxCommandsPerEntry);
    if (batch.length === 0) return;
    const { stampMs, clockProtected } = this.#uses.clock();
    const head = {
      version: this.#uses.version(),
      stampMs: Math.max(stampMs, this.#lastStampMs, this.#uses.appliedStampMs()),
      clockProtected,
    };
    this.#lastStampMs = head.stampMs;
    let data: Uint8Array;
    try {
      data = this.#uses.seal(entryOf(head, batch));
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      batch = batch.filter((submission) => isWritable(head, submission));
      if (batch.length === 0) return;
      data = this.#uses.seal(entryOf(head, batch));
    }
    const sent = batch;
    this.#amending = amendment !== undefined;
    this.#inFlight.add(sent);
    this.#uses.propose(data).then(
      (at) => this.#answer(sent, at),
      (error: unknown) => this.#refuse(sent, error),
    );
  }

  #answer(batch: readonly Submission[], { index, term }: Readonly<{ index: number; term: number }>): void {
    const found = this.#outcomes.get(index);
    this.#outcomes.delete(index);
    if (this.#landed(batch)) {
      if (found?.term !== term) {
        this.#uses.onFailure(new Error(`entry ${index} was applied and left no outcomes`));
        return;
      }
      const { outcomes, records } = found.applied;
      const versions = new VersionsInOrder(records.transfers);
      let next = 0;
      for (const { commands, resolve } of batch) {
        const committed = commands.map((command, at): Committed => {
          const outcome = outcomes[next + at];
          if (!outcome) throw new RangeError(`entry ${index} has fewer outcomes than commands`);
          const transfer = versions.leftBy(command, outcome);
          return { outcome, transactionId: `${term}.${index}`, ...(transfer && { transfer }) };
        });
        next += commands.length;
        resolve(committed);
      }
    }
    this.#pump();
  }

  /** Raft did not take the entry, lost it, or does not know. */
  #refuse(batch: readonly Submission[], error: unknown): void {
    if (this.#landed(batch)) {
      const refusal = submitError(error);
      for (const { reject } of batch) reject(refusal);
    }
    if (!REPLICA_CODES.has(codeOf(error))) this.#uses.onFailure(error);
    this.#pump();
  }

  /** False when it was given up meanwhile. */
  #landed(batch: readonly Submission[]): boolean {
    const was = this.#inFlight.delete(batch);
    // What was proposed before an amendment lands before it, in the order of the log.
    if (batch[0] && amends(batch[0])) this.#amending = false;
    if (this.#inFlight.size === 0) this.#outcomes.clear();
    return was;
  }
}

/** What an entry left of its transfers, taken in the order of its commands. */
class VersionsInOrder {
  readonly #versions: readonly Transfer[];
  #next = 0;

  constructor(versions: readonly Transfer[]) {
    this.#versions = versions;
  }

  /** The newest version that the submission of a transfer left; nothing for other commands, or where none is found. */
  leftBy(command: Command, outcome: Outcome): Transfer | undefined {
    if (command.type !== 'submitTransfer' || !outcome.ok || outcome.repeated) return undefined;
    const { id, debtor } = command.terms;
    const isOwn = (version: Transfer | undefined): version is Transfer =>
      version?.terms.id === id && version.terms.debtor === debtor;
    let at = this.#next;
    while (at < this.#versions.length && !isOwn(this.#versions[at])) at += 1;
    let newest: Transfer | undefined;
    for (let own = this.#versions[at]; isOwn(own); own = this.#versions[at]) {
      newest = own;
      at += 1;
    }
    if (newest) this.#next = at;
    return newest;
  }
}

function partsOf(commands: readonly Command[], size: number): (readonly Command[])[] {
  const parts: (readonly Command[])[] = [];
  for (let at = 0; at < commands.length; at += size) parts.push(commands.slice(at, at + size));
  return parts;
}

function waitingFor(parts: readonly (readonly Command[])[]): [Submission[], Promise<Committed[]>[]] {
  const items: Submission[] = [];
  const answers = parts.map(
    (commands) => new Promise<Committed[]>((resolve, reject) => void items.push({ commands, resolve, reject })),
  );
  return [items, answers];
}

/** Refused as a whole only where all of it was certainly not taken. @throws as `submit` */
async function wholeOf(parts: readonly Promise<Committed[]>[]): Promise<Committed[]> {
  const settled = await Promise.allSettled(parts);
  const refusals = settled.flatMap((part): unknown[] => (part.status === 'rejected' ? [part.reason] : []));
  if (refusals.length === 0) return settled.flatMap((part) => (part.status === 'fulfilled' ? part.value : []));
  const bug = refusals.find((reason) => !(reason instanceof SubmitError));
  if (bug !== undefined) throw bug;
  const noneTaken =
    refusals.length === settled.length && !refusals.some((reason) => codeOfRefusal(reason) === 'UNCERTAIN');
  throw noneTaken ? refusals[0] : uncertain(refusals[0]);
}

const codeOfRefusal = (reason: unknown): string => (reason instanceof SubmitError ? reason.code : '');

const amends = ({ commands }: Submission): boolean => commands[0]?.type === 'amendment';

/** Whose lane a submission waits in: the first participant's that its commands name; else they are the core's own. */
function submitterOf(commands: readonly Command[]): Submitter {
  for (const command of commands) {
    if (command.type === 'submitTransfer') return command.terms.debtor;
    if ('bank' in command) return command.bank;
    if ('by' in command) return command.by;
  }
  return 'core';
}

type EntryHead = Omit<Entry, 'commands'>;

function entryOf(head: EntryHead, batch: readonly Submission[]): Entry {
  const commands = batch.length === 1 ? (batch[0]?.commands ?? []) : batch.flatMap((submission) => submission.commands);
  return { ...head, commands };
}

/** Rejects a submission that has no bytes: whoever asked for it learns of the bug, and nobody else does. */
function isWritable(head: EntryHead, submission: Submission): boolean {
  try {
    encodeEntry(entryOf(head, [submission]));
    return true;
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    submission.reject(error);
    return false;
  }
}

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
