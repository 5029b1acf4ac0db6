import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { FileKeychain } from './file-keychain.ts';

let root: string;
let dir: string;
let keychain: FileKeychain;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'drawbridge-keychain-'));
  dir = join(root, 'keys');
  keychain = new FileKeychain({ keychainId: 'k', instanceId: 'i', dir });
  await keychain.onPluginInit();
});
afterEach(() => rm(root, { recursive: true }));

test('keeps, replaces and forgets entries in files that only their owner reads', async () => {
  expect(await keychain.has('a')).toBe(false);
  await keychain.set('a', 'one');
  await keychain.set('a', 'two');
  expect(await keychain.get('a')).toBe('two');
  expect((await stat(join(dir, 'a'))).mode & 0o777).toBe(0o600);
  expect(await readdir(dir)).toEqual(['a']);
  await keychain.delete('a');
  expect(await keychain.has('a')).toBe(false);
});

test.each(['../outside', '/etc/passwd', '..', '.', '', 'a/b', 'a\0b', '.hidden', 'x'.repeat(300), 'ä'])(
  'the name %p stays inside the folder',
  async (name) => {
    await keychain.set(name, 'value');
    expect(await keychain.get(name)).toBe('value');
    expect(await readdir(root)).toEqual(['keys']);
    const [file = ''] = await readdir(dir);
    expect(file).toMatch(/^%[0-9a-f]{64}$/);
  },
);

test('what others may read is refused: a file, and the folder', async () => {
  await keychain.set('a', 'one');
  await chmod(join(dir, 'a'), 0o640);
  await expect(keychain.get('a')).rejects.toMatchObject({ code: 'CONFIG_KEY_EXPOSED' });
  await chmod(dir, 0o755);
  await expect(keychain.onPluginInit()).rejects.toMatchObject({ code: 'CONFIG_KEY_EXPOSED' });
});

test('an entry written by hand is read', async () => {
  await writeFile(join(dir, 'by-hand'), '0x01\n', { mode: 0o600 });
  expect(await keychain.get('by-hand')).toBe('0x01\n');
});
