import type { NetworkId } from '@drawbridge/protocol/ids';
import { expect, it } from '@jest/globals';
import { OutboxWaiters } from './outbox-waiters.ts';
import { ManualTimers } from './testing/manual-timers.ts';

const A = 'quorum-a' as NetworkId;
const B = 'quorum-b' as NetworkId;

function outbox() {
  const ends = new Map<NetworkId, number>();
  const timers = new ManualTimers();
  const waiters = new OutboxWaiters(timers, (network) => ends.get(network) ?? 0);
  const grow = (network: NetworkId, end: number): void => {
    ends.set(network, end);
    waiters.wake();
  };
  return { waiters, timers, grow };
}
/** What a wait came to, or that it goes on. */
const stateOf = (wait: Promise<boolean>): Promise<boolean | 'waits'> =>
  Promise.race([wait, new Promise<'waits'>((resolve) => setImmediate(() => resolve('waits')))]);

it('tells who waits when the outbox of their network grows, and not of another', async () => {
  const { waiters, grow } = outbox();
  const [a, b] = [waiters.above(A, 0, 1_000), waiters.above(B, 0, 1_000)];
  expect(await stateOf(a)).toBe('waits');
  grow(A, 1);
  expect([await stateOf(a), await stateOf(b)]).toEqual([true, 'waits']);
  expect(await waiters.above(A, 0, 1_000)).toBe(true);
  expect(await stateOf(waiters.above(A, 1, 1_000))).toBe('waits');
});

it('lets nobody wait longer than asked', async () => {
  const { waiters, timers } = outbox();
  const wait = waiters.above(A, 0, 1_000);
  timers.advance(999);
  expect(await stateOf(wait)).toBe('waits');
  timers.advance(1);
  expect(await wait).toBe(false);
});

it('lets nobody wait at the end, or after it', async () => {
  const { waiters, grow } = outbox();
  const wait = waiters.above(A, 0, 1_000);
  waiters.end();
  expect(await wait).toBe(false);
  expect(await waiters.above(B, 0, 1_000)).toBe(false);
  grow(B, 1);
  expect(await waiters.above(B, 0, 1_000)).toBe(true);
});
