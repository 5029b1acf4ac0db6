/** The events of one vault that the core has not taken yet, in the order of the vault's counter. */
import type { FollowedEvent } from './vault-event-source.ts';

export type TrackedEvent<Raw> = {
  readonly event: FollowedEvent<Raw>;
  bytes: Uint8Array | undefined;
  builtAtMs: number;
  offered: boolean;
};

export class VaultTrack<Raw> {
  readonly vault: string;
  #fromBlock: number;
  #expectedSeq: number;
  #events: TrackedEvent<Raw>[] = [];
  #overflowed = false;
  readonly #maxEvents: number;

  /** The core expects event `nextEventSeq`, which stands at or after block `fromBlock`. */
  constructor(vault: string, cursor: { nextEventSeq: number; fromBlock: number }, maxEvents: number) {
    this.vault = vault;
    this.#expectedSeq = cursor.nextEventSeq;
    this.#fromBlock = cursor.fromBlock;
    this.#maxEvents = maxEvents;
  }

  /** Where reading begins for the event that the core expects. */
  get fromBlock(): number {
    return this.#fromBlock;
  }

  /** The counter of the next event to be read. */
  get expectedSeq(): number {
    return this.#expectedSeq;
  }

  get size(): number {
    return this.#events.length;
  }

  /**
   * The core moved on: what it knows is forgotten. False when it went back (a ledger that was recovered) to an event
   * that was forgotten here: then reading begins anew.
   */
  advance(nextSeq: number, fromBlock: number): boolean {
    const oldest = this.#events[0]?.event.seq ?? this.#expectedSeq;
    if (nextSeq < oldest) return false;
    this.#events = this.#events.filter(({ event }) => event.seq >= nextSeq);
    this.#expectedSeq = Math.max(this.#expectedSeq, nextSeq);
    this.#fromBlock = fromBlock;
    return true;
  }

  /** Events were left out for want of room, and there is room again: their blocks have to be read once more. */
  claimRereading(): boolean {
    if (!this.#overflowed || this.#events.length > this.#maxEvents / 2) return false;
    this.#overflowed = false;
    return true;
  }

  /** `known`: read before, or the core has it. `gap`: events before this one are missing. `full`: no room. */
  take(event: FollowedEvent<Raw>): 'taken' | 'known' | 'gap' | 'full' {
    if (event.seq < this.#expectedSeq) return 'known';
    if (this.#events.length >= this.#maxEvents) this.#overflowed = true;
    if (this.#overflowed) return 'full';
    if (event.seq > this.#expectedSeq) return 'gap';
    this.#events.push({ event, bytes: undefined, builtAtMs: 0, offered: false });
    this.#expectedSeq += 1;
    return 'taken';
  }

  unbuilt(): TrackedEvent<Raw>[] {
    return this.#events.filter(({ bytes }) => bytes === undefined);
  }

  /** Built and not offered, up to the first that is not built. */
  ready(): TrackedEvent<Raw>[] {
    const firstUnbuilt = this.#events.findIndex(({ bytes }) => bytes === undefined);
    const prefix = firstUnbuilt === -1 ? this.#events : this.#events.slice(0, firstUnbuilt);
    return prefix.filter(({ offered }) => !offered);
  }

  offered(): TrackedEvent<Raw>[] {
    return this.#events.filter(({ offered }) => offered);
  }

  /** The blocks that the held events stand in, each once. */
  blocks(): Pick<FollowedEvent<Raw>, 'blockNumber' | 'blockHash'>[] {
    return [...new Map(this.#events.map(({ event }) => [event.blockHash, event])).values()];
  }
}
