import { expect, it } from '@jest/globals';
import { type ViewStart, viewAt, withEntry } from './view-history.ts';

it('knows the view of every entry from the first of each view', () => {
  let starts: readonly ViewStart[] = [];
  const views = [1, 2, 2, 2, 5, 5, 9];
  for (const [at, view] of views.entries()) starts = withEntry(starts, { view, seqno: at + 1 });
  expect(starts).toHaveLength(4);
  expect(views.map((_, at) => viewAt(starts, at + 1))).toEqual(views);
  expect([viewAt(starts, 0), viewAt([], 3)]).toEqual([undefined, undefined]);
});
