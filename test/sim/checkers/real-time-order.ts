/**
 * Linearizability by witness, checked as each answer arrives: every answer names the place in the log where it took
 * effect, so places must follow the order of real time, and what was answered must be what the ledger says there.
 */
import { Violation } from './violation.ts';

/** Newest place in the log that was answered before an operation was called. */
export type Floor = number;

export class RealTimeOrder {
  #answered = 0;

  /** To be taken when an operation is called. */
  floor(): Floor {
    return this.#answered;
  }

  /** A read was answered with the state as of `index`. */
  read(floor: Floor, index: number): void {
    if (index < floor) {
      throw new Violation(
        'real-time-order',
        `a read saw entry ${index}; entry ${floor} was answered before it was asked`,
      );
    }
    this.#answered = Math.max(this.#answered, index);
  }

  /** A write was answered that took effect at `index`. */
  write(floor: Floor, index: number): void {
    if (index <= floor) {
      throw new Violation(
        'real-time-order',
        `a write stands at ${index}; entry ${floor} was answered before it was asked`,
      );
    }
    this.#answered = Math.max(this.#answered, index);
  }
}
