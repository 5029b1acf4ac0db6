import type { ParticipantId } from '@drawbridge/protocol/ids';
import { describe, expect, test } from '@jest/globals';
import { FairQueue, type FairQueueLimits, type Submitter } from './fair-queue.ts';

type Item = Readonly<{ name: string; commands: readonly number[] }>;
const [A, B, C] = ['A', 'B', 'C'] as ParticipantId[] as [ParticipantId, ParticipantId, ParticipantId];
const queueWith = (limits: Partial<FairQueueLimits> = {}): FairQueue<Item> =>
  new FairQueue({ maxQueued: 10_000, maxQueuedPerSubmitter: 5_000, turn: 2, ...limits });
const item = (name: string, size = 1): Item => ({ name, commands: Array.from({ length: size }, (_, i) => i) });
const names = (items: readonly Item[]): string => items.map(({ name }) => name).join(' ');

function fill(queue: FairQueue<Item>, submitter: Submitter, count: number, size = 1): boolean[] {
  return Array.from({ length: count }, (_, i) => queue.push(submitter, item(`${submitter}${i + 1}`, size)));
}

describe('turns', () => {
  test('who has little does not wait for who has much; the order of each is kept', () => {
    const queue = queueWith();
    fill(queue, A, 100);
    fill(queue, B, 3);
    fill(queue, 'core', 1);
    expect(names(queue.take(9))).toBe('A1 A2 B1 B2 core1 A3 A4 B3 A5');
    expect(names(queue.take(2))).toBe('A6 A7');
  });

  test('go on in the next entry where the last one ended', () => {
    const queue = queueWith();
    for (const bank of [A, B, C]) fill(queue, bank, 4);
    expect([1, 2, 3, 4].map(() => names(queue.take(3)))).toEqual(['A1 A2 B1', 'B2 C1 C2', 'A3 A4 B3', 'B4 C3 C4']);
    expect(queue.empty).toBe(true);
  });

  test('count commands: large submissions get no more than small ones', () => {
    const queue = queueWith();
    fill(queue, A, 10, 10);
    fill(queue, B, 100);
    const taken = queue.take(100);
    const share = (bank: string): number =>
      taken.filter(({ name }) => name.startsWith(bank)).reduce((sum, { commands }) => sum + commands.length, 0);
    expect([share(A), share(B)]).toEqual([50, 50]);
  });

  test('who was away has saved nothing', () => {
    const queue = queueWith();
    fill(queue, A, 1);
    for (let i = 0; i < 5; i++) queue.take(10);
    fill(queue, A, 10);
    fill(queue, B, 10);
    expect(names(queue.take(4))).toBe('A1 A2 B1 B2');
  });

  test('one submission larger than an entry goes alone, and is not passed over for ever', () => {
    const queue = queueWith();
    fill(queue, A, 1, 25);
    fill(queue, B, 40);
    const sizes = Array.from({ length: 5 }, () => queue.take(10).map(({ commands }) => commands.length));
    expect(sizes.filter((entry) => entry.includes(25))).toEqual([[25]]);
  });
});

describe('room', () => {
  test('a submitter has its own bound; who fills it takes none of the others’', () => {
    const queue = queueWith({ maxQueuedPerSubmitter: 3 });
    expect(fill(queue, A, 4)).toEqual([true, true, true, false]);
    expect(fill(queue, B, 3)).toEqual([true, true, true]);
    queue.take(2);
    expect(queue.push(A, item('again'))).toBe(true);
  });

  test('where others fill the whole, each still has 1,000 commands, and the core 4,096', () => {
    const queue = queueWith({ maxQueued: 5_000 });
    expect(fill(queue, A, 5, 1_000)).not.toContain(false);
    expect(fill(queue, B, 3, 400)).toEqual([true, true, false]);
    expect(fill(queue, 'core', 5, 1_000)).toEqual([true, true, true, true, false]);
    expect(queue.push('core', item('last', 96))).toBe(true);
    expect(queue.push(A, item('one more'))).toBe(false);
  });

  test('of whom nothing waits, one submission of any size is taken', () => {
    const queue = queueWith({ maxQueued: 2, maxQueuedPerSubmitter: 2 });
    expect(fill(queue, A, 2, 50)).toEqual([true, false]);
    expect(fill(queue, B, 1, 50)).toEqual([true]);
  });

  test('what was taken or cleared gives its room back', () => {
    const queue = queueWith({ maxQueued: 2_000, maxQueuedPerSubmitter: 2_000 });
    fill(queue, A, 2, 1_000);
    expect(names(queue.clear())).toBe('A1 A2');
    expect([queue.empty, names(queue.take(10))]).toEqual([true, '']);
    expect(fill(queue, A, 2, 1_000)).toEqual([true, true]);
    queue.take(2_000);
    expect(fill(queue, B, 2, 1_000)).toEqual([true, true]);
  });

  test.each(['maxQueued', 'maxQueuedPerSubmitter', 'turn'])('%s is above 0', (name) => {
    for (const value of [0, -1, 1.5, Number.NaN]) expect(() => queueWith({ [name]: value })).toThrow(RangeError);
  });
});
