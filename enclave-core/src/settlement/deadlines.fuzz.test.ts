import { test } from '@jest/globals';
import { expectAlikeWhereverCut } from './testing/waiting-transfers.ts';

test('transfers that wait have their turn alike, wherever one draft ends and the next begins', () => {
  expectAlikeWhereverCut(1);
});
