import { NO_LIFE } from '@drawbridge/protocol/ledger/node-life';
import { expect, test } from '@jest/globals';
import { systemEntropy } from '../consensus/node-host.ts';
import { beginLife } from './node-life.ts';
import { testProtectedMemory } from './testing/test-protected-memory.ts';
import { virtualPlatform } from './virtual.ts';

test('each process has a life of its own where memory is protected, and none elsewhere', () => {
  const [one, other] = [1, 2].map(() => beginLife(testProtectedMemory, systemEntropy));
  expect(one).toMatch(/^[0-9a-f]{32}$/);
  expect(one).not.toBe(other);
  expect(beginLife(virtualPlatform, systemEntropy)).toBe(NO_LIFE);
});
