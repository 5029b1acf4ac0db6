import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ALPHA, addressOf, BANK_A, START_MS } from '../settlement/testing/world.ts';
import type { NodeDriver } from './testing/node-driver.ts';
import { payment, paymentId } from './testing/payments.ts';
import { TestCluster } from './testing/test-cluster.ts';

const LIMIT_MS = 60_000;
const TOLD_EVERY_MS = 50;
/** Entries that go by while nothing happens but signatures: far less than a leader that spins would add in a second. */
const FEW_ENTRIES = 20;

const begunMs = Date.now();
/** Time that passes, from where the service of the tests begins, a minute on: a founder alone stamps its own. */
const medianMs = (): number => START_MS + 60_000 + (Date.now() - begunMs);

describe('deadlines under a leader whose clock is not the median', () => {
  let root: string;
  let cluster: TestCluster;
  let stopTelling: () => void;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'drawbridge-deadlines-'));
    cluster = new TestCluster(root);
  });
  afterEach(async () => {
    stopTelling();
    await cluster.stop();
    await rm(root, { recursive: true, force: true });
  });

  /** The first node, which leads, is `offMs` off; the others have the time. */
  const three = async (offMs: number): Promise<NodeDriver> => {
    const clocks = [offMs, 0, 0].map((off) => () => medianMs() + off);
    const told = setInterval(() => {
      for (const [at, nowMs] of clocks.entries()) cluster.network.tellClock(at + 1, nowMs());
    }, TOLD_EVERY_MS);
    stopTelling = () => clearInterval(told);
    const [first, second, third] = clocks;
    const leader = await cluster.found(first && { nowMs: first });
    await cluster.join(second && { nowMs: second });
    await cluster.join(third && { nowMs: third });
    await cluster.until(() => leader.node.members().voters.length === 3);
    await cluster.until(() => leader.node.status().clockProtected);
    return leader;
  };

  it.each([
    ['ahead', 5_000],
    ['behind', -5_000],
  ])(
    'pass once, when it is time, where it is %s',
    async (name, offMs) => {
      const leader = await three(offMs);
      expect(leader.node.status().role).toBe('leader');
      const source = { network: ALPHA, depositor: addressOf('treasury') };
      // What came before there were samples bears the leader's own time.
      const fundByMs = Math.max(medianMs(), leader.node.view.stampMs) + 1_500;
      const terms = { ...payment(name, 5n), debtor: BANK_A, creditor: BANK_A, source, fundByMs };
      const submitted = await leader.run({ type: 'submitTransfer', terms });
      expect(submitted.outcome).toEqual(expect.objectContaining({ ok: true }));
      const begin = leader.node.status().committedSeqno;
      while (leader.node.view.liveTransfer(BANK_A, terms.id)) {
        expect(medianMs()).toBeLessThan(fundByMs + 2_000);
        await pause(20);
      }
      expect(medianMs()).toBeGreaterThanOrEqual(fundByMs);
      expect(leader.node.history.transfer(BANK_A, paymentId(name))).toMatchObject({ state: 'EXPIRED' });
      expect(leader.node.status().committedSeqno - begin).toBeLessThan(FEW_ENTRIES);
    },
    LIMIT_MS,
  );
});
