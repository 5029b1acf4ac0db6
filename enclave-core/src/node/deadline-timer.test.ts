import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { DeadlineTimer } from './deadline-timer.ts';
import { ManualTimers } from './testing/manual-timers.ts';

const DEADLINE_MS = 60_000;
const STEP_MS = 100;

describe('timer of deadlines', () => {
  let timers: ManualTimers;
  /** From the host's clock to the stamp of the next entry. */
  let medianOffMs: number;
  let stampMs: number;
  let deadlinesMs: number[];
  /** Stamps of the entries that were put into the ledger. */
  let entries: number[];
  /** Deadlines that one entry has room for. */
  let roomOfEntry: number;
  /** From the time that the timer was told to what the entry then bears. */
  let stampOffMs: number;
  let leads: boolean;
  let timer: DeadlineTimer;
  beforeEach(() => {
    timers = new ManualTimers();
    [medianOffMs, stampMs, entries, roomOfEntry, stampOffMs, leads] = [0, 0, [], 256, 0, true];
    deadlinesMs = [DEADLINE_MS];
    const clockMs = (): number => timers.nowMs + medianOffMs;
    timer = new DeadlineTimer({
      nextDeadlineMs: () => deadlinesMs[0],
      clockMs,
      stampMs: () => stampMs,
      timers,
      onDue: async () => {
        if (!leads) throw new Error('another node leads');
        stampMs = Math.max(stampMs, clockMs() + stampOffMs);
        entries.push(stampMs);
        const due = deadlinesMs.filter((deadlineMs) => deadlineMs <= stampMs).length;
        deadlinesMs.splice(0, Math.min(due, roomOfEntry));
      },
    });
  });
  /** In steps, so that what a call promised is done before the next one. */
  const run = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      timers.advance(STEP_MS);
      for (let turn = 0; turn < 10; turn++) await nextTurn();
    }
  };

  it.each([
    ['ahead of the median', -5_000],
    ['behind the median', 5_000],
  ])("puts one entry into the ledger, when the ledger's time is there, where the leader is %s", async (_, offMs) => {
    medianOffMs = offMs;
    timer.rearm();
    await run(DEADLINE_MS - offMs - STEP_MS);
    expect(entries).toEqual([]);
    await run(60_000);
    expect(entries).toEqual([DEADLINE_MS]);
  });

  it('pauses where an entry bears a stamp before the deadline after all', async () => {
    stampOffMs = -5_000;
    timer.rearm();
    await run(DEADLINE_MS + 30_000);
    expect(entries).toEqual([55_000, 56_000, 57_000, 58_000, 59_000, 60_000]);
  });

  it('goes on at once where more fell due at one time than an entry has room for', async () => {
    roomOfEntry = 2;
    deadlinesMs = Array.from({ length: 6 }, () => DEADLINE_MS);
    timer.rearm();
    await run(DEADLINE_MS + 5 * STEP_MS);
    expect(entries).toHaveLength(3);
  });

  it('tries again after a pause where another node leads', async () => {
    leads = false;
    timer.rearm();
    await run(DEADLINE_MS + 2_500);
    leads = true;
    await run(500);
    expect(entries).toEqual([DEADLINE_MS + 3_000]);
  });

  it('passes by what an entry of other commands let pass', async () => {
    timer.rearm();
    await run(30_000);
    deadlinesMs = [];
    timer.rearm();
    await run(60_000);
    expect(entries).toEqual([]);
  });
});
