import { accessSync, constants } from 'node:fs';
import { expect, test } from '@jest/globals';
import { anvilBinary } from './anvil-binary.ts';

test('a platform without a program is named, with those that have one', () => {
  expect(() => anvilBinary('aix', 'ppc64')).toThrow(/no program for aix ppc64 .*linux x64/);
});

test('a program whose package was not installed is named', () => {
  const other = process.platform === 'darwin' ? 'linux' : 'darwin';
  expect(() => anvilBinary(other, 'arm64')).toThrow(`@foundry-rs/anvil-${other}-arm64`);
});

test('here it is an executable file', () => {
  expect(() => accessSync(anvilBinary(), constants.X_OK)).not.toThrow();
});
