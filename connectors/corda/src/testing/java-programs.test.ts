import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findOnPath } from '@drawbridge/devnets/debian-unpack';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { javaPrograms } from './java-programs.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-java-programs-'));
});
afterEach(() => rm(dir, { recursive: true }));

test('a machine without Java 17 is told so', async () => {
  await expect(javaPrograms({ cacheDir: dir, env: { PATH: dir } })).rejects.toMatchObject({ code: 'JAVA_MISSING' });
});

test('one with Java and without Maven is told that', async () => {
  const java = await findOnPath('java', process.env);
  // Nothing to see where there is no Java either.
  if (java === undefined) return;
  await symlink(java, join(dir, 'java'));
  await expect(javaPrograms({ cacheDir: dir, env: { PATH: dir } })).rejects.toMatchObject({ code: 'MAVEN_MISSING' });
});
