/**
 * The transactions of this process that are not final, each with the journal's record of it. A flight stays open until
 * its block is deep enough, so that a reorganisation finds it here and it is sent again.
 */
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import { parseSigned, type SignedTransaction } from './fee-key.ts';
import type { IntentJournal, IntentRecord } from './intent-journal.ts';

export type Flight = {
  /** The instruction's id, or `gap:<nonce>` for a transaction that only fills a nonce. */
  readonly key: string;
  readonly nonce: number;
  /** What was sent last; earlier ones of the same nonce may still be mined instead. */
  transaction: SignedTransaction;
  readonly hashes: Bytes32[];
  /** False while it waits for its turn to be sent. */
  sent: boolean;
  mined: { block: number; success: boolean } | undefined;
  /** Monotonic ms since when the node does not have it; `undefined` while it has. */
  absentSinceMs: number | undefined;
  /** Monotonic ms since when it is the next to be mined and is not. */
  headOfLineSinceMs: number | undefined;
  /** Looks at the ledger in a row that showed its nonce used by something else. */
  strikes: number;
};

/**
 * How a flight ended for whoever waits. `gone`: it is underway no more, for one reason or the other (its nonce went to
 * another transaction, it is final, it reverted): the ledger knows more. `waiting`: not yet.
 */
export type Settlement = Readonly<{ type: 'mined'; success: boolean } | { type: 'gone' } | { type: 'waiting' }>;

type Journal = Pick<IntentJournal, 'append' | 'openIntents'>;

export class FlightBook {
  readonly #journal: Journal;
  readonly #flights = new Map<string, Flight>();
  readonly #waiters = new Map<string, Set<(settlement: Settlement) => void>>();

  constructor(journal: Journal) {
    this.#journal = journal;
    for (const { key, nonce, raws } of journal.openIntents()) {
      const transactions = raws.map((raw) => parseSigned(raw));
      const last = transactions.at(-1);
      if (!last) continue;
      this.#flights.set(idOf(key, nonce), {
        ...newFlight(key, last),
        sent: true,
        hashes: transactions.map(({ hash }) => hash),
      });
    }
  }

  get size(): number {
    return this.#flights.size;
  }

  /** Those that no block holds: what a node's pool has of this account. */
  get unminedCount(): number {
    return this.inNonceOrder().filter(({ mined }) => !mined).length;
  }

  inNonceOrder(): Flight[] {
    return [...this.#flights.values()].sort((a, b) => a.nonce - b.nonce);
  }

  /** One more than the highest nonce that is underway; 0 when none is. */
  get nextNonce(): number {
    return Math.max(-1, ...[...this.#flights.values()].map(({ nonce }) => nonce)) + 1;
  }

  /** The flight that may still bring the instruction about: one that is mined and reverted does not. */
  current(key: string): Flight | undefined {
    return this.inNonceOrder().findLast((flight) => flight.key === key && flight.mined?.success !== false);
  }

  /** On the disk before this resolves: only then may they be sent. */
  async depart(departures: readonly Readonly<{ key: string; transaction: SignedTransaction }>[]): Promise<Flight[]> {
    await this.#journal.append(departures.map(({ key, transaction }) => sent(key, transaction)));
    return departures.map(({ key, transaction }) => {
      const flight = newFlight(key, transaction);
      this.#flights.set(idOf(key, transaction.nonce), flight);
      return flight;
    });
  }

  /** The same nonce with other fees; on the disk before this resolves. */
  async replace(flight: Flight, transaction: SignedTransaction): Promise<void> {
    await this.#journal.append([sent(flight.key, transaction)]);
    flight.transaction = transaction;
    flight.hashes.push(transaction.hash);
  }

  /** Nothing more can come of these. */
  async close(flights: readonly Flight[]): Promise<void> {
    if (flights.length === 0) return;
    for (const { key, nonce } of flights) this.#flights.delete(idOf(key, nonce));
    await this.#journal.append(flights.map(({ key, nonce }) => ({ op: 'closed', key, nonce })));
  }

  settle(key: string, settlement: Settlement): void {
    for (const resolve of this.#waiters.get(key) ?? []) resolve(settlement);
    this.#waiters.delete(key);
  }

  /** Resolves when the instruction's flight ends one way or the other, or with `waiting` at the time or the signal. */
  settled(key: string, { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal }): Promise<Settlement> {
    const flight = this.current(key);
    if (!flight) return Promise.resolve({ type: 'gone' });
    if (flight.mined) return Promise.resolve({ type: 'mined', success: flight.mined.success });
    if (signal.aborted) return Promise.resolve({ type: 'waiting' });
    return new Promise((resolve) => {
      const waiters = this.#waiters.get(key) ?? new Set();
      this.#waiters.set(key, waiters);
      const finish = (settlement: Settlement): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
        waiters.delete(finish);
        resolve(settlement);
      };
      const giveUp = (): void => finish({ type: 'waiting' });
      const timer = setTimeout(giveUp, timeoutMs);
      signal.addEventListener('abort', giveUp);
      waiters.add(finish);
    });
  }
}

const idOf = (key: string, nonce: number): string => `${key} ${nonce}`;
const sent = (key: string, { raw, nonce }: SignedTransaction): IntentRecord => ({ op: 'sent', key, raw, nonce });

function newFlight(key: string, transaction: SignedTransaction): Flight {
  return {
    key,
    nonce: transaction.nonce,
    transaction,
    hashes: [transaction.hash],
    sent: false,
    mined: undefined,
    absentSinceMs: undefined,
    headOfLineSinceMs: undefined,
    strikes: 0,
  };
}
