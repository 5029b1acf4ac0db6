import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { receiptRoot } from '@drawbridge/protocol/ledger/receipt';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { applyEntry } from '../settlement/apply.ts';
import { RELEASED_RULES, type Rules } from '../settlement/rules.ts';
import { BANK_A, BANK_B } from '../settlement/testing/world.ts';
import { sha256 } from '../sha256.ts';
import { pay, paymentId } from './testing/payments.ts';
import { TestCluster } from './testing/test-cluster.ts';

const DEADLINE_MS = 60_000;

describe('cluster of core nodes', () => {
  let root: string;
  let cluster: TestCluster;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'drawbridge-cluster-'));
    cluster = new TestCluster(root);
  });
  afterEach(async () => {
    await cluster.stop();
    await rm(root, { recursive: true, force: true });
  });

  it(
    'grows from one node to three that answer alike, and each gives receipts',
    async () => {
      const first = await cluster.found();
      await first.deposit(BANK_A, 1_000n, 'in');
      await first.run(pay('before', 10n));
      const others = [await cluster.join(), await cluster.join()];
      await cluster.until(() => first.node.members().voters.length === 3);
      for (const [at, node] of [first, ...others].entries()) {
        const { outcome, transactionId } = await node.run(pay(`at ${at}`, 1n));
        expect(outcome.ok).toBe(true);
        expect(node.node.history.transfer(BANK_A, paymentId(`at ${at}`))).toMatchObject({ state: 'SETTLED' });
        const receipt = await node.node.receipts.transfer(BANK_B, BANK_A, paymentId(`at ${at}`), transactionId);
        expect(receipt?.transaction_id).toBe(transactionId);
        expect(JSON.parse(receipt?.claims_proof?.claim ?? '{}')).toMatchObject({
          participant: BANK_B,
          state: 'SETTLED',
        });
      }
      for (const { node } of [first, ...others]) {
        await node.barrier();
        expect(node.history.transfer(BANK_A, paymentId('before'))).toMatchObject({ state: 'SETTLED' });
        expect(node.view.account(BANK_B, 'EUR' as never)?.postedMinor).toBe(13n);
      }
      const receipts = await Promise.all([first, ...others].map(({ node }) => node.receipts.event(BANK_B, 1)));
      const roots = receipts.map((receipt) => receipt && Buffer.from(receiptRoot(receipt, sha256)).toString('hex'));
      expect(new Set(roots).size).toBe(1);
    },
    DEADLINE_MS,
  );

  it(
    'goes on without its leader, and takes it back',
    async () => {
      const nodes = await cluster.three();
      await nodes[0].deposit(BANK_A, 1_000n, 'in');
      const leader = await cluster.leader();
      const [survivor] = nodes.filter((node) => node !== leader);
      cluster.network.cut(leader.node.status().raftId);
      await cluster.until(() => cluster.leaderAmong(nodes.filter((node) => node !== leader)) !== undefined);
      expect((await survivor?.run(pay('without', 5n)))?.outcome.ok).toBe(true);
      await expect(leader.node.barrier()).rejects.toMatchObject({ code: 'NOT_LEADER' });
      cluster.network.heal();
      await cluster.until(async () =>
        leader.node.barrier().then(
          () => true,
          () => false,
        ),
      );
      expect(leader.node.history.transfer(BANK_A, paymentId('without'))).toMatchObject({ state: 'SETTLED' });
    },
    DEADLINE_MS,
  );

  it(
    'brings a node that was away for long back by records of the ledger, with all of its history',
    async () => {
      const nodes = await cluster.three({ snapshots: { snapshotEveryEntries: 20 }, replica: { cachedEntries: 5 } });
      await nodes[0].deposit(BANK_A, 1_000n, 'in');
      const leader = await cluster.leader();
      const away = nodes.find((node) => node !== leader) ?? leader;
      cluster.network.cut(away.node.status().raftId);
      for (let i = 0; i < 80; i++) await leader.run(pay(`away ${i}`, 1n));
      await pause(300);
      cluster.network.heal();
      await cluster.until(() => away.node.status().committedSeqno >= leader.node.status().committedSeqno);
      for (let i = 0; i < 80; i++) {
        expect(away.node.history.transfer(BANK_A, paymentId(`away ${i}`))).toMatchObject({ state: 'SETTLED' });
      }
      expect(away.lines.some(({ message }) => message.includes('caught up'))).toBe(true);
    },
    DEADLINE_MS,
  );

  it(
    'behaves as a new version only from the entry on that switches to it, once every node has it',
    async () => {
      const refuseAll: Rules = (overlay, entry) => {
        const { records } = applyEntry(overlay, { ...entry, commands: [] });
        const refused = { ok: false as const, code: 'NOT_ALLOWED' as const, detail: 'version 2 takes nothing' };
        return { records, outcomes: entry.commands.map(() => refused) };
      };
      const next = { rules: new Map([...RELEASED_RULES, [2, refuseAll]]) };
      cluster = new TestCluster(root, [1, 2]);
      const first = await cluster.found(next);
      const second = await cluster.join(next, [1, 2]);
      const old = await cluster.join({}, [1]);
      await cluster.until(() => first.node.members().voters.length === 3);
      await first.deposit(BANK_A, 1_000n, 'in');
      await first.run(pay('as ever', 1n));
      const turn = { name: 'set_protocol_version', args: { version: 2 } } as const;
      await expect(cluster.amend(turn)).rejects.toThrow('ACTION_INVALID');
      expect((await second.run(pay('still as ever', 1n))).outcome.ok).toBe(true);
      await cluster.amend({ name: 'remove_node', args: { nodeId: old.node.status().nodeId } });
      expect(await old.failed).toMatchObject({ code: 'NODE_REMOVED' });
      await cluster.until(() => first.node.network().nodes.length === 2);
      await cluster.amend(turn);
      for (const { node } of [first, second]) {
        const [answer] = await node.submit([pay(`after ${node.status().raftId}`, 1n)]);
        expect(answer?.outcome).toMatchObject({ code: 'NOT_ALLOWED', detail: 'version 2 takes nothing' });
      }
    },
    DEADLINE_MS,
  );
});
