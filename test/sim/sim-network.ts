/**
 * A network between machines that loses, delays, repeats and reorders what it carries, and can be cut, also one way.
 * It never forges and never changes a message: on the wire that is TLS's part.
 */
import type { Random } from './random.ts';
import type { VirtualClock } from './virtual-clock.ts';

export type NetworkCounts = {
  sent: number;
  dropped: number;
  duplicated: number;
  delayed: number;
  reordered: number;
  cut: number;
};

export type NetworkOptions = {
  /** Mean of a message's time on the way, in µs, beyond a fixed part of a tenth of it. */
  delayUs: number;
  /** Probabilities for each delivery. */
  drop: number;
  duplicate: number;
  /** A message takes a hundred times the usual time. */
  late: number;
  /** Messages of one link overtake each other. Else a link is a stream, as one TCP connection is. */
  reorders: boolean;
};

type Ends = Readonly<{ deliver: () => void; lost: () => void }>;

/** Mean time until a sender hears that its connection is gone. */
const CONNECTION_LOST_US = 500_000;

export class SimNetwork {
  readonly counts: NetworkCounts = { sent: 0, dropped: 0, duplicated: 0, delayed: 0, reordered: 0, cut: 0 };
  /** May be changed while the world runs. */
  readonly options: NetworkOptions;
  readonly #clock: VirtualClock;
  readonly #random: Random;
  /** `from>to` of machines. */
  readonly #cut = new Set<string>();
  readonly #lastArrivalUs = new Map<string, number>();

  constructor(options: NetworkOptions, clock: VirtualClock, random: Random) {
    this.options = { ...options };
    this.#clock = clock;
    this.#random = random;
  }

  /** `deliver` runs when it arrives, perhaps twice; the answer is whether it is on its way at all. */
  carry(from: number, to: number, name: string, deliver: () => void): boolean {
    return this.#carry(from, to, name, { deliver, lost: () => undefined });
  }

  #carry(from: number, to: number, name: string, ends: Ends): boolean {
    this.counts.sent += 1;
    const { drop, duplicate } = this.options;
    if (this.isCut(from, to)) {
      this.counts.cut += 1;
      return false;
    }
    if (this.#random.chance(drop)) {
      this.counts.dropped += 1;
      return false;
    }
    this.#launch(from, to, name, ends);
    if (this.#random.chance(duplicate)) {
      this.counts.duplicated += 1;
      this.#launch(from, to, name, ends);
    }
    return true;
  }

  /**
   * As `carry`, for what travels on a connection: never repeated, and when it is lost so is the connection, which the
   * sender hears of.
   */
  carryOnce(from: number, to: number, name: string, ends: Readonly<{ deliver: () => void; lost: () => void }>): void {
    let ended = false;
    const once = (end: () => void) => (): void => {
      if (ended) return;
      ended = true;
      end();
    };
    const lost = (): void => {
      this.#clock.after(this.#random.exponential(CONNECTION_LOST_US), 'connection lost', once(ends.lost));
    };
    if (!this.#carry(from, to, name, { deliver: once(ends.deliver), lost })) lost();
  }

  #launch(from: number, to: number, name: string, ends: Ends): void {
    const { delayUs, late, reorders } = this.options;
    let delay = delayUs / 10 + this.#random.exponential(delayUs);
    if (this.#random.chance(late)) {
      this.counts.delayed += 1;
      delay *= 100;
    }
    const link = `${from}>${to}`;
    const last = this.#lastArrivalUs.get(link) ?? 0;
    let arrival = this.#clock.nowUs + delay;
    if (arrival < last) {
      if (reorders) this.counts.reordered += 1;
      else arrival = last;
    }
    this.#lastArrivalUs.set(link, Math.max(last, arrival));
    this.#clock.after(arrival - this.#clock.nowUs, name, () => {
      // What was on its way when the link was cut is lost with it.
      if (this.isCut(from, to)) {
        this.counts.cut += 1;
        ends.lost();
      } else {
        ends.deliver();
      }
    });
  }

  isCut(from: number, to: number): boolean {
    return this.#cut.has(`${from}>${to}`);
  }

  cutOneWay(from: number, to: number): void {
    if (from !== to) this.#cut.add(`${from}>${to}`);
  }

  /** Machines of different groups do not hear each other. */
  partition(groups: readonly (readonly number[])[]): void {
    for (const group of groups) {
      for (const other of groups) {
        if (group === other) continue;
        for (const from of group) for (const to of other) this.cutOneWay(from, to);
      }
    }
  }

  heal(): void {
    this.#cut.clear();
  }

  get isWhole(): boolean {
    return this.#cut.size === 0;
  }
}
