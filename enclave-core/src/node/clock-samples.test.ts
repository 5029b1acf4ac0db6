import { describe, expect, it } from '@jest/globals';
import { ClockSamples, MAX_CLOCK_DISTANCE_MS, MAX_SAMPLE_AGE_MS } from './clock-samples.ts';

const NOW = { clockMs: 1_000_000, monotonicMs: 50_000 };

function samples(clocks: Readonly<Record<number, number>>, takenMs = NOW.monotonicMs): ClockSamples {
  const taken = new ClockSamples();
  for (const [raftId, clockMs] of Object.entries(clocks)) taken.take(Number(raftId), { clockMs, takenMs });
  return taken;
}

describe('clock of the ledger', () => {
  it('is the own where nobody else votes, and says so', () => {
    expect(samples({ 2: 5 }).read(1, [1], NOW)).toEqual({ stampMs: NOW.clockMs, clockProtected: false });
  });

  it('is the own while it is near the lower median of the voters', () => {
    const near = samples({ 2: NOW.clockMs + MAX_CLOCK_DISTANCE_MS, 3: NOW.clockMs + 90_000 });
    expect(near.read(1, [1, 2, 3], NOW)).toEqual({ stampMs: NOW.clockMs, clockProtected: true });
  });

  it('is the median where the own is further away, early or late', () => {
    for (const away of [MAX_CLOCK_DISTANCE_MS + 1, -MAX_CLOCK_DISTANCE_MS - 1]) {
      const others = samples({ 2: NOW.clockMs + away, 3: NOW.clockMs + away });
      expect(others.read(1, [1, 2, 3], NOW)).toEqual({ stampMs: NOW.clockMs + away, clockProtected: true });
    }
  });

  it('takes the lower of the two in the middle', () => {
    const others = samples({ 2: NOW.clockMs - 50_000, 3: NOW.clockMs - 40_000, 4: NOW.clockMs + 10_000 });
    expect(others.read(1, [1, 2, 3, 4], NOW).stampMs).toBe(NOW.clockMs - 40_000);
  });

  it('lets a sample grow old with its own time, and forgets it after ten seconds', () => {
    const age = 9_000;
    const older = samples({ 2: NOW.clockMs - 60_000, 3: NOW.clockMs - 60_000 }, NOW.monotonicMs - age);
    expect(older.read(1, [1, 2, 3], NOW).stampMs).toBe(NOW.clockMs - 60_000 + age);
    const tooOld = samples({ 2: 0, 3: 0 }, NOW.monotonicMs - MAX_SAMPLE_AGE_MS - 1);
    expect(tooOld.read(1, [1, 2, 3], NOW)).toEqual({ stampMs: NOW.clockMs, clockProtected: false });
  });

  it('needs samples of a majority, and counts no learner and nobody who left', () => {
    expect(samples({ 2: 0 }).read(1, [1, 2, 3, 4], NOW).clockProtected).toBe(false);
    expect(samples({ 2: NOW.clockMs }).read(1, [1, 2, 3], NOW).clockProtected).toBe(true);
    expect(samples({ 8: 0, 9: 0 }).read(1, [1, 2, 3], NOW)).toEqual({ stampMs: NOW.clockMs, clockProtected: false });
  });
});
