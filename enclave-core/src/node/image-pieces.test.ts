import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { ImagePieces, PIECE_BYTES } from './image-pieces.ts';

describe('pieces of a state image', () => {
  it.each([
    ['none', []],
    ['parts that fit', [1, 2, 3]],
    ['a part that fills a piece', [PIECE_BYTES]],
    ['parts across the border of pieces', [PIECE_BYTES - 1, 2, PIECE_BYTES]],
    ['a part of several pieces', [5, 3 * PIECE_BYTES + 7, 1]],
  ])('are none larger than a piece, and have the digest of all bytes: %s', (_, lengths) => {
    const parts = lengths.map((length, at) => Buffer.alloc(length, at + 1));
    const pieces = new ImagePieces();
    for (const part of parts) pieces.add(part);
    const image = pieces.image(7);
    const whole = Buffer.concat(parts);
    expect(image.pieces.slice(0, -1).every(({ length }) => length === PIECE_BYTES)).toBe(true);
    expect(image.pieces).toHaveLength(Math.ceil(whole.length / PIECE_BYTES));
    expect(Buffer.concat(image.pieces).equals(whole)).toBe(true);
    expect(image).toMatchObject({ index: 7, digest: createHash('sha256').update(whole).digest() });
  });

  it('does not see what becomes of a part afterwards', () => {
    const part = Buffer.alloc(10, 1);
    const pieces = new ImagePieces();
    pieces.add(part);
    part.fill(2);
    expect(Buffer.concat(pieces.image(1).pieces).equals(Buffer.alloc(10, 1))).toBe(true);
  });
});
