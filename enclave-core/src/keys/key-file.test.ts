import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createKeyFile, readKeyFile } from './key-file.ts';

describe('key file', () => {
  let dir: string;
  let path: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'drawbridge-keys-'));
    path = join(dir, 'service.key');
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('is written with mode 0600 and read back', async () => {
    const secret = await createKeyFile(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(Buffer.from(await readKeyFile(path)).equals(secret)).toBe(true);
  });

  it('is never overwritten', async () => {
    await createKeyFile(path);
    const before = await readFile(path);
    await expect(createKeyFile(path)).rejects.toMatchObject({ code: 'KEY_FILE_EXISTS' });
    expect(await readFile(path)).toEqual(before);
  });

  it.each([0o640, 0o604, 0o660, 0o610])('is refused with mode %o', async (mode) => {
    await createKeyFile(path);
    await chmod(path, mode);
    await expect(readKeyFile(path)).rejects.toMatchObject({ code: 'KEY_FILE_MODE' });
  });

  it('is refused when it is missing, a link, or not a key file', async () => {
    await expect(readKeyFile(path)).rejects.toMatchObject({ code: 'KEY_FILE_MISSING' });
    await createKeyFile(path);
    await symlink(path, join(dir, 'link'));
    await expect(readKeyFile(join(dir, 'link'))).rejects.toMatchObject({ code: 'KEY_FILE_FORMAT' });
    const other = join(dir, 'other');
    await writeFile(other, `${'0'.repeat(64)}\n`, { mode: 0o600 });
    await expect(readKeyFile(other)).rejects.toMatchObject({ code: 'KEY_FILE_FORMAT' });
  });

  const asRoot = process.getuid?.() === 0 ? it : it.skip;
  asRoot('is refused when it belongs to another user', async () => {
    await createKeyFile(path);
    const { chown } = await import('node:fs/promises');
    await chown(path, 12345, 12345);
    await expect(readKeyFile(path)).rejects.toMatchObject({ code: 'KEY_FILE_OWNER' });
  });
});
