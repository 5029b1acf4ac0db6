import { expect, test } from '@jest/globals';
import { shapeOf } from './options.ts';

test('a notary that does not validate and two banks, unless asked otherwise', () => {
  const { nodes, heapMiB, longRun } = shapeOf({});
  expect(nodes.map(({ notary }) => notary)).toEqual([{ validating: false }, undefined, undefined]);
  expect({ heapMiB, longRun }).toEqual({ heapMiB: 512, longRun: false });
  const asked = shapeOf({ validating: true, parties: ['O=A,L=Rome,C=IT'], notary: 'O=N,L=Oslo,C=NO', heapMiB: 256 });
  expect(asked).toEqual({
    nodes: [{ legalName: 'O=N,L=Oslo,C=NO', notary: { validating: true } }, { legalName: 'O=A,L=Rome,C=IT' }],
    heapMiB: 256,
    longRun: false,
  });
  expect(shapeOf({ longRun: true }).longRun).toBe(true);
});

test.each([
  [{ parties: [] }, /1 to 8 parties/],
  [{ parties: Array.from({ length: 9 }, (_, index) => `O=A${index},L=Rome,C=IT`) }, /1 to 8 parties/],
  [{ parties: ['O=A,C=IT'] }, /O=A,C=IT has no L/],
  [{ parties: ['L=Rome,C=IT'] }, /has no O/],
  [{ parties: ['O=A B,L=Rome,C=IT', 'O=A-b,L=Oslo,C=NO'] }, /the O of O=A-b/],
  [{ parties: ['O=Notary,L=Rome,C=IT'] }, /the O of O=Notary/],
  [{ parties: ['O=é,L=Rome,C=IT'] }, /the O of O=é/],
  [{ heapMiB: 128 }, /heapMiB/],
  [{ heapMiB: 512.5 }, /heapMiB/],
])('%j is refused', (options, message) => {
  expect(() => shapeOf(options)).toThrow(expect.objectContaining({ code: 'CORDA_OPTIONS' }));
  expect(() => shapeOf(options)).toThrow(message);
});
