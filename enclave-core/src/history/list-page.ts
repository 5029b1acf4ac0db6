/** One page of a list whose items lie in several blocks. */
import type { Page } from '../core-service.ts';
import type { HistoryBlock, ListRef } from './block.ts';
import { HistoryDamagedError } from './history-damaged-error.ts';

/** A block with items of the list, and the number of the first of them. */
export type Stretch = Readonly<{ first: number; block: HistoryBlock }>;

/**
 * @param stretches that hold what comes behind `after`, in order; not more of them are taken than the page needs
 * @throws HistoryDamagedError where items between them are missing
 */
export function listPage<T>(
  list: ListRef<T>,
  stretches: Iterable<Stretch>,
  { after, limit }: Readonly<{ after: number; limit: number }>,
): Page<T> {
  const items: T[] = [];
  for (const { first, block } of stretches) {
    const next = after + 1 + items.length;
    if (first > next) throw new HistoryDamagedError('a list of the history has a gap');
    const found = list.itemsIn(block) ?? [];
    // One more than fits says that there are more.
    items.push(...found.slice(next - first, next - first + limit + 1 - items.length));
    if (items.length > limit) return { items: items.slice(0, limit), next: after + limit };
  }
  return { items };
}
