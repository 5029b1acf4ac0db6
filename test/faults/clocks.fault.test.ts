/** Clocks of nodes that step (libfaketime). The core refuses such a library without `--development`. */

import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@drawbridge/devnets/until';
import type { TransferResource } from '@drawbridge/protocol/api/transfer';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CoreCluster } from '../cluster/core-cluster.ts';
import type { CoreProcess } from '../cluster/core-process.ts';
import { PaymentLoad } from '../cluster/payment-load.ts';
import { findFaketime } from './machine.ts';

const STORY_MS = 300_000;
const PATIENCE_MS = 60_000;
const DEPOSIT_MINOR = 1_000_000_000n;
const HOUR_S = 3_600;
/** A leader may be 2 s off before it is corrected; the rest is what messages and requests take on a busy machine. */
const ALLOWED_OFF_MS = 15_000;

const faketime = await findFaketime();
const missing = 'missing' in faketime ? faketime.missing : undefined;
const story = missing === undefined ? it : it.skip;

let root: string;
let cluster: CoreCluster | undefined;
let load: PaymentLoad;

const offsetFile = (node: CoreProcess): string => join(root, 'clocks', node.name);
/** From now on, while it runs. */
const step = (node: CoreProcess, seconds: number): Promise<void> =>
  writeFile(offsetFile(node), `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}\n`);

beforeAll(async () => {
  if (!('library' in faketime)) return;
  root = await mkdtemp(join(tmpdir(), 'drawbridge-clocks-'));
  await mkdir(join(root, 'clocks'));
  cluster = await CoreCluster.make(root, { nodes: 3 });
  for (const node of cluster.nodes) {
    await step(node, 0);
    node.surroundings = {
      env: {
        LD_PRELOAD: faketime.library,
        FAKETIME_TIMESTAMP_FILE: offsetFile(node),
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
        DONT_FAKE_MONOTONIC: '1',
      },
    };
  }
  await cluster.grow(3);
  await cluster.deposit(DEPOSIT_MINOR);
  load = new PaymentLoad(cluster, DEPOSIT_MINOR);
}, STORY_MS);
afterAll(async () => {
  await load?.stop();
  await cluster?.stop();
  if (root) await rm(root, { recursive: true, force: true });
}, STORY_MS);

/** The time that the ledger gives a payment of now, ms off ours. */
async function stampOff(core: CoreCluster): Promise<number> {
  const { transfer } = await load.one(core.client('bankA', core.nodes), randomUUID());
  return Date.parse((transfer as TransferResource).createdAt) - Date.now();
}

const settled = (core: CoreCluster): Promise<void> =>
  until(
    'stamps near the clocks of the majority',
    PATIENCE_MS,
    async () => Math.abs(await stampOff(core)) < ALLOWED_OFF_MS,
  );

describe(`clocks${missing === undefined ? '' : `, skipped: ${missing}`}`, () => {
  story(
    'a leader whose clock goes an hour ahead, then an hour back, stamps what the others have',
    async () => {
      if (!cluster) throw new Error('there is no cluster');
      load.start(4);
      await load.acknowledges(30);
      expect(Math.abs(await stampOff(cluster))).toBeLessThan(ALLOWED_OFF_MS);
      for (const seconds of [HOUR_S, -HOUR_S]) {
        const leader = await cluster.leader();
        await step(leader, seconds);
        await load.acknowledges(60);
        expect(Math.abs(await stampOff(cluster))).toBeLessThan(ALLOWED_OFF_MS);
        expect((await leader.state()).clockProtected).toBe(true);
        await step(leader, 0);
      }
      await load.stop();
      await load.judge();
    },
    STORY_MS,
  );

  story(
    'a follower whose clock is wrong stamps as the others when it leads',
    async () => {
      if (!cluster) throw new Error('there is no cluster');
      const leader = await cluster.leader();
      const [one, other] = await cluster.followers();
      if (!one || !other) throw new Error('there are three');
      await step(one, -HOUR_S);
      load.start(4);
      await load.acknowledges(30);
      await leader.kill9();
      await load.acknowledges(30);
      await settled(cluster);
      await cluster.again(leader);
      await step(one, 0);
      await load.stop();
      await cluster.voters(3);
      await load.judge();
    },
    STORY_MS,
  );

  story(
    'all clocks going back do not take the time of the ledger back',
    async () => {
      if (!cluster) throw new Error('there is no cluster');
      const client = cluster.client('bankA');
      const before = (await load.one(client, randomUUID())).transfer;
      for (const node of cluster.nodes) await step(node, -HOUR_S);
      await until('the others know', PATIENCE_MS, async () => {
        const after = (await load.one(client, randomUUID())).transfer;
        return Date.parse(after.createdAt) >= Date.parse(before.createdAt);
      });
      for (let i = 0; i < 20; i += 1) {
        const after = (await load.one(client, randomUUID())).transfer;
        expect(Date.parse(after.createdAt)).toBeGreaterThanOrEqual(Date.parse(before.createdAt));
      }
      await load.judge();
    },
    STORY_MS,
  );
});
