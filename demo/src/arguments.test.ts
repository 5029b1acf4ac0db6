import { expect, test } from '@jest/globals';
import { readArguments } from './arguments.ts';

test('a core has one node unless three or five are asked for', () => {
  expect(readArguments([])).toMatchObject({ nodes: 1, once: false, out: undefined });
  expect(readArguments(['--nodes', '3', '--out', 'x'])).toMatchObject({ nodes: 3, out: 'x' });
  for (const nodes of ['0', '2', '4', 'x', '3.0']) {
    expect(() => readArguments(['--nodes', nodes])).toThrow(/--nodes takes 1, 3, 5/);
  }
});

test('a Corda network takes part when asked for, and nothing else can', () => {
  expect([readArguments([]).corda, readArguments(['--with', 'corda']).corda]).toEqual([false, true]);
  expect(() => readArguments(['--with', 'fabric'])).toThrow(/--with takes corda, not fabric/);
});
