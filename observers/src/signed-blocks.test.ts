import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseNetworkId } from '@drawbridge/protocol/ids';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type SignedBlock, SignedBlocks } from './signed-blocks.ts';
import { wordOf } from './testing/fake-node.ts';

let dir: string;
let path: string;
let opened: SignedBlocks[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-signed-'));
  path = join(dir, 'signed-blocks');
  opened = [];
});
afterEach(async () => {
  await Promise.all(opened.map((blocks) => blocks.close()));
  await rm(dir, { recursive: true });
});

async function openBlocks(limit = 100): Promise<SignedBlocks> {
  const blocks = await SignedBlocks.open(path, limit);
  opened.push(blocks);
  return blocks;
}
const block = (blockNumber: number, hashByte: number, network = 'alpha', genesisByte = 0x9e): SignedBlock => ({
  network: parseNetworkId(network),
  genesisHash: wordOf(genesisByte),
  blockNumber,
  blockHash: wordOf(hashByte),
});

test('binds a number to one hash, per network and genesis', async () => {
  const blocks = await openBlocks();
  expect(await blocks.claim(block(5, 1))).toBe('held');
  expect(await blocks.claim(block(5, 1))).toBe('held');
  expect(await blocks.claim(block(5, 2))).toBe('equivocation');
  expect(await blocks.claim(block(6, 2))).toBe('held');
  expect(await blocks.claim(block(5, 2, 'beta'))).toBe('held');
  expect(await blocks.claim(block(5, 2, 'alpha', 0x9f))).toBe('held');
  expect(blocks.size).toBe(4);
});

test('is on disk before it answers, and holds after a restart', async () => {
  const blocks = await openBlocks();
  await blocks.claim(block(5, 1));
  expect(await readFile(path, 'utf8')).toMatch(/^alpha 0x(9e){32} 5 0x(01){32} [0-9a-f]{8}\n$/);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  await blocks.close();
  const again = await openBlocks();
  expect(await again.claim(block(5, 2))).toBe('equivocation');
  expect(await again.claim(block(5, 1))).toBe('held');
});

test('of two hashes claimed at once one wins, and many claims share a flush', async () => {
  const blocks = await openBlocks(1_000);
  const results = await Promise.all([
    blocks.claim(block(5, 1)),
    blocks.claim(block(5, 2)),
    ...Array.from({ length: 500 }, (_, i) => blocks.claim(block(100 + i, 3))),
    blocks.claim(block(5, 1)),
  ]);
  expect(results.filter((result) => result === 'equivocation')).toHaveLength(1);
  await blocks.close();
  expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(502);
  expect((await openBlocks(1_000)).size).toBe(501);
});

test('an unfinished last line is cut', async () => {
  await (await openBlocks()).claim(block(5, 1));
  const { size } = await stat(path);
  await appendFile(path, 'alpha 0x9e9e');
  const again = await openBlocks();
  expect((await stat(path)).size).toBe(size);
  expect(await again.claim(block(5, 2))).toBe('equivocation');
});

test.each([
  ['a hash changed', (text: string) => text.replace('0x0101', '0x0202')],
  ['a number changed', (text: string) => text.replace(' 5 ', ' 6 ')],
  ['a check changed', (text: string) => `${text.slice(0, -2)}x\n`],
  ['an empty line', (text: string) => `\n${text}`],
  ['a line twice', (text: string) => text + text],
])('a file with %s is not opened', async (_, change) => {
  const blocks = await openBlocks();
  await blocks.claim(block(5, 1));
  await writeFile(path, change(await readFile(path, 'utf8')));
  const corrupt = { code: 'SIGNED_BLOCKS_CORRUPT', message: expect.stringContaining(path) };
  await expect(SignedBlocks.open(path, 100)).rejects.toMatchObject(corrupt);
});

test('beyond its bound it takes nothing new, and still knows the old', async () => {
  const blocks = await openBlocks(1);
  await blocks.claim(block(5, 1));
  await expect(blocks.claim(block(6, 1))).rejects.toMatchObject({ code: 'SIGNED_BLOCKS_FULL' });
  expect(await blocks.claim(block(5, 1))).toBe('held');
  expect(await blocks.claim(block(5, 2))).toBe('equivocation');
});

test('after a failed write it claims nothing more', async () => {
  const blocks = await openBlocks();
  await blocks.claim(block(5, 1));
  await appendFile(path, 'written by another process\n');
  await expect(blocks.claim(block(6, 1))).rejects.toMatchObject({ code: 'SIGNED_BLOCKS_FAILED' });
  await expect(blocks.claim(block(5, 1))).rejects.toMatchObject({ code: 'SIGNED_BLOCKS_FAILED' });
});

test('a closed record claims nothing', async () => {
  const blocks = await SignedBlocks.open(path, 10);
  await blocks.close();
  await expect(blocks.claim(block(5, 1))).rejects.toMatchObject({ code: 'SIGNED_BLOCKS_CLOSED' });
});

test('a long record is read in pieces', async () => {
  const blocks = await openBlocks(20_000);
  await Promise.all(Array.from({ length: 7_000 }, (_, i) => blocks.claim(block(i, i % 256))));
  const again = await openBlocks(20_000);
  expect(again.size).toBe(7_000);
  expect(await again.claim(block(6_999, 0))).toBe('equivocation');
});
