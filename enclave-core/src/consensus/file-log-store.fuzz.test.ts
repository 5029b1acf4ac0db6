import { test } from '@jest/globals';
import { expectSameAsModel } from './testing/log-model.ts';

test('property: whatever is appended and overwritten, a restart gives the same log as a model in memory', () =>
  expectSameAsModel(100));
