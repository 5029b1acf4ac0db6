import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FrameReader, FrameWriter } from './raft-frames.ts';
import type { EntryType } from './raft-types.ts';

const u64 = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const bytes = fc.uint8Array({ maxLength: 9000 });
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');

describe('frames', () => {
  test('property: what is written is read back, however large it grows', () => {
    const entries = fc.array(
      fc.record({ term: u64, index: u64, type: fc.constantFrom<EntryType>(0, 1, 2), data: bytes }),
      { maxLength: 8 },
    );
    const confState = fc.record({
      voters: fc.array(u64),
      learners: fc.array(u64),
      votersOutgoing: fc.array(u64),
      learnersNext: fc.array(u64),
      autoLeave: fc.boolean(),
    });
    fc.assert(
      fc.property(entries, confState, u64, bytes, (list, conf, number, blob) => {
        const writer = new FrameWriter().start().entries(list).confState(conf).u64(number).bytes(blob);
        const reader = new FrameReader(writer.finish());
        expect(reader.entries().map((e) => ({ ...e, data: hex(e.data) }))).toEqual(
          list.map((e) => ({ ...e, data: hex(e.data) })),
        );
        expect(reader.confState()).toEqual(conf);
        expect(reader.u64()).toBe(number);
        expect(hex(reader.bytes())).toBe(hex(blob));
        expect(reader.remaining).toBe(0);
      }),
    );
  });

  test('numbers beyond a double and short frames are refused', () => {
    expect(() => new FrameWriter().u64(2 ** 53)).toThrow(RangeError);
    expect(() => new FrameWriter().u64(-1)).toThrow(RangeError);
    expect(() => new FrameReader(new Uint8Array(8).fill(255)).u64()).toThrow(RangeError);
    expect(() => new FrameReader(Uint8Array.of(9, 0, 0, 0, 1)).bytes()).toThrow(RangeError);
    expect(() => new FrameReader(Uint8Array.of(255, 255, 255, 255)).ids()).toThrow(RangeError);
    expect(() => new FrameReader(new Uint8Array(3)).u32()).toThrow(RangeError);
  });
});
