import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { IntentJournal } from './intent-journal.ts';
import { lockFile } from './process-lock.ts';

let dir: string;
let file: string;
const journals: IntentJournal[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-journal-'));
  file = join(dir, 'intents');
});
afterEach(async () => {
  await Promise.all(journals.splice(0).map((journal) => journal.close()));
  await rm(dir, { recursive: true });
});

async function open(
  overrides: { secret?: string; binding?: string; compactAfter?: number } = {},
): Promise<IntentJournal> {
  const journal = await IntentJournal.open({ file, secret: 's', binding: 'b', compactAfter: 100, ...overrides });
  journals.push(journal);
  return journal;
}
async function reopen(overrides: Parameters<typeof open>[0] = {}): Promise<IntentJournal> {
  await journals.pop()?.close();
  return open(overrides);
}
const sent = (key: string, nonce: number, raw: `0x${string}` = '0xabcd') => ({ op: 'sent', key, nonce, raw }) as const;

test('what was sent and not closed is there after a restart, replacements with it', async () => {
  const journal = await open();
  await journal.append([sent('a', 1), sent('b', 2)]);
  await journal.append([sent('b', 2, '0xbeef')]);
  await journal.append([{ op: 'closed', key: 'a', nonce: 1 }]);
  expect((await reopen()).openIntents()).toEqual([{ key: 'b', nonce: 2, raws: ['0xabcd', '0xbeef'] }]);
});

test('the file tells nothing, and only its owner may read it', async () => {
  await (await open()).append([sent('instruction', 1, '0xdeadbeef')]);
  const text = await readFile(file, 'utf8');
  expect(text).not.toMatch(/deadbeef|instruction|sent/);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test('a line torn by a crash is left out, the others count', async () => {
  await (await open()).append([sent('a', 1)]);
  await appendFile(file, 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA');
  const journal = await reopen();
  expect([journal.openIntents().length, journal.unreadable]).toEqual([1, 1]);
});

test.each([{ secret: 'other' }, { binding: 'other' }])(
  'lines of another key, account or chain do not count: %o',
  async (other) => {
    await (await open()).append([sent('a', 1)]);
    const journal = await reopen(other);
    expect([journal.openIntents().length, journal.unreadable]).toEqual([0, 1]);
  },
);

test('the file is written anew when it has grown, and loses nothing', async () => {
  const journal = await open({ compactAfter: 4 });
  for (let nonce = 0; nonce < 20; nonce += 1) {
    await journal.append([sent('a', nonce)]);
    if (nonce > 0) await journal.append([{ op: 'closed', key: 'a', nonce: nonce - 1 }]);
  }
  expect((await readFile(file, 'utf8')).trim().split('\n').length).toBeLessThan(6);
  expect((await reopen()).openIntents()).toEqual([{ key: 'a', nonce: 19, raws: ['0xabcd'] }]);
});

test('one process at a time', async () => {
  await open();
  await expect(open()).rejects.toMatchObject({ code: 'STATE_IN_USE' });
});

test('a lock is held by a process that lives; a dead one does not bar the way', async () => {
  const lock = join(dir, 'lock');
  await writeFile(lock, '1');
  await expect(lockFile(lock)).rejects.toMatchObject({ code: 'STATE_IN_USE' });
  for (const dead of ['', 'nonsense', '999999999']) {
    await writeFile(lock, dead);
    await (await lockFile(lock))();
  }
});
