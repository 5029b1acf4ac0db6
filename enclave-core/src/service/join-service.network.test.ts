/** Whole nodes of one service, each with its folder, peers and API: joining, coming back, leaving. */
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Action } from '@drawbridge/governance/action';
import { amendmentBytes } from '@drawbridge/governance/amendment';
import { parseParticipantId } from '@drawbridge/protocol/ids';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { TransactionId } from '../core-service.ts';
import { History } from '../history/history.ts';
import type { CoreNode } from '../node/core-node.ts';
import type { NodeLog } from '../node-log.ts';
import type { Platform } from '../platform/platform.ts';
import { testProtectedMemory } from '../platform/testing/test-protected-memory.ts';
import { virtualPlatform } from '../platform/virtual.ts';
import { createNode } from './create-service.ts';
import { openNode } from './node-folder.ts';
import { type RunningService, type StartServiceOptions, startService } from './start-service.ts';
import {
  BANK_A,
  BANK_B,
  Client,
  depositToBankA,
  type LocalService,
  makeLocalService,
} from './testing/local-service.ts';

const DEADLINE_MS = 120_000;
const idOf = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = Date.now() + 60_000;
  while (!(await holds())) {
    if (Date.now() > endMs) throw new Error(`it never came about that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Three folders of one service, of which those that run can be asked. */
class Cluster {
  readonly root: string;
  readonly service: LocalService = template.service;
  readonly nodeIds: readonly NodeId[] = template.nodeIds;
  readonly running: (RunningService | undefined)[] = [];
  readonly failures: unknown[] = [];
  /** What node n said since it was started last. */
  readonly said: { message: string; fields: object }[][] = [];
  readonly ports: readonly number[];
  readonly #platform: Platform;
  readonly #clients: Client[] = [];

  private constructor(root: string, ports: readonly number[], platform: Platform) {
    this.root = root;
    this.ports = ports;
    this.#platform = platform;
  }

  /** A copy of the folders that all tests begin with. */
  static async make(platform: Platform = virtualPlatform): Promise<Cluster> {
    const root = await mkdtemp(join(tmpdir(), 'drawbridge-cluster-'));
    await cp(template.root, root, { recursive: true });
    const ports = await Promise.all([0, 1, 2, 3].map(freePort));
    return new Cluster(root, ports, platform);
  }

  async start(n: number, more: Partial<StartServiceOptions> = {}): Promise<RunningService> {
    const lines: { message: string; fields: object }[] = [];
    this.said[n] = lines;
    const line = (fields: object, message: string): void => void lines.push({ message, fields });
    const log: NodeLog = { info: line, warn: line, error: line };
    const running = await startService(
      {
        dir: join(this.root, `node-${n}`),
        listen: { host: '127.0.0.1', port: 0 },
        peerListen: { host: '127.0.0.1', port: this.ports[n] ?? 0 },
        ...more,
      },
      { log, nowMs: Date.now, onFailed: (error) => this.failures.push(error), platform: this.#platform },
    );
    this.running[n] = running;
    return running;
  }

  begin(): Promise<RunningService> {
    return this.start(0, { genesisFile: this.service.genesisFile });
  }

  join(n: number, patienceMs = 30_000, more: Partial<StartServiceOptions> = {}): Promise<RunningService> {
    const { serviceCertificate } = this.service.identity;
    const addresses = this.ports
      .slice(0, 3)
      .map((port) => `127.0.0.1:${port}`)
      .filter((_, i) => i !== n);
    return this.start(n, { ...more, join: { serviceCertificate, addresses, patienceMs } });
  }

  async stop(n: number): Promise<void> {
    const running = this.running[n];
    this.running[n] = undefined;
    await running?.stop();
  }

  node(n: number): RunningService {
    const running = this.running[n];
    if (!running) throw new Error(`node ${n} does not run`);
    return running;
  }

  votersAt(n: number): readonly number[] {
    return [...this.node(n).node.members().voters].sort((a, b) => a - b);
  }

  client(n: number, who: 'bankA' | 'bankB' | 'relay'): Client {
    const client = new Client(this.node(n).url, this.service, who, 8);
    this.#clients.push(client);
    return client;
  }

  /** Signed by the bootstrap key, handed to node `n`. */
  async amend(n: number, actions: readonly Action[]): Promise<void> {
    const { node } = this.node(n);
    const { publicKey, sign } = this.service.bootstrap;
    const number = node.view.nextAmendment();
    const bytes = amendmentBytes({ serviceId: node.view.serviceId, number, actions });
    const signatures = [{ key: publicKey, signature: sign(bytes) }];
    const [answer] = await node.submit([{ type: 'amendment', number, actions, signatures }]);
    expect(answer?.outcome).toEqual({ ok: true });
  }

  async end(): Promise<void> {
    for (const client of this.#clients) client.close();
    await Promise.all(this.running.flatMap((running) => (running ? [running.stop()] : [])));
    await rm(this.root, { recursive: true, force: true });
  }
}

/** RSA keys take their time: one service, two nodes that it names, and one that it does not. */
let template: Readonly<{ root: string; service: LocalService; nodeIds: readonly NodeId[] }>;
let cluster: Cluster;
beforeAll(async () => {
  const root = await mkdtemp(join(tmpdir(), 'drawbridge-template-'));
  const others = await Promise.all([1, 2, 3].map((n) => createNode({ dir: join(root, `node-${n}`) })));
  const [one, two, three] = others.map(({ nodeId }) => nodeId);
  if (!one || !two || !three) throw new Error('three were made');
  const service = await makeLocalService(join(root, 'node-0'), root, [one, two]);
  template = { root, service, nodeIds: [service.identity.nodeId, one, two, three] };
}, DEADLINE_MS);
afterAll(() => rm(template.root, { recursive: true, force: true }));
afterEach(() => cluster.end(), DEADLINE_MS);

async function threeNodes(platform?: Platform): Promise<void> {
  cluster = await Cluster.make(platform);
  await cluster.begin();
  await Promise.all([cluster.join(1), cluster.join(2)]);
  await until('all three vote', () => [0, 1, 2].every((n) => cluster.votersAt(n).length === 3));
}

const pay = (client: Client, n: number) =>
  client.send('POST', '/v1/transfers', { id: idOf(n), asset: 'EUR', amountMinor: '7', creditor: BANK_B });

describe('a service of three nodes', () => {
  it(
    'takes payments at any node, and lets a node come back under its Raft id, elsewhere',
    async () => {
      await threeNodes();
      const banks = [0, 1, 2].map((n) => cluster.client(n, 'bankA'));
      const [bank0, bank1, bank2] = banks;
      if (!bank0 || !bank1 || !bank2) throw new Error('each node has one');
      const relay = cluster.client(1, 'relay');
      await depositToBankA(cluster.service, { bank: bank0, relay }, { id: idOf(1), amountMinor: 1_000n, seq: 1 });
      for (const [n, bank] of banks.entries()) expect((await pay(bank, 10 + n)).status).toBe(201);
      expect((await bank2.send('GET', `/v1/transfers/${idOf(11)}`)).body).toMatchObject({ state: 'SETTLED' });

      const { raftId, url } = cluster.node(2);
      await cluster.stop(2);
      expect((await pay(bank0, 20)).status).toBe(201);
      const again = await cluster.start(2);
      expect([again.raftId, again.url === url]).toEqual([raftId, false]);
      await until('the others know where it is now', () =>
        [0, 1, 2].every((n) =>
          cluster
            .node(n)
            .node.network()
            .nodes.some((node) => `https://${node.apiAddress}` === again.url),
        ),
      );
      const read = await cluster.client(2, 'bankA').send('GET', `/v1/transfers/${idOf(20)}`);
      expect(read.body).toMatchObject({ state: 'SETTLED' });
      expect(cluster.failures).toEqual([]);
    },
    DEADLINE_MS,
  );

  it(
    'loses a node by amendment, which then cannot read what follows, and takes another key in its place',
    async () => {
      await threeNodes();
      const left = cluster.nodeIds[2];
      if (left === undefined) throw new Error('there are three');
      await cluster.amend(0, [{ name: 'remove_node', args: { nodeId: left } }]);
      await until('two vote', () => [0, 1].every((n) => cluster.votersAt(n).length === 2));
      await until('there is a new ledger secret', () =>
        [0, 1].every((n) => cluster.node(n).node.desk().membership.epoch === 2),
      );
      await until('the third has stopped', () => cluster.failures.length === 1);
      expect(cluster.failures).toMatchObject([{ code: 'NODE_REMOVED' }]);
      await cluster.stop(2);
      await until(
        'the secrets are kept',
        async () => (await openNode(join(cluster.root, 'node-1'))).ledgerKeys?.epoch === 2,
      );
      expect((await openNode(join(cluster.root, 'node-2'))).ledgerKeys?.epoch).toBe(1);

      const added = cluster.nodeIds[3];
      if (added === undefined) throw new Error('there are four');
      await cluster.amend(1, [{ name: 'add_node', args: { nodeId: added } }]);
      await cluster.stop(1);
      await cluster.start(1);
      await cluster.join(3);
      await until('three vote again', () => [0, 1, 3].every((n) => cluster.votersAt(n).length === 3));
      expect(cluster.votersAt(0)).toEqual([1, expect.any(Number), 4]);
    },
    DEADLINE_MS,
  );

  it(
    'teaches a node that was away about a leader that it has never heard of',
    async () => {
      await threeNodes();
      await cluster.stop(2);
      const added = cluster.nodeIds[3];
      if (added === undefined) throw new Error('there are four');
      await cluster.amend(0, [{ name: 'add_node', args: { nodeId: added } }]);
      const fourth = await cluster.join(3);
      await until('four vote', () => [0, 1, 3].every((n) => cluster.votersAt(n).length === 4));
      const leader = [0, 1, 3].find((n) => cluster.node(n).node.status().role === 'leader') ?? 0;
      if (leader !== 3) await cluster.node(leader).node.transferLeadership(fourth.raftId);
      await until('the fourth leads', () => fourth.node.status().role === 'leader');
      const again = await cluster.start(2);
      expect(again.node.network().primaryId).toBe(added);
    },
    DEADLINE_MS,
  );

  it(
    'does not let in a key that nobody named',
    async () => {
      cluster = await Cluster.make();
      await cluster.begin();
      await expect(cluster.join(3, 500)).rejects.toMatchObject({
        code: 'JOIN_UNANSWERED',
        message: expect.stringContaining('add_node'),
      });
      await expect(cluster.start(1)).rejects.toMatchObject({ code: 'NOT_JOINED' });
    },
    DEADLINE_MS,
  );
});

