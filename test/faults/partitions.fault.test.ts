/** Nodes on hosts of their own (network namespaces) whose cables are cut. Needs root. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@drawbridge/devnets/until';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CoreCluster, EUR } from '../cluster/core-cluster.ts';
import type { CoreProcess } from '../cluster/core-process.ts';
import { PaymentLoad } from '../cluster/payment-load.ts';
import { Hosts, namespacesMissing } from './machine.ts';

const STORY_MS = 240_000;
const PATIENCE_MS = 60_000;
const DEPOSIT_MINOR = 1_000_000_000n;
const LANES = 6;
const SOME = 60;

const missing = await namespacesMissing();
const story = missing === undefined ? it : it.skip;

let root: string;
let hosts: Hosts | undefined;
let cluster: CoreCluster | undefined;
let load: PaymentLoad;

beforeAll(async () => {
  if (missing !== undefined) return;
  root = await mkdtemp(join(tmpdir(), 'drawbridge-partitions-'));
  const made = await Hosts.make(3);
  hosts = made;
  cluster = await CoreCluster.make(root, { nodes: 3, hosts: made.addresses });
  for (const [n, node] of cluster.nodes.entries()) node.surroundings = { prefix: made.prefix(n) };
  await cluster.grow(3);
  await cluster.deposit(DEPOSIT_MINOR);
  load = new PaymentLoad(cluster, DEPOSIT_MINOR);
}, STORY_MS);
afterEach(async () => {
  if (!cluster || !hosts) return;
  await hosts.heal();
  await load.acknowledges(SOME);
  await load.stop();
  await cluster.voters(3);
  await load.judge();
}, STORY_MS);
afterAll(async () => {
  await cluster?.stop();
  await hosts?.remove();
  if (root) await rm(root, { recursive: true, force: true });
}, STORY_MS);

/** What the stories need. @throws never where they are not skipped */
function parts(): Readonly<{ cut: Hosts; core: CoreCluster; place: (node: CoreProcess) => number }> {
  if (!hosts || !cluster) throw new Error('there is no cluster');
  const { nodes } = cluster;
  return { cut: hosts, core: cluster, place: (node) => nodes.indexOf(node) };
}

async function othersLead(core: CoreCluster, old: CoreProcess): Promise<void> {
  await until('another leads', PATIENCE_MS, async () => {
    const others = await Promise.all(core.up.filter((node) => node !== old).map((node) => node.state()));
    return others.some(({ role }) => role === 'leader');
  });
}

describe(`partitions${missing === undefined ? '' : `, skipped: ${missing}`}`, () => {
  story(
    'a leader cut off from the others, but not from clients, answers nothing that is not so any more',
    async () => {
      const { cut, core, place } = parts();
      load.start(LANES);
      await load.acknowledges(SOME);
      const old = await core.leader();
      for (const node of core.nodes) if (node !== old) await cut.cut(place(old), place(node));
      await othersLead(core, old);
      await load.acknowledges(SOME);
      const answer = await core.raw('bankA', old).send('GET', `/v1/accounts/${EUR}`);
      expect(answer.status).toBe(503);
    },
    STORY_MS,
  );

  story(
    'a leader whose words do not arrive, though it hears the others, is replaced',
    async () => {
      const { cut, core, place } = parts();
      load.start(LANES);
      await load.acknowledges(SOME);
      const old = await core.leader();
      for (const node of core.nodes) if (node !== old) await cut.cutOneWay(place(old), place(node));
      await othersLead(core, old);
      await load.acknowledges(SOME);
    },
    STORY_MS,
  );

  story(
    'a follower without a cable, then the leader',
    async () => {
      const { cut, core, place } = parts();
      load.start(LANES);
      const [follower] = await core.followers();
      if (!follower) throw new Error('there are three');
      await cut.unplug(place(follower));
      await load.acknowledges(SOME);
      await cut.heal();
      await load.acknowledges(SOME);
      const old = await core.leader();
      await cut.unplug(place(old));
      await othersLead(core, old);
      await load.acknowledges(SOME);
    },
    STORY_MS,
  );

  story(
    'two followers that do not hear each other leave the leader in peace',
    async () => {
      const { cut, core, place } = parts();
      load.start(LANES);
      await load.acknowledges(SOME);
      const leader = await core.leader();
      const { view } = await leader.state();
      const [one, other] = await core.followers();
      if (!one || !other) throw new Error('there are three');
      await cut.cut(place(one), place(other));
      await load.acknowledges(2 * SOME);
      expect(await leader.state()).toMatchObject({ role: 'leader', view });
    },
    STORY_MS,
  );

  story(
    'nobody hears anybody: nothing is acknowledged until that ends',
    async () => {
      const { cut, core } = parts();
      load.start(LANES);
      await load.acknowledges(SOME);
      for (const [a, b] of [
        [0, 1],
        [0, 2],
        [1, 2],
      ] as const)
        await cut.cut(a, b);
      await until('nobody leads', PATIENCE_MS, async () => {
        const states = await Promise.all(core.nodes.map((node) => node.state()));
        return states.every(({ role }) => role !== 'leader');
      });
    },
    STORY_MS,
  );
});
