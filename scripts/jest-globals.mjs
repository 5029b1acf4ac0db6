// `@jest/globals` for tests that run in plain Node: what the runner has put in the global scope, and what it lacks of `jest`.
import { setImmediate as realTurn } from 'node:timers/promises';

export const { jest, expect, test, it, describe, beforeAll, afterAll, beforeEach, afterEach } = globalThis;

/** Time passes a millisecond at a time, and between them whatever promises wait for: so timers that are set meanwhile run too. */
jest.advanceTimersByTimeAsync ??= async (ms) => {
  jest.advanceTimersByTime(0);
  await realTurn();
  for (let passed = 0; passed < ms; passed += 1) {
    jest.advanceTimersByTime(1);
    await realTurn();
  }
};
