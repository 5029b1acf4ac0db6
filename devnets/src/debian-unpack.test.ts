import { expect, test } from '@jest/globals';
import { libraryPackages } from './debian-unpack.ts';

test.each([
  ['libjemalloc.so.2', ['libjemalloc2', 'libjemalloc2t64']],
  ['liblzf.so.1', ['liblzf1', 'liblzf1t64']],
  ['libssl.so.3', ['libssl3', 'libssl3t64']],
  ['liblua5.1.so.0', ['liblua5.1-0', 'liblua5.1-0t64']],
  ['libX_y.so.1', ['libx-y1', 'libx-y1t64']],
  ['libplain.so', []],
])('packages of %s', (soname, packages) => {
  expect(libraryPackages(soname)).toEqual(packages);
});
