/** Processes that end, or stand still, in the middle of payments. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@drawbridge/devnets/until';
import { afterAll, afterEach, beforeAll, describe, it } from '@jest/globals';
import { CoreCluster } from '../cluster/core-cluster.ts';
import { PaymentLoad } from '../cluster/payment-load.ts';

const STORY_MS = 240_000;
const PATIENCE_MS = 60_000;
const DEPOSIT_MINOR = 1_000_000_000n;
const LANES = 8;
const SOME = 60;

let root: string;
let cluster: CoreCluster;
let load: PaymentLoad;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'drawbridge-kills-'));
  cluster = await CoreCluster.make(root, { nodes: 3 });
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
  await rm(root, { recursive: true, force: true });
}, STORY_MS);

describe('payments go on, and none is lost or made twice, when', () => {
  it.each(['leader', 'follower'] as const)(
    'the %s is killed, twice',
    async (role) => {
      load.start(LANES);
      for (let round = 0; round < 2; round += 1) {
        await load.acknowledges(SOME);
        const node = role === 'leader' ? await cluster.leader() : (await cluster.followers())[round];
        if (!node) throw new Error('there are three');
        await node.kill9();
        await load.acknowledges(SOME);
        await cluster.again(node);
      }
      await load.acknowledges(SOME);
    },
    STORY_MS,
  );

  it.each(['leader', 'follower'] as const)(
    'the %s stands still for longer than an election, and goes on',
    async (role) => {
      load.start(LANES);
      await load.acknowledges(SOME);
      const leader = await cluster.leader();
      const [follower] = await cluster.followers();
      const node = role === 'leader' ? leader : follower;
      if (!node) throw new Error('there are three');
      node.signal('SIGSTOP');
      try {
        if (role === 'leader')
          await until('another leads', PATIENCE_MS, async () => (await cluster.leader()) !== leader);
        await load.acknowledges(SOME);
      } finally {
        node.signal('SIGCONT');
      }
      await load.acknowledges(SOME);
    },
    STORY_MS,
  );

  it(
    'all are killed at once',
    async () => {
      load.start(LANES);
      await load.acknowledges(SOME);
      await Promise.all(cluster.nodes.map((node) => node.kill9()));
      await Promise.all(cluster.nodes.map((node) => cluster.again(node)));
      await load.acknowledges(SOME);
    },
    STORY_MS,
  );
});
