/**
 * The leader's duty to sign the ledger: at once after each commit while the ledger is quiet, under load at least every
 * 1,000 entries or 50 ms, and at once when someone waits for a receipt or an instruction. Followers ask for nothing: what is
 * committed there is committed at the leader, which signs it.
 */

import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import type { SignatureEntry } from '@drawbridge/protocol/ledger/signature-entry';
import type { AppliedEntry } from './replicated-machine.ts';
import type { Timers } from './timers.ts';

export type SignatureDutyOptions = Readonly<{
  /** Longest time that an entry stays unsigned under load, in ms. Default 50. */
  signEveryMs?: number;
  /** Most entries between two signatures. Default 1,000. */
  signEveryEntries?: number;
}>;

export type SignatureDutyDependencies = Readonly<{
  nodeId: NodeId;
  /** ECDSA P-384 over the SHA-256 of the message, DER, by the node's key. */
  sign: (message: Uint8Array) => Promise<Uint8Array>;
  /** This node leads, and has applied an entry of its own term. */
  leads: () => boolean;
  /** Children of the root of the tree over all applied entries, and its size. */
  tree: () => Readonly<{ size: number; root: Uint8Array; children: readonly [Uint8Array, Uint8Array] }>;
  /** Settles when the entry is applied; rejects with `ReplicaError`. */
  propose: (entry: SignatureEntry) => Promise<unknown>;
  /** Term of the last applied entry. */
  view: () => number;
  timers: Timers;
  /** Monotonic, ms. */
  monotonicMs: () => number;
}>;

export class SignatureDuty {
  readonly #uses: SignatureDutyDependencies;
  readonly #everyMs: number;
  readonly #everyEntries: number;
  /** Newest entry that says something and that no proposed signature covers; 0 for none. */
  #unsigned = 0;
  #unsignedCount = 0;
  #urgent = false;
  #inFlight = false;
  #lastMs = Number.NEGATIVE_INFINITY;
  #cancelTimer: (() => void) | undefined;
  #stopped = false;

  constructor(options: SignatureDutyOptions, dependencies: SignatureDutyDependencies) {
    this.#uses = dependencies;
    this.#everyMs = options.signEveryMs ?? 50;
    this.#everyEntries = options.signEveryEntries ?? 1_000;
  }

  /** To be called with what was applied. Signatures themselves need none. */
  applied(entries: readonly AppliedEntry[]): void {
    for (const { index, signature } of entries) {
      if (!signature) {
        this.#unsigned = index;
        this.#unsignedCount += 1;
      } else if (signature.size > this.#unsigned) {
        this.#unsigned = 0;
        this.#unsignedCount = 0;
      }
    }
    this.#consider();
  }

  /** Someone waits for a signature. */
  hurry(): void {
    this.#urgent = true;
    this.#consider();
  }

  /** This node began to lead: what it finds unsigned is now its own to sign. */
  began(): void {
    this.#inFlight = false;
    this.#consider();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer?.();
  }

  #consider(): void {
    if (this.#stopped || this.#inFlight || this.#unsigned === 0 || !this.#uses.leads()) return;
    const sinceMs = this.#uses.monotonicMs() - this.#lastMs;
    if (this.#urgent || sinceMs >= this.#everyMs || this.#unsignedCount >= this.#everyEntries) {
      this.#sign();
      return;
    }
    this.#cancelTimer ??= this.#uses.timers.after(this.#everyMs - sinceMs, () => {
      this.#cancelTimer = undefined;
      this.#consider();
    });
  }

  #sign(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const { nodeId, sign, tree, view, monotonicMs } = this.#uses;
    const { size, root, children } = tree();
    this.#lastMs = monotonicMs();
    this.#urgent = false;
    this.#unsigned = 0;
    this.#unsignedCount = 0;
    this.#inFlight = true;
    // The root is the SHA-256 of its children, so a signature over them is one over the root as a digest already computed.
    const statement = { size, view: view(), root, nodeId };
    sign(Buffer.concat(children))
      .then((signature) => {
        // Who lost its place meanwhile and has it again says so of another view.
        if (this.#stopped || view() !== statement.view) throw new Error('the view has changed');
        return this.#uses.propose({ ...statement, signature });
      })
      .then(
        () => this.#ended(),
        () => this.#lost(size - 1),
      );
  }

  #ended(): void {
    this.#inFlight = false;
    this.#consider();
  }

  /** It was not taken: what it covered is unsigned again, for whoever leads next. */
  #lost(seqno: number): void {
    this.#inFlight = false;
    if (this.#stopped) return;
    this.#unsigned = Math.max(this.#unsigned, seqno);
    this.#unsignedCount = Math.max(this.#unsignedCount, 1);
    // Not at once: a leader that is losing its place would go round in a circle.
    this.#cancelTimer ??= this.#uses.timers.after(this.#everyMs, () => {
      this.#cancelTimer = undefined;
      this.#consider();
    });
  }
}
