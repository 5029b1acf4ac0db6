import { expect, test } from '@jest/globals';
import { choosePlatform } from './choose-platform.ts';

test('the stand-in of tests needs its own option, and development', async () => {
  for (const development of [true, false]) {
    const kind = (await choosePlatform({ development, testProtectedMemory: false })).kind;
    expect(kind).toBe('virtual');
  }
  const chosen = await choosePlatform({ development: true, testProtectedMemory: true });
  expect(chosen).toEqual({ kind: 'test-protected-memory', protectsMemory: true });
  const refused = choosePlatform({ development: false, testProtectedMemory: true });
  await expect(refused).rejects.toMatchObject({ code: 'SERVICE_ARGUMENTS' });
});
