/**
 * Everywhere that a run leaves bytes: files, Redis, metrics. Left out are the networks' own public data (their logs here,
 * their state in folders of their own) and what the demonstration's invented cast writes for itself: `keys/`, `config/`
 * and `genesis.json`, where names of banks stand because every organisation knows its own.
 */
import { readdir, readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join, relative } from 'node:path';
import type { LocalSystem } from '@drawbridge/demo/local-system';
import { Redis } from 'ioredis';
import type { Place } from './canary-forms.ts';

const LEFT_OUT: ReadonlySet<string> = new Set([
  'keys',
  'config',
  'genesis.json',
  'service.pem',
  'logs/quorum-a.log',
  'logs/quorum-b.log',
]);

/**
 * Where what is registered may be read: the ledger's chunk files hold the genesis and every amendment in clear, for anyone to
 * verify. Nothing else shows it. (The log beside them has amendments in clear until it is cut behind a snapshot; there are none
 * in this run.)
 */
export const mayShowRegistered = (place: string): boolean => /^core(-[0-9]+)?\/ledger\/ledger_[0-9]/.test(place);

/** The folders of the core's nodes, the state folders of connectors and observers, every log. */
export async function filesOf(system: LocalSystem): Promise<Place[]> {
  const places: Place[] = [];
  const walk = async (dir: string): Promise<void> => {
    for (const entry of await readdir(dir, { withFileTypes: true })) {
      const path = join(dir, entry.name);
      const name = relative(system.dir, path);
      if (LEFT_OUT.has(name)) continue;
      if (entry.isDirectory()) await walk(path);
      else if (entry.isFile()) places.push({ name, bytes: withoutZeros(await readFile(path)) });
    }
  };
  await walk(system.dir);
  return places;
}

/** The ledger's files are laid out beforehand: megabytes of zeros, of which the search needs no more than a few. */
function withoutZeros(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return bytes.subarray(0, Math.min(bytes.length, end + 16));
}

/** How each type of key is read whole. */
const READERS: Readonly<Record<string, readonly [command: string, ...args: string[]]>> = {
  string: ['GET'],
  hash: ['HGETALL'],
  list: ['LRANGE', '0', '-1'],
  set: ['SMEMBERS'],
  zset: ['ZRANGE', '0', '-1', 'WITHSCORES'],
  stream: ['XRANGE', '-', '+'],
};

/** Every key and value of a Redis, streams, hashes and sets included. @throws RangeError for a type not known here */
export async function redisPlaces(url: string): Promise<Place[]> {
  const redis = new Redis(url);
  try {
    const places: Place[] = [];
    let cursor = '0';
    do {
      const [next, keys] = (await redis.callBuffer('SCAN', cursor, 'COUNT', '500')) as [Buffer, Buffer[]];
      for (const key of keys) {
        const type = String(await redis.callBuffer('TYPE', key));
        if (type === 'none') continue;
        const [command, ...args] = READERS[type] ?? [];
        if (command === undefined) throw new RangeError(`a Redis key of type ${type} is not searched`);
        const value = await redis.callBuffer(command, key, ...args);
        places.push({ name: `redis ${key}`, bytes: Buffer.concat([key, ...flat(value)]) });
      }
      cursor = String(next);
    } while (cursor !== '0');
    return places;
  } finally {
    redis.disconnect();
  }
}

function flat(value: unknown): Buffer[] {
  if (Buffer.isBuffer(value)) return [value, Buffer.from('\n')];
  return Array.isArray(value) ? value.flatMap(flat) : [Buffer.from(`${String(value)}\n`)];
}

/** What operators' windows show: metrics and health of hub, connectors and observers, the core's own state. */
export async function windowsOf(system: LocalSystem): Promise<Place[]> {
  const places: Place[] = [];
  const connectors = system.networks.flatMap(({ network }) => system.connectors(network));
  for (const { name, url } of [...system.hubs, ...connectors]) {
    for (const path of ['/metrics', '/health', '/healthz']) {
      const body = Buffer.from(await (await fetch(`${url}${path}`)).arrayBuffer());
      places.push({ name: `${name} ${path}`, bytes: body });
    }
  }
  for (const { id, url } of system.observerUrls) {
    for (const path of ['/metrics', '/healthz']) {
      const bytes = await readSecurely(`${url}${path}`, system.identity(id).certFile);
      places.push({ name: `${id} ${path}`, bytes });
    }
  }
  for (const [n, url] of system.coreUrls.entries()) {
    for (const path of [...CORE_WINDOWS, ...(await newestReceipts(system, url))]) {
      places.push({
        name: `core ${n + 1} ${path}`,
        bytes: await readSecurely(`${url}${path}`, system.serviceCertFile),
      });
    }
  }
  return places;
}

/** What anyone may ask of a node of the core. */
const CORE_WINDOWS: readonly string[] = [
  '/node/state',
  '/node/network',
  '/node/network/nodes',
  '/node/commit',
  '/node/consensus',
  '/node/network/nodes/self',
  '/node/version',
];
/** How many of the newest entries have their receipts searched; they come without claims. */
const RECEIPTS = 30;

async function newestReceipts(system: LocalSystem, url: string): Promise<string[]> {
  const answer = JSON.parse(String(await readSecurely(`${url}/node/commit`, system.serviceCertFile))) as {
    transaction_id: string;
  };
  const [view, seqno = 0] = answer.transaction_id.split('.').map(Number);
  return Array.from({ length: RECEIPTS }, (_, n) => `/node/receipt?transaction_id=${view}.${seqno - n}`);
}

async function readSecurely(url: string, certFile: string): Promise<Buffer> {
  const ca = await readFile(certFile);
  return new Promise((resolve, reject) => {
    const sent = request(url, { ca, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve(Buffer.concat(chunks)));
    });
    sent.on('error', reject);
    sent.end();
  });
}
