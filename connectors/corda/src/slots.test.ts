import { expect, test } from '@jest/globals';
import { Slots } from './slots.ts';

const { signal } = new AbortController();

test('places are given in the order of asking', async () => {
  const slots = new Slots(1);
  const given: string[] = [];
  const take = (name: string) => slots.take(signal).then(() => given.push(name));
  await take('first');
  const others = [take('second'), take('third')];
  slots.release();
  await others[0];
  expect(given).toEqual(['first', 'second']);
  slots.release();
  await others[1];
  expect(given).toEqual(['first', 'second', 'third']);
});

test('who gives up waiting takes no place', async () => {
  const slots = new Slots(1);
  expect(await slots.take(signal)).toBe(true);
  const giveUp = new AbortController();
  const gone = slots.take(giveUp.signal);
  giveUp.abort();
  expect(await gone).toBe(false);
  slots.release();
  expect(await slots.take(signal)).toBe(true);
  expect(await slots.take(AbortSignal.abort())).toBe(false);
});
