import { describe, expect, test } from '@jest/globals';
import { instructionMark, lockMark, SpentIds, type SpentMark, transferMark } from './spent-ids.ts';
import { expectCapturesOfTheirTime, expectSetBehaviour, marks } from './testing/spent-marks.ts';
import { ALPHA_EUR, BANK_A, BANK_B, BETA_EUR, transferId, word } from './testing/world.ts';

const bytesOf = (ids: SpentIds): string => Buffer.concat(ids.toShards()).toString('hex');

describe('spent ids', () => {
  test('an id is new once', () => {
    const ids = new SpentIds();
    const [mark] = marks(1);
    if (!mark) throw new Error('one mark');
    expect(ids.has(mark)).toBe(false);
    expect(ids.add(mark)).toBe(true);
    expect(ids.has(mark)).toBe(true);
    expect(ids.add(mark)).toBe(false);
    expect(ids.size).toBe(1);
  });

  test('ids are scoped to their bank, vault and kind', () => {
    const ids = new SpentIds();
    ids.add(transferMark(BANK_A, transferId(1)));
    ids.add(lockMark(ALPHA_EUR, word('x')));
    expect(ids.has(transferMark(BANK_B, transferId(1)))).toBe(false);
    expect(ids.has(lockMark(BETA_EUR, word('x')))).toBe(false);
    expect(ids.has(instructionMark(word('x')))).toBe(false);
  });

  test('any two different scopes or ids have different marks', () => {
    const texts = [
      transferMark(BANK_A, transferId(1)),
      transferMark(BANK_A, transferId(2)),
      transferMark(BANK_B, transferId(1)),
      lockMark(ALPHA_EUR, word('x')),
      instructionMark(word('x')),
    ].map(({ text }) => text);
    expect(new Set(texts).size).toBe(texts.length);
  });

  test('takes at most 24 bytes for each id where there are 4,000', () => {
    const ids = new SpentIds();
    for (const mark of marks(4_000)) ids.add(mark);
    expect(ids.tableBytes / ids.size).toBeLessThanOrEqual(24);
  });

  test('behaves as a set does, and restores to one that does, in two histories', () => expectSetBehaviour(2));

  test('a capture gives what there was, in some histories', () => expectCapturesOfTheirTime(5));

  test('a capture copies no table, and one that is not read holds no more of a shard than there was', () => {
    const ids = new SpentIds();
    const inOneShard = marks(22_000).map((mark) => ({ ...mark, a: mark.a >>> 8 }));
    for (const mark of inOneShard.slice(0, 2_000)) ids.add(mark);
    const before = bytesOf(ids);
    const taken = ids.capture();
    expect(ids.capturedBytes).toBe(0);
    let most = 0;
    for (const [at, mark] of inOneShard.slice(2_000).entries()) {
      ids.add(mark);
      if (at % 25 === 0) most = Math.max(most, ids.capturedBytes);
    }
    expect(most).toBeGreaterThan(1_000 * 16);
    expect(most).toBeLessThan(2_100 * 24);
    expect(Buffer.concat([...taken.encode()]).toString('hex')).toBe(before);
    expect(ids.capturedBytes).toBe(0);
    expect(ids.captures).toBe(0);
  });

  test('a capture is read once, and not after it was released', () => {
    const ids = new SpentIds();
    for (const mark of marks(300)) ids.add(mark);
    const [once, never] = [ids.capture(), ids.capture()];
    expect([...once.encode()]).toHaveLength(256);
    expect(() => [...once.encode()]).toThrow(RangeError);
    never.release();
    expect(() => [...never.encode()]).toThrow(RangeError);
    const half = ids.capture();
    for (const _ of half.encode()) break;
    expect(ids.captures).toBe(0);
  });

  test('its bytes do not depend on the order of insertion', () => {
    const forward = new SpentIds();
    const backward = new SpentIds();
    for (const mark of marks(3000)) forward.add(mark);
    for (const mark of marks(3000).reverse()) backward.add(mark);
    expect(bytesOf(forward)).toBe(bytesOf(backward));
    expect(bytesOf(SpentIds.fromShards(forward.toShards()))).toBe(bytesOf(forward));
  });

  test('an id whose digest is all zeros is an id too', () => {
    const zero: SpentMark = { a: 0, b: 0, c: 0, d: 1, text: 'zero' };
    const ids = new SpentIds();
    expect(ids.has(zero)).toBe(false);
    expect(ids.add(zero)).toBe(true);
    expect(ids.add({ a: 0, b: 0, c: 0, d: 2, text: 'near' })).toBe(true);
    expect(ids.has(zero)).toBe(true);
  });

  test.each([
    ['a missing shard', (shards: Uint8Array[]) => shards.slice(1)],
    ['half an id', (shards: Uint8Array[]) => shards.map((shard, i) => (i === 0 ? new Uint8Array(8) : shard))],
    ['an id in another shard', (shards: Uint8Array[]) => [...shards.slice(1), ...shards.slice(0, 1)]],
    [
      'an id twice',
      (shards: Uint8Array[]) => shards.map((shard) => new Uint8Array(Buffer.concat([shard.slice(0, 16), shard]))),
    ],
  ])('%s is refused', (_, spoil) => {
    const ids = new SpentIds();
    for (const mark of marks(2000)) ids.add(mark);
    expect(() => SpentIds.fromShards(spoil(ids.toShards()))).toThrow(RangeError);
  });
});
