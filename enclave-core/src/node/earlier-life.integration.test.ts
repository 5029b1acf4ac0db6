/** On the folder of a real node that made payments and snapshots and then lost its place. */
import { createHash } from 'node:crypto';
import { appendFile, cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FILE_LOG_STORE_DEFAULTS, FileLogStore } from '../consensus/file-log-store.ts';
import { nodeDisk } from '../consensus/log/disk.ts';
import { EarlierSnapshots } from '../consensus/log/earlier-snapshots.ts';
import type { StoredSnapshot } from '../consensus/ports.ts';
import { KeyRing } from '../keys/key-ring.ts';
import type { NodeLog } from '../node-log.ts';
import { BANK_A, GENESIS, START_MS } from '../settlement/testing/world.ts';
import { type EarlierLife, storageAfterLife } from './earlier-life.ts';
import { systemHost } from './node-host.ts';
import { fileStorage, type NodeStorage } from './node-storage.ts';
import { openImage, sealImage } from './state-image.ts';
import { NodeDriver, testService } from './testing/node-driver.ts';
import { pay } from './testing/payments.ts';
import { TestService } from './testing/test-service.ts';

const EVERY = 20;
const LIMIT_MS = 60_000;
const keys = testService.keys();
const mostly = { keys, serviceCertificate: testService.certificate };

/** What the life left: the folder, and a copy of it from its first half. */
let root: string;
let dir: string;
let lines: string[];
let storage: NodeStorage | undefined;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'drawbridge-earlier-'));
  const live = join(root, 'live');
  let driver = await NodeDriver.start(live, { snapshots: { snapshotEveryEntries: EVERY } });
  const newest = async (): Promise<string> =>
    (await readdir(join(live, 'log'))).findLast((name) => name.endsWith('.dbsnap')) ?? '';
  /** Two more snapshots are kept by then. */
  const half = async (name: string): Promise<void> => {
    await driver.deposit(BANK_A, 10_000n, name);
    let paid = 0;
    for (let kept = 0; kept < 2; kept++) {
      const before = await newest();
      while ((await newest()) === before) await driver.run(pay(`${name} ${++paid}`, 1n));
    }
    await driver.stop();
  };
  await half('first');
  await cp(live, join(root, 'older'), { recursive: true });
  driver = await NodeDriver.start(live, { snapshots: { snapshotEveryEntries: EVERY } });
  await half('second');
}, LIMIT_MS);
afterAll(() => rm(root, { recursive: true, force: true }));

beforeEach(async () => {
  dir = join(await mkdtemp(join(root, 'case-')), 'node');
  lines = [];
});
afterEach(() => closed());

const snapshots = (): EarlierSnapshots => new EarlierSnapshots(nodeDisk, join(dir, 'earlier'));
const path = (folder: string): string => join(dir, folder);

/** As a start with a new place does it: the log goes, its snapshots are set aside. */
async function laidAside(life: 'live' | 'older' = 'live'): Promise<StoredSnapshot[]> {
  await cp(join(root, life), dir, { recursive: true });
  await snapshots().takeFrom(path('log'));
  await rm(path('log'), { recursive: true });
  const found: StoredSnapshot[] = [];
  for await (const snapshot of snapshots().whole()) found.push(snapshot);
  return found;
}

async function begin(changes: Partial<EarlierLife> = {}): Promise<NodeStorage> {
  const line = (_: object, message: string): void => void lines.push(message);
  const log: NodeLog = { info: line, warn: line, error: line };
  const host = systemHost(() => START_MS);
  const discard = async (): Promise<void> => {
    for (const name of ['ledger', 'history', 'earlier']) await rm(path(name), { recursive: true, force: true });
  };
  const open = fileStorage({ dir, serviceId: GENESIS.serviceId }, testKeys(), host);
  storage = await storageAfterLife(open, { snapshots: snapshots(), ...mostly, discard, log, ...changes })(
    () => undefined,
  );
  return storage;
}

/** Of the driver's disk. */
const testKeys = (): KeyRing => new KeyRing({ secret: createHash('sha256').update(testService.first.nodeId).digest() });

const begunAnew = async (begun: NodeStorage): Promise<void> => {
  expect([begun.earlier, begun.ledger.storedSeqno, begun.history.lastSeqno]).toEqual([undefined, 0, 0]);
  expect(await readdir(dir)).not.toContain('earlier');
};

