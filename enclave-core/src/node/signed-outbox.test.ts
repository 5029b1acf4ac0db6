import type { NetworkId } from '@drawbridge/protocol/ids';
import { expect, it } from '@jest/globals';
import { SignedOutbox } from './signed-outbox.ts';

const A = 'quorum-a' as NetworkId;
const B = 'quorum-b' as NetworkId;
const ends = (a: number, b = 0): Map<NetworkId, number> =>
  new Map([
    [A, a],
    [B, b],
  ]);

it('lets an instruction leave when a signature covers its entry, and not before', () => {
  const outbox = new SignedOutbox();
  outbox.applied(10, ends(1));
  outbox.applied(11, ends(1));
  outbox.applied(12, ends(2, 1));
  expect([outbox.end(A), outbox.end(B), outbox.waitsFor]).toEqual([0, 0, 12]);
  outbox.signedThrough(9);
  expect(outbox.end(A)).toBe(0);
  outbox.signedThrough(11);
  expect([outbox.end(A), outbox.end(B), outbox.waitsFor]).toEqual([1, 0, 12]);
  outbox.signedThrough(12);
  expect([outbox.end(A), outbox.end(B), outbox.waitsFor]).toEqual([2, 1, undefined]);
});

it('after a restart waits for a signature over all that it found', () => {
  const outbox = new SignedOutbox();
  outbox.restart(20, ends(7));
  expect([outbox.end(A), outbox.waitsFor]).toEqual([0, 20]);
  outbox.signedThrough(20);
  expect(outbox.end(A)).toBe(7);
});
