import { expect, test } from '@jest/globals';
import { MessageQueue } from './message-queue.ts';

const message = (number: number): Uint8Array => Uint8Array.of(number);
const COST = 65;

function drain(queue: MessageQueue): number[] {
  const numbers: number[] = [];
  for (let next = queue.shift(); next; next = queue.shift()) numbers.push(next[0] ?? -1);
  return numbers;
}

test('the newest stay and keep their order', () => {
  const queue = new MessageQueue(3 * COST);
  expect([1, 2, 3, 4, 5].map((number) => queue.push(message(number)))).toEqual([0, 0, 0, 1, 1]);
  expect(drain(queue)).toEqual([3, 4, 5]);
  expect(queue.empty).toBe(true);
});

test('one message that is larger than the bound stays alone', () => {
  const queue = new MessageQueue(COST);
  queue.push(message(1));
  expect(queue.push(new Uint8Array(200).fill(2))).toBe(1);
  expect(drain(queue)).toEqual([2]);
});

test('pushes and shifts in any order give a queue', () => {
  const queue = new MessageQueue(1000 * COST);
  const expected: number[] = [];
  const out: number[] = [];
  for (let i = 0; i < 200; i++) {
    queue.push(message(i));
    expected.push(i);
    if (i % 3 !== 0) out.push(queue.shift()?.[0] ?? -1);
  }
  expect([...out, ...drain(queue)]).toEqual(expected);
  queue.push(message(1));
  queue.clear();
  expect(queue.shift()).toBeUndefined();
});
