/**
 * Time of the ledger (DESIGN §5): a leader whose clock is more than 2 s away from the lower median of the voters' stamps the
 * median instead. Without samples of a majority it stamps its own and says that nobody bounded it.
 */

/** Age after which a sample counts no more, in ms. */
export const MAX_SAMPLE_AGE_MS = 10_000;
/** Distance from the median that a leader's own clock may have, in ms. */
export const MAX_CLOCK_DISTANCE_MS = 2_000;

/** `clockMs` is the peer's Unix ms, `takenMs` the own monotonic ms at which it came. */
type Sample = Readonly<{ clockMs: number; takenMs: number }>;

export type ClockReading = Readonly<{ stampMs: number; clockProtected: boolean }>;

export class ClockSamples {
  readonly #samples = new Map<number, Sample>();

  /** @param raftId the authenticated sender */
  take(raftId: number, sample: Sample): void {
    this.#samples.set(raftId, sample);
  }

  forget(keep: (raftId: number) => boolean): void {
    for (const raftId of this.#samples.keys()) if (!keep(raftId)) this.#samples.delete(raftId);
  }

  /** @param now own Unix ms and own monotonic ms */
  read(self: number, voters: readonly number[], now: Readonly<{ clockMs: number; monotonicMs: number }>): ClockReading {
    const clocks: number[] = [];
    for (const voter of voters) {
      if (voter === self) clocks.push(now.clockMs);
      const sample = voter === self ? undefined : this.#samples.get(voter);
      const ageMs = sample ? now.monotonicMs - sample.takenMs : Number.POSITIVE_INFINITY;
      if (sample && ageMs >= 0 && ageMs <= MAX_SAMPLE_AGE_MS) clocks.push(sample.clockMs + ageMs);
    }
    const isMajority = clocks.length * 2 > voters.length;
    if (voters.length < 2 || !isMajority) return { stampMs: Math.floor(now.clockMs), clockProtected: false };
    clocks.sort((a, b) => a - b);
    const median = clocks[Math.floor((clocks.length - 1) / 2)] ?? now.clockMs;
    const isNear = Math.abs(now.clockMs - median) <= MAX_CLOCK_DISTANCE_MS;
    return { stampMs: Math.floor(isNear ? now.clockMs : median), clockProtected: true };
  }
}
