import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { ImagePieces, PIECE_BYTES } from './image-pieces.ts';

describe('pieces of a state image', () => {
  it.each([
    ['parts that fit', [1, 2, 3]],
    ['a part that fills a piece', [PIECE_BYTES]],
    ['parts across the border of pieces', [PIECE_BYTES - 1, 2, PIECE_BYTES]],
    ['a part of several pieces', [5, 3 * PIECE_BYTES + 7, 1]],
  ])('are none larger than a piece, and have the digest of all bytes: %s', async (_, lengths) => {
    const parts = lengths.map((length, at) => Buffer.alloc(length, at + 1));
    const given: Buffer[] = [];
    const lasts: boolean[] = [];
    const pieces = new ImagePieces((piece, isLast) => {
      given.push(Buffer.from(piece));
      lasts.push(isLast);
    });
    for (const part of parts) await pieces.add(part);
    const digest = await pieces.end();
    const whole = Buffer.concat(parts);
    expect(given.slice(0, -1).every(({ length }) => length === PIECE_BYTES)).toBe(true);
    expect(given).toHaveLength(Math.ceil(whole.length / PIECE_BYTES));
    expect(lasts).toEqual(given.map((_, at) => at === given.length - 1));
    expect(Buffer.concat(given).equals(whole)).toBe(true);
    expect(digest).toEqual(createHash('sha256').update(whole).digest());
  });

  it('come one after the other: none is begun before the one before it was taken', async () => {
    let taking = 0;
    const most: number[] = [];
    const pieces = new ImagePieces(async (piece) => {
      taking += 1;
      most.push(taking);
      const before = Buffer.from(piece);
      await nextTurn();
      expect(before.equals(piece)).toBe(true);
      taking -= 1;
    });
    await pieces.add(Buffer.alloc(3 * PIECE_BYTES, 1));
    await pieces.add(Buffer.alloc(PIECE_BYTES, 2));
    await pieces.end();
    expect(most).toEqual([1, 1, 1, 1]);
  });
});
