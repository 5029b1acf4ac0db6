/** Marks of ids, and what must hold of a set of them, and of captures of it, for every history. */
import { expect } from '@jest/globals';
import fc from 'fast-check';
import { SpentIds, type SpentMark, transferMark } from '../spent-ids.ts';
import { BANK_A, transferId } from './world.ts';

export const marks = (count: number): SpentMark[] =>
  Array.from({ length: count }, (_, i) => transferMark(BANK_A, transferId(i)));

export function expectSetBehaviour(numRuns: number): void {
  fc.assert(
    fc.property(fc.array(fc.nat(300), { maxLength: 600 }), fc.nat(600), (numbers, cut) => {
      const reference = new Set<number>();
      let ids = new SpentIds();
      numbers.forEach((n, i) => {
        if (i === cut) ids = SpentIds.fromShards(ids.toShards());
        expect(ids.add(transferMark(BANK_A, transferId(n)))).toBe(!reference.has(n));
        reference.add(n);
      });
      expect(ids.size).toBe(reference.size);
      for (let n = 0; n <= 300; n++) expect(ids.has(transferMark(BANK_A, transferId(n)))).toBe(reference.has(n));
    }),
    { numRuns },
  );
}

type Step =
  | Readonly<{ do: 'add'; count: number }>
  | Readonly<{ do: 'capture' }>
  | Readonly<{ do: 'encode'; capture: number; shards: number }>
  | Readonly<{ do: 'release'; capture: number }>;

/** So few that shards have none, or one, and so many that tables grow and captures are encoded before they are asked for. */
const STEPS: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('add' as const), count: fc.constantFrom(1, 40, 900) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('capture' as const) }) },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('encode' as const), capture: fc.nat(3), shards: fc.nat(256) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('release' as const), capture: fc.nat(3) }) },
  ),
  { maxLength: 40 },
);

type Capturing = Readonly<{
  shards: Iterator<Uint8Array>;
  release: () => void;
  expected: readonly string[];
  got: string[];
}>;

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Against sets that are built anew: what a capture gives is what there was, whatever came between it and the reading. */
export function expectCapturesOfTheirTime(numRuns: number): void {
  fc.assert(
    fc.property(STEPS, (steps) => {
      const ids = new SpentIds();
      const added: SpentMark[] = [];
      const captures: Capturing[] = [];
      const read = ({ shards, got }: Capturing, count: number): void => {
        for (let i = 0; i < count; i++) {
          const { value, done } = shards.next();
          if (done) return;
          got.push(textOf(value));
        }
      };
      const drop = (at: number): void => {
        const [capture] = captures.splice(at, 1);
        if (!capture) return;
        expect(capture.got).toEqual(capture.expected.slice(0, capture.got.length));
        capture.release();
      };
      for (const step of steps) {
        if (step.do === 'add') {
          for (let i = 0; i < step.count; i++) {
            const mark = crowdedMark(added.length);
            expect(ids.add(mark)).toBe(true);
            expect(ids.add(mark)).toBe(false);
            added.push(mark);
          }
        } else if (step.do === 'capture') {
          const { encode, release } = ids.capture();
          const model = new SpentIds();
          for (const mark of added) model.add(mark);
          captures.push({ shards: encode(), release, expected: model.toShards().map(textOf), got: [] });
        } else if (step.do === 'release') drop(step.capture);
        else {
          const capture = captures[step.capture];
          if (capture) read(capture, step.shards);
        }
      }
      for (const capture of captures) {
        read(capture, Infinity);
        expect(capture.got).toEqual(capture.expected);
        capture.release();
      }
      expect(ids.captures).toBe(0);
      expect(added.every((mark) => ids.has(mark))).toBe(true);
    }),
    { numRuns },
  );
}

/** Three in four fall into one shard, so that one grows while it is captured. */
const crowdedMark = (n: number): SpentMark => {
  const mark = transferMark(BANK_A, transferId(n));
  return n % 4 === 0 ? mark : { ...mark, a: 0x11000000 + (mark.a >>> 8) };
};
