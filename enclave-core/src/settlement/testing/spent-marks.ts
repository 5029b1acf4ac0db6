/** Marks of ids, and what must hold of a set of them for every history. */
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
