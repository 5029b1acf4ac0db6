/**
 * A core of several nodes over real processes, by the commands that operators have: it grows, answers alike everywhere, proves
 * what it says, and outlives its nodes. The stories build on each other.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ccfMissing, verifyWithCcf } from '@drawbridge/devnets/ccf-verifier';
import { until } from '@drawbridge/devnets/until';
import { sha256 } from '@drawbridge/enclave-core/sha256';
import { parseTransferId } from '@drawbridge/protocol/ids';
import { receiptLeaf } from '@drawbridge/protocol/ledger/receipt';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CoreCluster } from '../cluster/core-cluster.ts';
import { copyLedger, differenceOf } from '../cluster/ledger-folders.ts';
import { listeningPorts, tellPeer, tellPlainly } from '../cluster/open-ports.ts';
import { PaymentLoad } from '../cluster/payment-load.ts';

const STORY_MS = 240_000;
const PATIENCE_MS = 60_000;
const DEPOSIT_MINOR = 10_000_000n;

let root: string;
let cluster: CoreCluster;
let load: PaymentLoad;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'drawbridge-cluster-'));
  cluster = await CoreCluster.make(root, { nodes: 3, spares: 2 });
  load = new PaymentLoad(cluster, DEPOSIT_MINOR);
}, STORY_MS);
afterAll(async () => {
  await load?.stop();
  await cluster?.stop();
  await rm(root, { recursive: true, force: true });
}, 60_000);

const verify = async (what: 'receipt' | 'ledger', ...args: string[]) => {
  const { code, stdout, stderr } = await cluster.verify(what, ...args);
  return { code, said: stdout + stderr };
};

describe('one node becomes three', () => {
  it(
    'that all vote, after payments were made with one',
    async () => {
      await cluster.begin();
      await cluster.deposit(DEPOSIT_MINOR);
      const alone = cluster.client('bankA', [cluster.node(0)]);
      await load.batch(alone, 20);
      await Promise.all([cluster.join(cluster.node(1)), cluster.join(cluster.node(2))]);
      await cluster.voters(3);
    },
    STORY_MS,
  );

  it(
    'whose payments can be made and read at each, the own ones at once at any other',
    async () => {
      const clients = cluster.up.map((node) => cluster.client('bankA', [node]));
      for (const [n, client] of clients.entries()) {
        const next = clients[(n + 1) % clients.length] ?? client;
        await load.batch(client, 5);
        for (let i = 0; i < 20; i += 1) {
          const id = randomUUID();
          const { transactionId } = await load.one(client, id);
          expect((await next.transfer(parseTransferId(id))).state).toBe('SETTLED');
          expect(await next.transactionStatus(transactionId ?? '')).toMatchObject({ status: 'Committed' });
        }
      }
      expect(await load.judge()).toHaveLength(3);
    },
    STORY_MS,
  );

  it(
    'each of which gives receipts that stand before the command line, and before the package ccf',
    async () => {
      const missing = await ccfMissing();
      if (missing !== undefined) process.emitWarning(`without a second verifier: ${missing}`);
      for (const node of cluster.up) {
        const client = cluster.client('bankA', [node]);
        const file = join(root, `receipt-${node.name}.json`);
        const { receipt, transactionId = '' } = await client.submitTransfer(load.terms(), { receipt: true });
        await writeFile(file, JSON.stringify(receipt));
        const proven = await verify('receipt', file, '--transaction', transactionId);
        expect([proven.code, proven.said]).toEqual([0, expect.stringContaining('PROVEN')]);
        expect(proven.said).toContain('SETTLED');
        if (missing === undefined) {
          expect(await verifyWithCcf(file, cluster.serviceCertFile)).toMatchObject({ ok: true });
        }
        const bare = await client.transactionReceipt(transactionId);
        expect(receipt && receiptLeaf(receipt, sha256)).toEqual(receiptLeaf(bare, sha256));
      }
    },
    STORY_MS,
  );

  it(
    'each of which answers what clients of CCF ask',
    async () => {
      const leader = await cluster.leader();
      const { transactionId = '' } = await load.one(cluster.client('bankA', [leader]), randomUUID());
      const [view, seqno] = transactionId.split('.').map(Number);
      for (const node of cluster.up) {
        await until('it knows the entry', PATIENCE_MS, async () => {
          const { body } = await node.get(`/node/tx?transaction_id=${transactionId}`);
          return (body as { status: string }).status === 'Committed';
        });
        const ask = async (path: string) => (await node.get(path)).body;
        const status = async (id: string) => (await ask(`/node/tx?transaction_id=${id}`)) as { status: string };
        expect(await status(`${(view ?? 0) + 1}.${seqno}`)).toMatchObject({ status: 'Invalid' });
        expect(await status(`${(view ?? 0) + 9}.${(seqno ?? 0) + 100_000}`)).toMatchObject({ status: 'Unknown' });
        expect((await node.get('/node/tx?transaction_id=nonsense')).status).toBe(400);
        expect(await ask('/node/commit')).toMatchObject({ transaction_id: expect.stringMatching(/^[0-9]+\.[0-9]+$/) });
        expect(await ask('/node/network')).toMatchObject({
          service_status: 'Open',
          service_certificate: cluster.service.identity.serviceCertificate,
          primary_id: leader.nodeId,
        });
        expect(await ask('/node/state')).toMatchObject({
          node_id: node.nodeId,
          state: 'PartOfNetwork',
          platform: 'virtual',
          rollbackProtected: false,
          development: true,
        });
        const members = await node.members();
        expect(members.map(({ node_id }) => node_id).sort()).toEqual(cluster.up.map(({ nodeId }) => nodeId).sort());
        expect(members.filter(({ primary }) => primary)).toMatchObject([{ node_id: leader.nodeId }]);
        const receipt = await node.get(`/node/receipt?transaction_id=${transactionId}`);
        expect(receipt).toMatchObject({ status: 200, body: { transaction_id: transactionId } });
        const other = await node.get(`/node/receipt?transaction_id=${(view ?? 0) + 1}.${seqno}`);
        expect(other).toMatchObject({ status: 404, body: { error: { code: 'TransactionInvalid' } } });
        expect((await node.get('/node/primary')).status).toBe(node === leader ? 200 : 308);
      }
    },
    STORY_MS,
  );
});

describe('nobody else', () => {
  it(
    'is answered in the clear by any port that a node listens on',
    async () => {
      for (const node of cluster.up) {
        const ports = await listeningPorts(node.pid);
        expect(ports).toEqual([node.api, node.peer].map((text) => Number(text.split(':')[1])).sort((a, b) => a - b));
        for (const port of ports) {
          for (const said of [
            'GET /node/state HTTP/1.1\r\nhost: x\r\n\r\n',
            'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
            '\0\0\0\x01x',
          ]) {
            const { bytes } = await tellPlainly('127.0.0.1', port, said);
            // At most an alert of TLS: type 21, version, length 2.
            expect([bytes.length === 0 || bytes[0] === 21, bytes.length <= 7]).toEqual([true, true]);
          }
        }
      }
    },
    STORY_MS,
  );

  it(
    'speaks on the peer port: neither a bank, nor a node that nobody listed',
    async () => {
      for (const node of cluster.up) {
        const { bytes, how } = await tellPeer(node.peer, cluster.service.clients.bankA, Buffer.alloc(64));
        expect([bytes.length, how]).toEqual([0, expect.stringMatching(/ended|failed/)]);
      }
      const spare = cluster.node(3);
      await expect(cluster.join(spare, 1)).rejects.toMatchObject({
        code: 'PROCESS_EXITED_EARLY',
        message: expect.stringContaining('add_node'),
      });
      await cluster.voters(3);
    },
    STORY_MS,
  );
});

describe('nodes come and go', () => {
  it(
    'a leader killed under load and started again; a follower stopped and started again',
    async () => {
      load.start(4);
      await load.acknowledges(30);
      const leader = await cluster.leader();
      await leader.kill9();
      await load.acknowledges(30);
      await cluster.again(leader);
      const [follower] = await cluster.followers();
      if (!follower) throw new Error('there are two');
      expect((await follower.stop())?.code).toBe(0);
      await load.acknowledges(30);
      await cluster.again(follower);
      await load.acknowledges(30);
      await load.stop();
      await cluster.voters(3);
      await load.judge();
    },
    STORY_MS,
  );

  it(
    'one retired by amendment leaves and cannot come back; what follows is under a new secret',
    async () => {
      const [, , retired, added] = cluster.nodes;
      if (!retired || !added) throw new Error('there are five');
      expect(await epochs()).toEqual([1]);
      await cluster.amend([{ name: 'add_node', args: { nodeId: added.nodeId } }]);
      await cluster.join(added);
      await cluster.voters(4);
      await cluster.amend([{ name: 'remove_node', args: { nodeId: retired.nodeId } }]);
      expect(await retired.exited()).toEqual({ code: 1, signal: null });
      expect(await retired.log()).toContain('NODE_REMOVED');
      await cluster.voters(3);
      await expect(cluster.join(retired, 1)).rejects.toMatchObject({ code: 'PROCESS_EXITED_EARLY' });
      await until('a new secret', PATIENCE_MS, async () => (await epochs()).includes(2));
      load.start(4);
      await load.acknowledges(30);
      await load.stop();
      await load.judge();
    },
    STORY_MS,
  );

  it(
    'one whose disk is lost is replaced by a new one',
    async () => {
      const [, lost, , , added] = cluster.nodes;
      if (!lost || !added) throw new Error('there are five');
      await lost.kill9();
      await rm(lost.dir, { recursive: true });
      await load.batch(cluster.client('bankA'), 10);
      await cluster.amend([
        { name: 'remove_node', args: { nodeId: lost.nodeId } },
        { name: 'add_node', args: { nodeId: added.nodeId } },
      ]);
      await cluster.join(added);
      await cluster.voters(3);
      await load.batch(cluster.client('bankA', [added]), 10);
      expect(await load.judge()).toHaveLength(3);
    },
    STORY_MS,
  );
});

describe('their ledgers', () => {
  it(
    'are the same bytes on each, verified by the command line alone and against each other',
    async () => {
      const kept = [...cluster.up, cluster.node(2)];
      await cluster.stop();
      const [first, ...others] = await Promise.all(
        kept.map((node) => copyLedger(node.dir, join(root, `ledger-of-${node.name}`))),
      );
      if (first === undefined) throw new Error('there are four');
      for (const other of others) {
        expect(await differenceOf(first, other)).toBeUndefined();
        const { code, said } = await verify('ledger', other, '--against', first);
        expect([code, said]).toEqual([0, expect.stringContaining('VERIFIED')]);
        expect(said).toContain('the same entries up to');
      }
      const tip = join(root, 'receipt-core-1.json');
      expect(await verify('ledger', first, '--tip', tip)).toMatchObject({ code: 0 });
    },
    STORY_MS,
  );
});

/** Of ledger secrets that the first node's ledger names, in order. */
async function epochs(): Promise<number[]> {
  const copy = await copyLedger(cluster.node(0).dir, join(root, `look-${randomUUID()}`));
  const { stdout } = await cluster.verify('ledger', copy, '--list');
  const found = [...stdout.matchAll(/new ledger secret, epoch ([0-9]+)/g)].map(([, epoch]) => Number(epoch));
  return [1, ...found];
}
