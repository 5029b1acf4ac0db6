import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { findOnPath } from './debian-unpack.ts';
import { freePorts } from './free-port.ts';
import { type RedisOptions, type RedisServer, startRedis } from './redis.ts';

const UNPACK_TIMEOUT_MS = 300_000;
const testWithApt = (await findOnPath('apt-get', process.env)) === undefined ? test.skip : test;
let dir: string;
/** Kept over all tests of this file, so that packages are downloaded once. */
let sharedCache: string;
const started: RedisServer[] = [];

beforeAll(async () => {
  sharedCache = await mkdtemp(join(tmpdir(), 'drawbridge-redis-cache-'));
});
afterAll(() => rm(sharedCache, { recursive: true }));
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-redis-'));
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop()));
  await rm(dir, { recursive: true });
});

async function start(options: Partial<RedisOptions> = {}): Promise<RedisServer> {
  const server = await startRedis({ dir, ...options });
  started.push(server);
  return server;
}

async function withClient<T>(server: RedisServer, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(server.url, { retryStrategy: () => null });
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}

test(
  'a Redis that evicts and writes nothing, restarted empty on its port',
  async () => {
    const server = await start();
    const read = (name: string) => withClient(server, async (client) => (await client.config('GET', name)) as string[]);
    expect(await read('maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
    expect(await read('save')).toEqual(['save', '']);
    expect(await read('appendonly')).toEqual(['appendonly', 'no']);
    expect(await read('bind')).toEqual(['bind', '127.0.0.1']);
    expect(await withClient(server, (client) => client.set('a', '1'))).toBe('OK');
    await server.kill9();
    await expect(withClient(server, (client) => client.ping())).rejects.toThrow();
    await server.restart();
    expect(await withClient(server, (client) => client.get('a'))).toBeNull();
    expect(await readdir(dir)).toEqual([]);
  },
  UNPACK_TIMEOUT_MS,
);

test(
  'a port that is taken is an error where it was asked for',
  async () => {
    const first = await start();
    await expect(start({ port: first.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  },
  UNPACK_TIMEOUT_MS,
);

test(
  'a given Redis is used as it is and never stopped',
  async () => {
    const ours = await start();
    const given = await startRedis({ dir, redisUrl: ours.url });
    expect(given).toMatchObject({ url: ours.url, port: ours.port, origin: 'given' });
    await given.stop();
    expect(await withClient(ours, (client) => client.ping())).toBe('PONG');
    await expect(given.kill9()).rejects.toMatchObject({ code: 'REDIS_NOT_OURS' });
    await expect(given.restart()).rejects.toMatchObject({ code: 'REDIS_NOT_OURS' });
  },
  UNPACK_TIMEOUT_MS,
);

test('a given Redis that does not answer, or no URL at all, is refused at once', async () => {
  const [port] = await freePorts(1);
  const silent = startRedis({ dir, redisUrl: `redis://127.0.0.1:${port}` });
  await expect(silent).rejects.toMatchObject({
    code: 'REDIS_UNREACHABLE',
    message: expect.stringContaining(`${port}`),
  });
  await expect(startRedis({ dir, redisUrl: 'localhost' })).rejects.toMatchObject({ code: 'REDIS_URL_INVALID' });
});

test('without Redis, apt or a URL, the error says what was tried and what to do', async () => {
  const failing = startRedis({ dir, cacheDir: join(dir, 'cache'), env: { PATH: dir } });
  await expect(failing).rejects.toMatchObject({
    code: 'REDIS_NOT_FOUND',
    message: expect.stringMatching(/REDIS_URL is not set.*PATH.*no apt-get.*Install Redis/s),
  });
});

/** A PATH with all tools of this system but Redis, and with `replaced` in the place of some. */
async function pathWithoutRedis(replaced: Record<string, string> = {}): Promise<string> {
  const tools = join(dir, 'tools');
  await mkdir(tools);
  for (const folder of (process.env.PATH ?? '').split(':')) {
    const names = await readdir(folder).catch(() => []);
    for (const name of names) {
      if (name.startsWith('redis') || name in replaced) continue;
      await symlink(join(folder, name), join(tools, name)).catch((error) => expect(error.code).toBe('EEXIST'));
    }
  }
  for (const [name, script] of Object.entries(replaced)) {
    await writeFile(join(tools, name), script);
    await chmod(join(tools, name), 0o755);
  }
  return tools;
}

testWithApt(
  'two processes that unpack at once share one cache, and a broken cache is replaced',
  async () => {
    const cacheDir = sharedCache;
    const env = { ...process.env, PATH: await pathWithoutRedis() };
    const both = await Promise.all([start({ cacheDir, env }), start({ cacheDir, env })]);
    expect(both.map(({ origin }) => origin)).toEqual(['debian', 'debian']);
    const unpacked = await readdir(cacheDir);
    expect(unpacked).toHaveLength(1);

    const root = join(cacheDir, unpacked[0] ?? '', 'root');
    await rm(join(root, 'usr', 'bin'), { recursive: true });
    await start({ cacheDir, env });
    expect(await readdir(cacheDir)).toEqual(unpacked);
  },
  UNPACK_TIMEOUT_MS,
);

testWithApt(
  'stale or missing package lists are fetched into the cache, not into the system',
  async () => {
    const real = await findOnPath('apt-get', process.env);
    // As on a fresh container: nothing can be downloaded until lists have been fetched into a folder of our own.
    const withoutLists = `#!/bin/sh\ncase "$*" in *Dir::State::lists*) exec ${real} "$@" ;; esac\necho 'E: No lists' >&2; exit 100\n`;
    const env = { ...process.env, PATH: await pathWithoutRedis({ 'apt-get': withoutLists }) };
    const said: string[] = [];
    const server = await start({ cacheDir: join(dir, 'cache'), env, log: (sentence) => said.push(sentence) });
    expect(server.origin).toBe('debian');
    expect(said.filter((sentence) => sentence.includes('apt-get update'))).toHaveLength(1);
  },
  UNPACK_TIMEOUT_MS,
);

test(
  'a stranger on the port is not taken for the server',
  async () => {
    const [port] = await freePorts(1);
    const impostor = createServer((socket) => socket.resume().end('+PONG\r\n'));
    await new Promise<void>((resolve) => impostor.listen(port, '127.0.0.1', resolve));
    try {
      await expect(start({ port: port ?? 0 })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    } finally {
      await new Promise((resolve) => impostor.close(resolve));
    }
  },
  UNPACK_TIMEOUT_MS,
);
