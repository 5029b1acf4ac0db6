/** Disks that are full, that change what they hold, or that are far behind. */
import { execFile } from 'node:child_process';
import { mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from '@drawbridge/devnets/until';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CoreCluster } from '../cluster/core-cluster.ts';
import type { CoreProcess } from '../cluster/core-process.ts';
import { copyLedger, differenceOf } from '../cluster/ledger-folders.ts';
import { PaymentLoad } from '../cluster/payment-load.ts';
import { mountMemory, mountsMissing, unmount } from './machine.ts';

const STORY_MS = 300_000;
const PATIENCE_MS = 120_000;
const DEPOSIT_MINOR = 1_000_000_000_000n;
const LANES = 8;
const SOME = 60;
const BATCH = 1_000;
/** Most batches that a chunk may need to be closed. */
const MAX_BATCHES = 200;
/** How many entries the others go on while one is away. */
const BEHIND = Number(process.env.DRAWBRIDGE_FAULTS_BEHIND ?? '1500');
/** Room of a node's disk, MiB: segments of the log are laid out beforehand, and 2 KiB of ledger and history an entry. */
const DISK_MIB = 192 + Math.ceil(BEHIND / 512);
/** Behind by many, they are made of batches, each payment an entry of its own, and many on their way at once. */
const MANY = BEHIND > 10_000;
const ENTRIES = MANY ? ['--entries-in-flight', '64', '--entry-commands', '1'] : [];
/** From its start until it is ready again, ms: it has applied all of them by then. */
const READY_MS = Math.max(PATIENCE_MS, 4 * BEHIND);
/** So many, and less, are behind a snapshot that the log is cut for. */
const SNAPSHOT_ENTRIES = Math.min(50_000, Math.floor(BEHIND / 4));

const call = promisify(execFile);
const missing = await mountsMissing();
const story = missing === undefined ? it : it.skip;

let root: string;
let cluster: CoreCluster;
let load: PaymentLoad;
const mounted: string[] = [];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'drawbridge-disks-'));
  if (missing === undefined) {
    for (const name of ['core-1', 'core-2', 'core-3']) {
      const dir = join(root, 'disks', name);
      await mountMemory(dir, DISK_MIB);
      mounted.push(dir);
    }
  }
  cluster = await CoreCluster.make(root, {
    nodes: 3,
    dirOf: (name) => join(root, 'disks', name, 'node'),
    args: ['--snapshot-entries', String(SNAPSHOT_ENTRIES), ...ENTRIES],
  });
  await cluster.grow(3);
  await cluster.deposit(DEPOSIT_MINOR);
  load = new PaymentLoad(cluster, DEPOSIT_MINOR);
}, STORY_MS);
afterEach(async () => {
  await load.stop();
  await cluster.voters(3);
  await load.judge();
}, STORY_MS);
afterAll(async () => {
  await cluster?.stop();
  for (const dir of mounted) await unmount(dir);
  await rm(root, { recursive: true, force: true });
}, STORY_MS);

describe(`a full disk${missing === undefined ? '' : `, skipped: ${missing}`}`, () => {
  story.each(['follower', 'leader'] as const)(
    'stops the %s, which says so, and goes on once there is room',
    async (role) => {
      load.start(LANES);
      await load.acknowledges(SOME);
      const [follower] = await cluster.followers();
      const node = role === 'leader' ? await cluster.leader() : follower;
      if (!node) throw new Error('there are three');
      const filler = join(node.dir, '..', 'filler');
      // Ends where there is no more room.
      await call('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4096']).catch(() => undefined);
      try {
        expect(await node.exited()).toEqual({ code: 1, signal: null });
      } finally {
        await rm(filler);
      }
      expect((await node.log()).split('\n').filter((line) => /Free space|ENOSPC|no space/i.test(line))).not.toEqual([]);
      await load.acknowledges(SOME);
      await cluster.again(node);
      await load.acknowledges(SOME);
    },
    STORY_MS,
  );
});

