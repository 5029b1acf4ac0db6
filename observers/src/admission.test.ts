import { expect, test } from '@jest/globals';
import { admission } from './admission.ts';

test('bounds what is under way', () => {
  const gate = admission({ concurrency: 2, requestsPerSecond: 100 }, () => 0);
  expect([gate.enter(), gate.enter(), gate.enter()]).toEqual(['admitted', 'admitted', 'OVERLOADED']);
  gate.leave();
  expect(gate.enter()).toBe('admitted');
});

test('bounds what begins in a second', () => {
  let now = 0;
  const gate = admission({ concurrency: 10, requestsPerSecond: 2 }, () => now);
  expect([gate.enter(), gate.enter(), gate.enter()]).toEqual(['admitted', 'admitted', 'TOO_MANY_REQUESTS']);
  now = 500;
  expect([gate.enter(), gate.enter()]).toEqual(['admitted', 'TOO_MANY_REQUESTS']);
  now = 60_000;
  expect([gate.enter(), gate.enter(), gate.enter()]).toEqual(['admitted', 'admitted', 'TOO_MANY_REQUESTS']);
});
