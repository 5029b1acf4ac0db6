/**
 * Any node takes what clients send: the leader proposes it, another hands it to the leader and waits until it has applied the
 * answer itself, so that what a client reads next on the same node has it. Where nobody leads for a moment, it waits, within
 * bounds, and asks again only for what was certainly not taken.
 */
import { type Committed, SubmitError } from '../core-service.ts';
import type { Command } from '../settlement/command.ts';
import { decodeAnswer, encodeSubmission } from './submit-codec.ts';
import type { Timers } from './timers.ts';
import type { Waiters } from './waiters.ts';

export type ForwarderOptions = Readonly<{
  /** How long a submission waits for somebody to lead, in ms. Default 5,000. */
  leaderWaitMs?: number;
  /** How long the leader's answer may take, and this node to apply it, in ms. Default 15,000. */
  answerTimeoutMs?: number;
  /** Submissions on their way to the leader, after which more are refused. Default 4,096. */
  maxForwarded?: number;
}>;

export type ForwarderDependencies = Readonly<{
  /** This node leads and may propose. */
  leads: () => boolean;
  /** Raft id of the leader that this node follows; nothing while it knows none, or is about to lead itself. */
  leader: () => number | undefined;
  submitHere: (commands: readonly Command[]) => Promise<Committed[]>;
  /** Rejects with a code: `UNREACHABLE` if it was certainly not sent, anything else if it may have been. */
  request: (raftId: number, body: Uint8Array, timeoutMs: number) => Promise<Uint8Array>;
  /** Of the applied index. */
  applied: Waiters;
  timers: Timers;
  monotonicMs: () => number;
}>;

const PAUSE_MS = 25;

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';

const nobodyLeads = (): SubmitError =>
  new SubmitError('NOT_LEADER', 'no leader can take this now; send again with the same ids');
const uncertain = (cause?: unknown): SubmitError =>
  new SubmitError('UNCERTAIN', 'it is not certain that this was taken; send again with the same ids', { cause });

export class Forwarder {
  readonly #limits: Required<ForwarderOptions>;
  readonly #uses: ForwarderDependencies;
  #forwarded = 0;

  constructor(options: ForwarderOptions, dependencies: ForwarderDependencies) {
    this.#limits = {
      leaderWaitMs: options.leaderWaitMs ?? 5_000,
      answerTimeoutMs: options.answerTimeoutMs ?? 15_000,
      maxForwarded: options.maxForwarded ?? 4_096,
    };
    this.#uses = dependencies;
  }

  /** @throws SubmitError */
  async submit(commands: readonly Command[]): Promise<Committed[]> {
    const deadline = this.#uses.monotonicMs() + this.#limits.leaderWaitMs;
    for (;;) {
      const taken = await this.#try(commands);
      if (taken) return taken;
      if (this.#uses.monotonicMs() >= deadline) throw nobodyLeads();
      await new Promise<void>((resolve) => void this.#uses.timers.after(PAUSE_MS, resolve));
    }
  }

  /** Nothing when it was certainly not taken, and may be tried again. */
  async #try(commands: readonly Command[]): Promise<Committed[] | undefined> {
    const { leads, leader, submitHere } = this.#uses;
    if (leads()) {
      return submitHere(commands).catch((error: unknown) => {
        if (codeOf(error) !== 'NOT_LEADER') throw error;
        return undefined;
      });
    }
    const to = leader();
    return to === undefined ? undefined : this.#forward(to, commands);
  }

  async #forward(leader: number, commands: readonly Command[]): Promise<Committed[] | undefined> {
    const { maxForwarded, answerTimeoutMs } = this.#limits;
    if (this.#forwarded >= maxForwarded) {
      throw new SubmitError(
        'OVERLOADED',
        'too many submissions are on their way to the leader; send again with the same ids',
      );
    }
    this.#forwarded += 1;
    try {
      const body = await this.#uses.request(leader, encodeSubmission(commands), answerTimeoutMs);
      const answer = decodeAnswer(body);
      if ('committed' in answer) return await this.#applied(answer.committed);
      if (answer.refused.code !== 'NOT_LEADER') throw answer.refused;
      return undefined;
    } catch (error) {
      if (error instanceof SubmitError) throw error;
      if (codeOf(error) === 'UNREACHABLE') return undefined;
      throw uncertain(error);
    } finally {
      this.#forwarded -= 1;
    }
  }

  async #applied(committed: readonly Committed[]): Promise<Committed[]> {
    const seqno = Math.max(0, ...new Set(committed.map(({ transactionId }) => Number(transactionId.split('.')[1]))));
    if (await this.#uses.applied.reach(seqno, this.#limits.answerTimeoutMs)) return [...committed];
    throw uncertain();
  }
}
