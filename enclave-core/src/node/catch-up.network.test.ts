import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BANK_A } from '../settlement/testing/world.ts';
import type { LogLine, NodeDriver, TestNodeOptions } from './testing/node-driver.ts';
import { pay, paymentId } from './testing/payments.ts';
import { TestCluster } from './testing/test-cluster.ts';

const LIMIT_MS = 60_000;
const PAYMENTS = 80;
const SMALL: TestNodeOptions = { snapshots: { snapshotEveryEntries: 20 }, replica: { cachedEntries: 5 } };

describe('catching up by records of the ledger', () => {
  let root: string;
  let cluster: TestCluster;
  let leader: NodeDriver;
  let away: NodeDriver;
  /** Lines of its log before it was left behind; it was behind when it joined, too. */
  let linesBefore: number;
  let save: () => void;
  beforeEach(async () => {
    save = () => undefined;
    root = await mkdtemp(join(tmpdir(), 'drawbridge-catch-up-'));
    cluster = new TestCluster(root);
  });
  afterEach(async () => {
    save();
    await cluster.stop();
    await rm(root, { recursive: true, force: true });
  });

  /** The last node misses so much that it needs a snapshot. */
  const leaveBehind = async (options: TestNodeOptions = {}, meanwhile?: () => Promise<void>): Promise<void> => {
    leader = await cluster.found(SMALL);
    await cluster.join(SMALL);
    away = await cluster.join({ ...SMALL, ...options });
    await cluster.until(() => leader.node.members().voters.length === 3);
    await leader.deposit(BANK_A, 1_000n, 'in');
    expect(leader.node.status().role).toBe('leader');
    await cluster.until(() => seqnoOf(away) >= seqnoOf(leader));
    cluster.network.cut(away.node.status().raftId);
    linesBefore = away.lines.length;
    await meanwhile?.();
    for (let i = 0; i < PAYMENTS; i++) await leader.run(pay(`away ${i}`, 1n));
    await pause(300);
  };
  const saying = (text: string): LogLine[] =>
    away.lines.slice(linesBefore).filter(({ message }) => message.includes(text));
  const seqnoOf = ({ node }: NodeDriver): number => node.status().committedSeqno;
  const caughtUp = async (): Promise<void> => {
    await cluster.until(() => seqnoOf(away) >= seqnoOf(leader));
    for (let i = 0; i < PAYMENTS; i++) {
      expect(away.node.history.transfer(BANK_A, paymentId(`away ${i}`))).toMatchObject({ state: 'SETTLED' });
    }
    expect(saying('caught up').length).toBeGreaterThan(0);
  };

  it.each([
    ['a receipt that is none', 'receipt', (): Uint8Array => Buffer.from('{')],
    ['half a record', 'ledger', (answer: Uint8Array): Uint8Array => answer.subarray(0, 20)],
  ] as const)(
    'asks the next peer where the first answers with %s, and says so once',
    async (_, method, spoilt) => {
      await leaveBehind();
      const { raftId } = leader.node.status();
      cluster.network.spoil = (answering, asked, answer) =>
        answering === raftId && asked === method ? spoilt(answer) : answer;
      cluster.network.heal();
      await caughtUp();
      const said = saying('of no use');
      for (const { fields } of said) expect(fields).toMatchObject({ code: 'PEER_ANSWER_UNFIT', peer: raftId });
      // Each time that it begins to catch up: a leader that waits long begins it anew.
      expect(said.length).toBeGreaterThan(0);
      expect(said.length).toBeLessThanOrEqual(saying('catching up by records').length);
      expect(away.node.status().serviceStatus).toBe('open');
    },
    LIMIT_MS,
  );

  it(
    'applies no record before a receipt proves what the state must be in the end',
    async () => {
      await leaveBehind();
      const begin = seqnoOf(away);
      cluster.network.spoil = (_answering, method, answer) => {
        if (method !== 'receipt') return answer;
        const receipt = JSON.parse(Buffer.from(answer).toString()) as { signature: string };
        const signature = Buffer.from(receipt.signature, 'base64');
        signature.writeUInt8(signature.readUInt8(signature.length - 1) ^ 1, signature.length - 1);
        return Buffer.from(JSON.stringify({ ...receipt, signature: signature.toString('base64') }));
      };
      cluster.network.heal();
      await cluster.until(() => saying('of no use').length >= 2);
      await pause(500);
      expect(seqnoOf(away)).toBe(begin);
      for (const { fields } of saying('of no use'))
        expect(fields).toMatchObject({ detail: 'the signature is not over this ledger' });
      cluster.network.spoil = (_answering, _method, answer) => answer;
      await caughtUp();
    },
    LIMIT_MS,
  );

  it(
    'is done when the secrets of a rekey on the way are saved, and keeps an image of its own',
    async () => {
      let saves = 0;
      const saved = new Promise<void>((resolve) => {
        save = resolve;
      });
      const saveSecrets = (): Promise<void> => {
        saves += 1;
        return saved;
      };
      await leaveBehind({ saveSecrets }, async () => {
        await cluster.amend({ name: 'rekey_ledger', args: {} });
        await cluster.until(() => leader.keys.epoch > 1);
      });
      cluster.network.heal();
      await cluster.until(() => saves > 0);
      await pause(1_000);
      expect(saying('caught up')).toEqual([]);
      save();
      await caughtUp();
      const files = await readdir(join(root, `node-${away.node.status().raftId}`, 'log'));
      const kept = files.filter((name) => name.endsWith('.dbsnap')).map((name) => Number(/\d+/.exec(name)?.[0]));
      expect(Math.max(...kept)).toBeGreaterThan(1);
    },
    LIMIT_MS,
  );
});
