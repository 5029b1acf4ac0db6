import { describe, expect, test } from '@jest/globals';
import { Random } from './random.ts';
import { VirtualClock } from './virtual-clock.ts';

describe('virtual clock', () => {
  test('gives events by time, and those of one time in the order in which they were scheduled', () => {
    const clock = new VirtualClock();
    const random = new Random('clock');
    const expected: { at: number; order: number }[] = [];
    const seen: { at: number; order: number }[] = [];
    for (let order = 0; order < 500; order++) {
      const at = random.below(50);
      expected.push({ at, order });
      clock.after(at, 'event', () => seen.push({ at: clock.nowUs, order }));
    }
    for (let due = clock.take(); due; due = clock.take()) due.run();
    expect(seen).toEqual(expected.sort((a, b) => a.at - b.at || a.order - b.order));
  });

  test('what is cancelled never comes; what comes counts from now', () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    const cancel = clock.after(10, 'never', () => seen.push('never'));
    clock.after(5, 'first', () => {
      cancel();
      clock.after(5, 'second', () => seen.push(`second at ${clock.nowUs}`));
    });
    for (let due = clock.take(); due; due = clock.take()) due.run();
    expect(seen).toEqual(['second at 10']);
  });
});