/** A snapshot file with another state in the place of the newest one. */
async function planted(snapshot: StoredSnapshot, change: (index: number) => Promise<Uint8Array[]>): Promise<void> {
  const { index, term, confState, head } = snapshot;
  const directory = path('planting');
  const store = await FileLogStore.open(
    { ...FILE_LOG_STORE_DEFAULTS, directory },
    { entropy: systemHost(() => START_MS).entropy },
  );
  const writer = await store.beginSnapshot({ index, term, confState });
  for (const piece of await change(index)) await writer.add(piece);
  await writer.keep(head);
  await store.close();
  await snapshots().takeFrom(directory);
  await rm(directory, { recursive: true });
}

describe('what an earlier life left', () => {
  it('is kept with the newest snapshot that the ledger vouches for', async () => {
    const [newest, before] = await laidAside();
    expect(newest?.index).toBeGreaterThan(before?.index ?? Infinity);
    const { earlier, ledger, history } = await begin();
    expect(earlier?.index).toBe(newest?.index);
    expect(ledger.storedSeqno).toBeGreaterThan(earlier?.index ?? Infinity);
    expect(history.lastSeqno).toBe(ledger.storedSeqno);
    expect(earlier && history.believe(earlier.index, earlier.digest)).toBe(true);
    await earlier?.discard();
    expect(await readdir(path('earlier'))).toEqual([]);
  });

  it('is kept as far as it goes where the host put an older disk back', async () => {
    const [newest] = await laidAside('older');
    const { earlier, ledger, history } = await begin();
    expect(earlier?.index).toBe(newest?.index);
    expect(earlier && history.believe(earlier.index, earlier.digest)).toBe(true);
    const ahead = await new EarlierSnapshots(nodeDisk, join(root, 'live', 'log')).whole().next();
    expect(ledger.storedSeqno).toBeLessThan(ahead.value?.index ?? 0);
  });

  it('is nothing where no snapshot is left, or none is whole', async () => {
    await cp(join(root, 'live'), dir, { recursive: true });
    await rm(path('log'), { recursive: true });
    await begunAnew(await begin());
    await closed();
    await rm(dir, { recursive: true });
    for (const { index } of await laidAside()) await appendFile(snapshotFile(index), 'x');
    await begunAnew(await begin());
  });

  it('is an earlier one where the newest cannot be read', async () => {
    const [newest, before] = await laidAside();
    await appendFile(snapshotFile(newest?.index ?? 0), 'x');
    expect((await begin()).earlier?.index).toBe(before?.index);
  });

  it('is nothing where the ledger is gone, or ends before the entry that vouches', async () => {
    await laidAside();
    await rm(path('ledger'), { recursive: true });
    await begunAnew(await begin());
    expect(lines.filter((line) => line.includes('passed over'))).toHaveLength(2);
    await closed();
    await rm(dir, { recursive: true });
    const taken = await laidAside();
    await rm(path('ledger'), { recursive: true });
    await cp(join(root, 'older', 'ledger'), path('ledger'), { recursive: true });
    expect(taken[1]?.index).toBeGreaterThan(0);
    await begunAnew(await begin());
  });

  it('is nothing where the ledger is damaged, and says so', async () => {
    await laidAside();
    const chunk = (await readdir(path('ledger'))).find((name) => name.startsWith('ledger_'));
    const file = join(path('ledger'), chunk ?? '');
    const bytes = await readFile(file);
    bytes.writeUInt8(bytes.readUInt8(200) ^ 1, 200);
    await writeFile(file, bytes);
    await begunAnew(await begin());
    expect(lines).toContain('what an earlier life left cannot be opened');
  });

  it('is nothing to a service under another certificate', async () => {
    await laidAside();
    await begunAnew(await begin({ serviceCertificate: new TestService().certificate }));
  });

  it('is nothing without the secrets that it was sealed under', async () => {
    await laidAside();
    await begunAnew(await begin({ keys: testService.keys(Buffer.alloc(32, 7)) }));
  });

  it('is not what someone made who knows the secrets: the ledger vouches for another state', async () => {
    const [newest, before] = await laidAside();
    if (!newest || !before) throw new Error('two are kept');
    await planted(newest, async (index) => {
      // The true one of before, dressed up as the newest.
      const { state } = await openImage(keys, before.index, before);
      const pieces: Uint8Array[] = [];
      await sealImage(keys, { ...state, index }, async (piece) => void pieces.push(Buffer.from(piece)));
      return pieces;
    });
    expect((await begin()).earlier?.index).toBe(before.index);
    expect(lines).toContain('a snapshot of an earlier life is passed over');
  });
});

const snapshotFile = (index: number): string =>
  join(path('earlier'), `snapshot-${String(index).padStart(16, '0')}.dbsnap`);

async function closed(): Promise<void> {
  await storage?.history.close();
  await storage?.ledger.close();
  await storage?.log.close();
  storage = undefined;
}