describe('a byte that changes in a closed chunk of one node', () => {
  it(
    'is found by the command line, and by the node, which serves nothing of it and takes the chunk from another',
    async () => {
      const [node] = await cluster.followers();
      if (!node) throw new Error('there are three');
      const client = cluster.client('bankA', [await cluster.leader()]);
      const { transactionId = '' } = await client.submitTransfer(load.terms());
      const name = await closedChunk(node, () => load.batch(client, BATCH));
      await until('the chunk is closed everywhere', PATIENCE_MS, async () => {
        const folders = await Promise.all(cluster.up.map((each) => readdir(join(each.dir, 'ledger'))));
        return folders.every((names) => names.includes(name));
      });
      expect((await node.stop())?.code).toBe(0);
      await flipByte(join(node.dir, 'ledger', name), transactionId);

      const damaged = await cluster.verify('ledger', await copyLedger(node.dir, join(root, 'damaged')));
      expect([damaged.code, damaged.stdout]).toEqual([1, expect.stringContaining(name)]);

      await cluster.again(node);
      // Asked for it, the node finds the damage, and takes what stood there from another node.
      await until('a receipt that stands', PATIENCE_MS, async () => {
        const { status, body } = await node.get(`/node/receipt?transaction_id=${transactionId}`);
        if (status !== 200) return false;
        const file = join(root, 'receipt.json');
        await writeFile(file, JSON.stringify(body));
        expect(await cluster.verify('receipt', file, '--transaction', transactionId)).toMatchObject({ code: 0 });
        return true;
      });
      const said = (await node.log()).split('\n').filter((line) => line.includes('LEDGER_DAMAGED'));
      expect(said.some((line) => line.includes(name))).toBe(true);
      const mended = await copyLedger(node.dir, join(root, 'mended'));
      expect(await cluster.verify('ledger', mended)).toMatchObject({ code: 0 });
      const healthy = cluster.up.find((each) => each !== node) ?? node;
      expect(await differenceOf(mended, await copyLedger(healthy.dir, join(root, 'healthy')))).toBeUndefined();
    },
    STORY_MS,
  );
});

describe('a follower that is far behind', () => {
  it(
    `comes back over ${BEHIND} entries by records of the ledger, since the log was cut, and has all of them`,
    async () => {
      const [node] = await cluster.followers();
      if (!node) throw new Error('there are three');
      const { lastSeqno } = await node.state();
      await node.kill9();
      const saidBefore = (await node.log()).length;
      const leader = await cluster.leader();
      if (MANY) load.start(LANES, [leader], BATCH);
      else load.start(4 * LANES, cluster.up);
      await until(`${BEHIND} entries`, STORY_MS * Math.max(1, BEHIND / 10_000), async () => {
        return (await leader.state()).lastSeqno - lastSeqno >= BEHIND;
      });
      // Payments go on while it catches up; many entries a second more than one node applies would never end.
      if (MANY) {
        await load.stop();
        load.start(1, cluster.up);
      }
      await cluster.again(node, READY_MS);
      await load.stop();
      await cluster.voters(3);
      await load.judge();
      const said = (await node.log()).slice(saidBefore);
      for (const what of ['catching up by records of the ledger', 'caught up']) expect(said).toContain(what);
      await cluster.stop();
      const folders = await Promise.all(
        cluster.nodes.map((each) => copyLedger(each.dir, join(root, `behind-${each.name}`))),
      );
      for (const other of folders.slice(1)) expect(await differenceOf(folders[0] ?? '', other)).toBeUndefined();
      await Promise.all(cluster.nodes.map((each) => cluster.again(each)));
    },
    STORY_MS * Math.max(1, BEHIND / 5_000),
  );
});

/** Makes entries until a chunk of the node is closed. @returns the file's name */
async function closedChunk(node: CoreProcess, more: () => Promise<void>): Promise<string> {
  for (let batches = 0; batches < MAX_BATCHES; batches += 1) {
    const name = (await readdir(join(node.dir, 'ledger'))).find((each) => each.endsWith('.committed'));
    if (name !== undefined) return name;
    await more();
  }
  throw new Error(`${MAX_BATCHES} batches close no chunk`);
}

/** One bit of one byte within the record of a transaction. */
async function flipByte(path: string, transactionId: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const bytes = await file.readFile();
    const [view = 0, seqno = 0] = transactionId.split('.').map(Number);
    const place = Buffer.alloc(16);
    place.writeBigUInt64BE(BigInt(view), 0);
    place.writeBigUInt64BE(BigInt(seqno), 8);
    // Behind view and seqno: epoch, two digests, then the data.
    const at = bytes.indexOf(place) + place.length + 4 + 64 + 8;
    await file.write(Buffer.of((bytes[at] ?? 0) ^ 1), 0, 1, at);
  } finally {
    await file.close();
  }
}
