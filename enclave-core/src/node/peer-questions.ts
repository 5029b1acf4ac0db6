/** Questions that any peer may answer: one that gives no answer, or none that is of use, is passed over for the next. */
import type { NodeLog } from '../node-log.ts';
import type { PeerMethod } from '../peers/peer-types.ts';
import { encodeSeqno } from './peer-requests.ts';
import type { Timers } from './timers.ts';

const REQUEST_TIMEOUT_MS = 30_000;
/** Pause after all peers were asked in vain. */
const RETRY_MS = 500;

export type PeerQuestionsDependencies = Readonly<{
  request: (raftId: number, method: PeerMethod, body: Uint8Array, timeoutMs: number) => Promise<Uint8Array>;
  /** Raft ids of the others, any of which may have the answer. */
  others: () => readonly number[];
  log: NodeLog;
  timers: Timers;
}>;

/** What a peer says of an entry; nothing where it is not reached or has nothing to say. */
export type Ask = (method: Exclude<PeerMethod, 'submit'>, seqno: number) => Promise<Uint8Array | undefined>;

/** A peer's answer is well formed and does not prove what it should. */
export class UnfitAnswerError extends Error {
  override readonly name = 'UnfitAnswerError';
  readonly code = 'UNFIT_ANSWER' as const;
}

export class PeerQuestions {
  readonly #uses: PeerQuestionsDependencies;
  readonly #first: number;
  readonly #signal: AbortSignal;
  /** Peer and what was wrong, as the log was told. */
  readonly #told = new Set<string>();

  /** @param first peer that is asked before the others */
  constructor(dependencies: PeerQuestionsDependencies, first: number, signal: AbortSignal) {
    this.#uses = dependencies;
    this.#first = first;
    this.#signal = signal;
  }

  /**
   * Asks one peer after the other, again and again, until `take` makes something of a peer's answers. Whatever it throws is
   * said of that peer's answers. @throws the signal's reason
   */
  async untilAnswered<T>(take: (ask: Ask) => Promise<T | undefined>): Promise<T> {
    for (;;) {
      for (const peer of [this.#first, ...this.#uses.others().filter((id) => id !== this.#first)]) {
        this.#signal.throwIfAborted();
        const taken = await take((method, seqno) => this.#ask(peer, method, seqno)).catch((error: unknown) =>
          this.#passOver(peer, error),
        );
        if (taken !== undefined) return taken;
      }
      await new Promise<void>((resolve) => void this.#uses.timers.after(RETRY_MS, resolve));
    }
  }

  async #ask(peer: number, method: PeerMethod, seqno: number): Promise<Uint8Array | undefined> {
    const { request } = this.#uses;
    const answer = await request(peer, method, encodeSeqno(seqno), REQUEST_TIMEOUT_MS).catch(() => undefined);
    return answer && answer.length > 0 ? answer : undefined;
  }

  #passOver(peer: number, error: unknown): undefined {
    const detail = error instanceof Error ? error.message : String(error);
    const told = `${peer} ${detail}`;
    if (this.#told.has(told)) return;
    this.#told.add(told);
    this.#uses.log.warn(
      { code: 'PEER_ANSWER_UNFIT', peer, detail },
      'what a peer answered is of no use; the next is asked',
    );
  }
}
