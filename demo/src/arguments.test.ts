import { expect, test } from '@jest/globals';
import { readArguments } from './arguments.ts';

test('a core has one node unless three or five are asked for', () => {
  expect(readArguments([])).toMatchObject({ nodes: 1, once: false, out: undefined });
  expect(readArguments(['--nodes', '3', '--out', 'x'])).toMatchObject({ nodes: 3, out: 'x' });
  for (const nodes of ['0', '2', '4', 'x', '3.0']) {
    expect(() => readArguments(['--nodes', nodes])).toThrow(/--nodes takes 1, 3, 5/);
  }
});