/** Of what the group of three wrote; what the first node signed alone never is. */
async function untilReceiptsAreProtected(node: CoreNode): Promise<void> {
  const isProtected = async (id: TransactionId) => (await node.receipts.transaction(id))?.rollbackProtected;
  await until('receipts are protected', async () => (await isProtected(node.committed())) === true);
  const view = [1, 2, 3, 4, 5].find((view) => node.transactionStatus(view, 2) === 'Committed');
  expect(await isProtected(`${view ?? 0}.2`)).toBe(false);
}

describe('where memory is protected', () => {
  it(
    'a node that ended has no place any more, and joins under a new Raft id that takes over its vote',
    async () => {
      await threeNodes(testProtectedMemory);
      expect(cluster.node(0).node.status()).toMatchObject({
        rollbackProtected: true,
        platform: 'test-protected-memory',
      });
      await untilReceiptsAreProtected(cluster.node(0).node);
      await until(
        'the first node forgot its place',
        async () => (await openNode(join(cluster.root, 'node-0'))).place === null,
      );
      const { raftId } = cluster.node(1);
      await cluster.stop(1);
      await expect(cluster.start(1)).rejects.toMatchObject({ code: 'NOT_JOINED' });
      const again = await cluster.join(1);
      expect(again.raftId).toBeGreaterThan(3);
      await until('the old place is gone', () =>
        [0, 1, 2].every((n) => cluster.votersAt(n).includes(again.raftId) && !cluster.votersAt(n).includes(raftId)),
      );
      expect(cluster.votersAt(0)).toHaveLength(3);
      await cluster.stop(0);
      await expect(cluster.begin()).rejects.toMatchObject({ code: 'NOT_JOINED' });
    },
    DEADLINE_MS,
  );

  it(
    'a node that joins again goes on from what its earlier life left, and fetches only what it missed',
    async () => {
      const node = { snapshots: { snapshotEveryEntries: 30 }, replica: { cachedEntries: 5 } };
      cluster = await Cluster.make(testProtectedMemory);
      await cluster.start(0, { genesisFile: cluster.service.genesisFile, node });
      await Promise.all([1, 2].map((n) => cluster.join(n, 30_000, { node })));
      await until('all three vote', () => [0, 1, 2].every((n) => cluster.votersAt(n).length === 3));
      const [bank, relay] = [cluster.client(0, 'bankA'), cluster.client(0, 'relay')];
      await depositToBankA(cluster.service, { bank, relay }, { id: idOf(1), amountMinor: 10_000n, seq: 1 });
      let paid = 0;
      const payUntil = async (holds: () => Promise<boolean>): Promise<void> => {
        while (!(await holds())) expect((await pay(bank, 100 + paid++)).status).toBe(201);
      };
      const kept = async (folder: string): Promise<number> => {
        const names = await readdir(join(cluster.root, 'node-2', folder)).catch(() => []);
        return Number(/\d+/.exec(names.findLast((name) => name.endsWith('.dbsnap')) ?? '')?.[0] ?? 0);
      };
      await payUntil(async () => (await kept('log')) > 100);
      await cluster.stop(2);
      const left = await kept('log');
      for (let i = 0; i < 40; i++) expect((await pay(bank, 100 + paid++)).status).toBe(201);

      const again = await cluster.join(2, 30_000, { node });
      const said = (text: string) => (cluster.said[2] ?? []).filter(({ message }) => message.startsWith(text));
      expect(said('goes on from')).toMatchObject([{ fields: { seqno: left } }]);
      const [caughtUp] = said('caught up') as { fields: { seqno: number; entries: number } }[];
      expect(caughtUp?.fields.entries).toBe((caughtUp?.fields.seqno ?? 0) - left);
      expect([await kept('earlier'), (await kept('log')) > left]).toEqual([left, true]);
      for (const n of [100, 100 + paid - 1]) {
        const read = await cluster.client(2, 'bankA').send('GET', `/v1/transfers/${idOf(n)}`);
        expect(read.body).toMatchObject({ state: 'SETTLED' });
      }
      // Of before the snapshot that it went on from: its own tree leads there.
      const view = [1, 2, 3, 4].find((view) => again.node.transactionStatus(view, 3) === 'Committed') ?? 0;
      expect(await again.node.receipts.transaction(`${view}.3`)).toMatchObject({ transaction_id: `${view}.3` });
      await until('its vote is taken over', () => cluster.votersAt(0).includes(again.raftId));
      // It has one of its own by then, and what proves it is on the disk.
      await payUntil(async () => (await kept('earlier')) === 0);
      expect(said('history is made again')).toEqual([]);

      await cluster.stop(2);
      await rm(join(cluster.root, 'node-2', 'history'), { recursive: true });
      await cluster.join(2, 30_000, { node });
      expect([said('history is made again').length, said('goes on from').length]).toEqual([1, 1]);
      const old = await cluster.client(2, 'bankA').send('GET', `/v1/transfers/${idOf(100)}`);
      expect(old.body).toMatchObject({ state: 'SETTLED' });
      expect(cluster.failures).toEqual([]);

      // Ahead of the ledger, and something else there than the service has.
      await payUntil(async () => (await kept('earlier')) === 0);
      await cluster.stop(2);
      const dir = join(cluster.root, 'node-2');
      const { localKeys: keys } = await openNode(dir);
      const history = new History({ dir: join(dir, 'history') }, { keys, onFailure: () => undefined });
      const events = [...history.events(parseParticipantId(BANK_A), 0, 1).items];
      history.append(history.lastSeqno + 1, { transfers: [], lines: [], events, alarms: [] });
      await history.flush();
      await history.close();
      await expect(cluster.join(2, 30_000, { node })).rejects.toMatchObject({ code: 'HISTORY_DAMAGED' });
      cluster.failures.splice(0);
      await cluster.join(2, 30_000, { node });
      expect(said('goes on from')).toEqual([]);
      const anew = await cluster.client(2, 'bankA').send('GET', `/v1/transfers/${idOf(100)}`);
      expect(anew.body).toMatchObject({ state: 'SETTLED' });
      expect(cluster.failures).toEqual([]);
    },
    DEADLINE_MS,
  );

  it(
    'a node that is alone comes back in place, and says that a rollback would go unnoticed',
    async () => {
      cluster = await Cluster.make(testProtectedMemory);
      await cluster.begin();
      const lifeAt = (n: number) => cluster.node(n).node.desk().membership.nodes.get(1)?.life;
      const life = lifeAt(0);
      await cluster.stop(0);
      const again = await cluster.start(0);
      expect([again.raftId, again.node.status().rollbackProtected]).toEqual([1, false]);
      // It admits nobody before the ledger has its new life: who was told of the old one would never hear of it.
      await cluster.join(1);
      expect([lifeAt(0) === life, lifeAt(1)]).toEqual([false, lifeAt(0)]);
      await until('both vote', () => [0, 1].every((n) => cluster.votersAt(n).length === 2));
    },
    DEADLINE_MS,
  );
});
