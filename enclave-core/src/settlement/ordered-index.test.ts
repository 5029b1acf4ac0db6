import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { OrderedIndex } from './ordered-index.ts';

test('keeps rows in order of major, then minor, whatever the order of changes', () => {
  const change = fc.record({ major: fc.nat(8), minor: fc.nat(8), add: fc.boolean() });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 80 }), fc.nat(8), (changes, from) => {
      const index = new OrderedIndex<string>();
      const reference = new Map<string, readonly [number, number]>();
      for (const { major, minor, add } of changes) {
        const name = `${major}.${minor}`;
        if (add && !reference.has(name)) {
          index.insert(major, minor, name);
          reference.set(name, [major, minor]);
        } else if (!add) expect(index.remove(major, minor)).toBe(reference.delete(name));
      }
      const sorted = [...reference].sort(([, a], [, b]) => a[0] - b[0] || a[1] - b[1]);
      expect([...index.from(0, 0)].map(({ value }) => value)).toEqual(sorted.map(([name]) => name));
      const later = sorted.filter(([, [major]]) => major >= from).map(([name]) => name);
      expect([...index.from(from, 0)].map(({ value }) => value)).toEqual(later);
      expect(index.size).toBe(reference.size);
      expect(index.first()?.value).toBe(sorted[0]?.[0]);
    }),
  );
});
