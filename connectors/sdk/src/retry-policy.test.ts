import { describe, expect, test } from '@jest/globals';
import { applyRetryPolicy, DEFAULT_RETRY, pauseMs } from './retry-policy.ts';

test('pauses double from the first to the longest', () => {
  const policy = { attempts: 9, firstPauseMs: 100, longestPauseMs: 1_000 };
  expect([1, 2, 3, 4, 5, 60].map((attempt) => pauseMs(policy, attempt, 0.999_999))).toEqual([
    100, 200, 400, 800, 1_000, 1_000,
  ]);
});

test('jitter takes away at most half', () => {
  expect(pauseMs(DEFAULT_RETRY, 1, 0)).toBe(500);
  expect(pauseMs(DEFAULT_RETRY, 1, 0.5)).toBe(750);
});

describe('what a job says of itself', () => {
  const policy = { attempts: 5, firstPauseMs: 10, longestPauseMs: 100 };
  const applied = (claims: object): Parameters<typeof applyRetryPolicy>[0] => {
    const job = { opts: {}, attemptsMade: 0, attemptsStarted: 1, ...claims };
    applyRetryPolicy(job, policy);
    return job;
  };

  test.each([
    ['nothing', {}],
    ['one attempt', { attempts: 1 }],
    ['fewer attempts', { attempts: 2 }],
    ['attempts without end', { attempts: 1e15 }],
    ['attempts that are no number', { attempts: 'all' }],
    ['no pause', { attempts: 9, backoff: { type: 'fixed', delay: 0 } }],
    ['a pause of years', { backoff: { type: 'exponential', delay: 1e12 }, delay: 1e12 }],
    ['that it vanishes when it fails', { removeOnFail: true }],
    ['that it repeats', { repeat: { every: 1 }, lifo: true, priority: 1 }],
  ])('%s: the worker’s policy holds', (_what, opts) => {
    expect(applied({ opts }).opts).toEqual({ attempts: 5, backoff: { type: 'drawbridge' }, removeOnFail: false });
  });

  test('how many completed jobs stay is left to the queue', () => {
    expect(applied({ opts: { removeOnComplete: { count: 7 } } }).opts).toMatchObject({
      removeOnComplete: { count: 7 },
    });
  });

  test('sound counts stand', () => {
    expect(applied({ attemptsMade: 3, attemptsStarted: 9 })).toMatchObject({ attemptsMade: 3, attemptsStarted: 9 });
  });

  test.each([
    ['attempts below none', { attemptsMade: -1e9 }],
    ['half an attempt', { attemptsMade: 0.5 }],
    ['no number of attempts', { attemptsMade: Number.NaN }],
    ['starts below none', { attemptsStarted: -1e9 }],
    ['fewer starts than attempts', { attemptsMade: 4, attemptsStarted: 4 }],
    ['no number of starts', { attemptsStarted: Number.NaN }],
  ])('%s: this attempt is the last', (_what, claims) => {
    const job = applied(claims);
    expect(job.attemptsMade + 1 < (job.opts.attempts ?? 0)).toBe(false);
    expect(job.attemptsStarted - job.attemptsMade).toBeGreaterThan(1e9);
  });
});
