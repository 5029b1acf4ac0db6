/**
 * What waits to be proposed, in a lane for each submitter. Lanes have turns of so many commands, so that a submitter with
 * little to do does not wait for one with much; within a lane the order is that of submission. The core's own commands,
 * evidence, deadlines and amendments, have a lane of their own, with room that no bank can take.
 */
import type { ParticipantId } from '@drawbridge/protocol/ids';

/** Whose lane: a participant, or the core itself. */
export type Submitter = ParticipantId | 'core';

/** In commands. */
export type FairQueueLimits = Readonly<{
  /** That wait in all; beyond it a submitter has only its guaranteed room. */
  maxQueued: number;
  /** That wait of one submitter. */
  maxQueuedPerSubmitter: number;
  /** Of one turn. */
  turn: number;
}>;

/** Commands of one submitter that have room however many wait of others; as many as one batch of the API. */
const GUARANTEED_COMMANDS = 1_000;
/** The same for the core. */
const RESERVED_FOR_CORE = 4_096;

type Item = Readonly<{ commands: readonly unknown[] }>;

class Lane<T extends Item> {
  /** Commands that wait. */
  waiting = 0;
  /** Commands that it may still take in this turn; what a large submission needs adds up over turns. */
  credit = 0;
  hasTurn = false;
  #items: T[] = [];
  #next = 0;

  push(item: T): void {
    this.#items.push(item);
    this.waiting += item.commands.length;
  }

  first(): T | undefined {
    return this.#items[this.#next];
  }

  drop(item: T): void {
    this.#next += 1;
    this.waiting -= item.commands.length;
    this.credit -= item.commands.length;
    // Halves what is kept, so that taking costs the same however many wait.
    if (this.#next * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#next);
      this.#next = 0;
    }
  }

  rest(): T[] {
    return this.#items.slice(this.#next);
  }
}

export class FairQueue<T extends Item> {
  readonly #limits: FairQueueLimits;
  /** Those with something that waits; the first one has its turn. */
  readonly #lanes = new Map<Submitter, Lane<T>>();
  #waiting = 0;

  constructor(limits: FairQueueLimits) {
    for (const [name, value] of Object.entries(limits)) {
      if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} must be a whole number above 0`);
    }
    this.#limits = limits;
  }

  get empty(): boolean {
    return this.#lanes.size === 0;
  }

  /**
   * Takes all of them or none. @returns false where there is no room. Of whom nothing waits, there is room for one submission of
   * any size.
   */
  push(submitter: Submitter, ...items: readonly T[]): boolean {
    const more = items.reduce((sum, { commands }) => sum + commands.length, 0);
    const lane = this.#lanes.get(submitter);
    if (lane && !this.#hasRoom(submitter, lane.waiting, more)) return false;
    const into = lane ?? new Lane<T>();
    if (!lane) this.#lanes.set(submitter, into);
    for (const item of items) into.push(item);
    this.#waiting += more;
    return true;
  }

  #hasRoom(submitter: Submitter, waiting: number, more: number): boolean {
    const { maxQueued, maxQueuedPerSubmitter } = this.#limits;
    if (submitter === 'core') {
      return waiting + more <= RESERVED_FOR_CORE || this.#waiting + more <= maxQueued + RESERVED_FOR_CORE;
    }
    if (waiting + more > maxQueuedPerSubmitter) return false;
    return waiting + more <= GUARANTEED_COMMANDS || this.#waiting + more <= maxQueued;
  }

  /** What goes next, in turns; at most so many commands, unless the first item alone has more. */
  take(maxCommands: number): T[] {
    const taken: T[] = [];
    let commands = 0;
    for (const [submitter, lane] of this.#lanes) {
      if (!lane.hasTurn) {
        lane.hasTurn = true;
        lane.credit += this.#limits.turn;
      }
      for (let item = lane.first(); item && item.commands.length <= lane.credit; item = lane.first()) {
        if (taken.length > 0 && commands + item.commands.length > maxCommands) return taken;
        lane.drop(item);
        taken.push(item);
        commands += item.commands.length;
        this.#waiting -= item.commands.length;
      }
      lane.hasTurn = false;
      // To the end of the line, which this loop comes to again.
      this.#lanes.delete(submitter);
      if (lane.first()) this.#lanes.set(submitter, lane);
    }
    return taken;
  }

  /** Takes all. */
  clear(): T[] {
    const all = [...this.#lanes.values()].flatMap((lane) => lane.rest());
    this.#lanes.clear();
    this.#waiting = 0;
    return all;
  }
}
