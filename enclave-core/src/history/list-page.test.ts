import { describe, expect, it } from '@jest/globals';
import type { HistoryBlock, ListRef } from './block.ts';
import { listPage, type Stretch } from './list-page.ts';

const blocks = new Map<HistoryBlock, readonly number[]>();
const LIST: ListRef<number> = { label: 'numbers', itemsIn: (block) => blocks.get(block) };
/** Items that are their own numbers. */
function stretch(first: number, count: number): Stretch {
  const block = {} as HistoryBlock;
  blocks.set(
    block,
    Array.from({ length: count }, (_, at) => first + at),
  );
  return { first, block };
}
const WHOLE = [stretch(1, 3), stretch(4, 1), stretch(5, 4)];

describe('a page of a list in several blocks', () => {
  it('goes over their borders, and says where the next begins', () => {
    expect(listPage(LIST, WHOLE, { after: 0, limit: 4 })).toEqual({ items: [1, 2, 3, 4], next: 4 });
    expect(listPage(LIST, WHOLE, { after: 2, limit: 4 })).toEqual({ items: [3, 4, 5, 6], next: 6 });
  });

  it('has no next where it takes all that is left, or nothing', () => {
    expect(listPage(LIST, WHOLE, { after: 4, limit: 4 })).toEqual({ items: [5, 6, 7, 8] });
    expect(listPage(LIST, WHOLE, { after: 8, limit: 4 })).toEqual({ items: [] });
    expect(listPage(LIST, [], { after: 0, limit: 4 })).toEqual({ items: [] });
  });

  it('takes no more of them than it needs', () => {
    function* stretches(): Generator<Stretch> {
      yield stretch(1, 3);
      throw new Error('one too many');
    }
    expect(listPage(LIST, stretches(), { after: 0, limit: 2 })).toEqual({ items: [1, 2], next: 2 });
  });

  it('is refused where items are missing', () => {
    const torn = [stretch(1, 3), stretch(5, 4)];
    expect(() => listPage(LIST, torn, { after: 0, limit: 4 })).toThrow('a list of the history has a gap');
    expect(() => listPage(LIST, [stretch(2, 3)], { after: 0, limit: 4 })).toThrow('gap');
  });
});
