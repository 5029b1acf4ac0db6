/** Time of a simulated world: a queue of what happens when. Nothing waits; the next event is now. */

export type Cancel = () => void;

type Event = { readonly atUs: number; readonly order: number; readonly name: string; run: (() => void) | null };

export type Due = Readonly<{ name: string; run: () => void }>;

/** Events at one time run in the order in which they were scheduled. */
const isBefore = (a: Event, b: Event): boolean => a.atUs < b.atUs || (a.atUs === b.atUs && a.order < b.order);

export class VirtualClock {
  /** A binary heap, soonest first. */
  readonly #heap: Event[] = [];
  #nowUs = 0;
  #order = 0;

  /** Microseconds since the world began. */
  get nowUs(): number {
    return this.#nowUs;
  }

  after(delayUs: number, name: string, run: () => void): Cancel {
    this.#order += 1;
    const event: Event = { atUs: this.#nowUs + Math.max(0, Math.round(delayUs)), order: this.#order, name, run };
    this.#push(event);
    return () => {
      event.run = null;
    };
  }

  /** The next event; time has moved to it. */
  take(): Due | undefined {
    for (let event = this.#pop(); event; event = this.#pop()) {
      if (!event.run) continue;
      this.#nowUs = event.atUs;
      return { name: event.name, run: event.run };
    }
    return undefined;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (!parent || isBefore(parent, event)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || first === last) return first;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      const [left, right] = [heap[below], heap[below + 1]];
      if (!left) break;
      let child = left;
      if (right && isBefore(right, left)) {
        child = right;
        below += 1;
      }
      if (isBefore(last, child)) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
    return first;
  }
}
