import { beforeEach, describe, expect, test } from '@jest/globals';
import { FlightBook } from './flight-book.ts';
import { FlightTracker } from './flight-tracker.ts';
import { type Leased, type NonceLease, SoleNonceLease } from './nonce-lease.ts';
import { FakeNode } from './testing/fake-node.ts';
import { expectSentWhenever, fees, key, log, MemoryJournal, makeSender, request, vault } from './testing/sender-rig.ts';
import type { TransactionSender } from './transaction-sender.ts';

let node: FakeNode;
let journal: MemoryJournal;
let book: FlightBook;
let sender: TransactionSender;
let tracker: FlightTracker;
let nowMs: number;
let counted: string[];
const waiting = { timeoutMs: 5_000, signal: new AbortController().signal };

function build(lease: NonceLease = new SoleNonceLease(), maxUnmined = 8): void {
  book = new FlightBook(journal);
  sender = makeSender({ node, book, lease, maxUnmined, now: () => nowMs });
  tracker = new FlightTracker(
    {
      pollMs: 10,
      quietPollMs: 10,
      depthBlocks: 3,
      fees,
      droppedAfterMs: 100,
      replaceAfterMs: 1_000,
      gapAfterMs: 500,
      supersededLooks: 3,
      maxGapFills: 4,
    },
    {
      node,
      key,
      book,
      lease,
      sender,
      metrics: {
        nonceGap: () => counted.push('gap'),
        resent: (reason) => counted.push(reason),
        inFlight: () => undefined,
      },
      log,
      now: () => nowMs,
    },
  );
}

beforeEach(() => {
  node = new FakeNode();
  journal = new MemoryJournal();
  nowMs = 0;
  counted = [];
  build();
});

const poolNonces = (): number[] => [...node.pool.keys()].sort((a, b) => a - b);

describe('sending', () => {
  test('many at once get neighbouring nonces in batches', async () => {
    const results = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => sender.submit(request(name))));
    expect(results.every(({ type }) => type === 'underway')).toBe(true);
    expect(poolNonces()).toEqual([0, 1, 2, 3, 4]);
  });

  test('what was asked for ahead serves the next batch, once, while it is fresh', async () => {
    sender.prepare();
    sender.prepare();
    await sender.submit(request('a'));
    expect(node.counts).toBe(1);
    await sender.submit(request('b'));
    expect(node.counts).toBe(2);
    sender.prepare();
    nowMs += 101;
    await sender.submit(request('c'));
    expect(node.counts).toBe(4);
    expect(poolNonces()).toEqual([0, 1, 2]);
  });

  test('a node that gave no answer ahead is asked again', async () => {
    node.down = true;
    sender.prepare();
    node.down = false;
    expect(await sender.submit(request('a'))).toEqual({ type: 'underway' });
  });

  test('a count that was asked for ahead and is too low costs another nonce', async () => {
    sender.prepare();
    await makeSender({ node, book: new FlightBook(new MemoryJournal()) }).submit(request('of another process'));
    node.mine();
    expect(await sender.submit(request('a'))).toEqual({ type: 'underway' });
    expect(poolNonces()).toEqual([1]);
  });

  test('one key is sent once, however often it is asked for', async () => {
    await Promise.all([sender.submit(request('a')), sender.submit(request('a'))]);
    await sender.submit(request('a'));
    expect(node.sent).toHaveLength(1);
  });

  test('a request is sent whenever it comes, also at some moments in which the last batch may end', () =>
    expectSentWhenever({ node, book, sender }, 9));

  test('nothing is sent that the journal does not have', async () => {
    journal.broken = true;
    await expect(sender.submit(request('a'))).rejects.toThrow('disk full');
    expect(node.sent).toEqual([]);
  });

  test('a node without an answer: nothing is sent; without an answer to the send: it is underway', async () => {
    node.down = true;
    await expect(sender.submit(request('a'))).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    node.down = false;
    node.answers = ['lost'];
    expect(await sender.submit(request('b'))).toEqual({ type: 'underway' });
    expect(book.size).toBe(1);
  });

  test('a refusal in the middle leaves no gap: those behind it move up', async () => {
    node.answers = ['taken', 'other'];
    const results = await Promise.all(['a', 'b', 'c'].map((name) => sender.submit(request(name))));
    expect(results.map(({ type }) => type)).toEqual(['underway', 'refused', 'underway']);
    expect(poolNonces()).toEqual([0, 1]);
  });

  test.each(['nonce-too-low', 'replacement-underpriced'] as const)(
    '%s: it takes the next nonce, some times',
    async (refusal) => {
      node.answers = [refusal, refusal];
      expect(await sender.submit(request('a'))).toEqual({ type: 'underway' });
      node.answers = [refusal, refusal, refusal];
      expect(await sender.submit(request('b'))).toMatchObject({ type: 'refused', code: 'NONCE_TAKEN' });
    },
  );

  test('gas above the limit is not paid', async () => {
    node.baseFeeWei = 5_000n;
    expect(await sender.submit(request('a'))).toMatchObject({ type: 'refused', code: 'FEE_CAP' });
    expect(node.sent).toEqual([]);
  });

  test('a chain from before London takes legacy transactions', async () => {
    node.baseFeeWei = undefined;
    await sender.submit(request('a'));
    expect(node.pool.get(0)?.fees).toEqual({ kind: 'legacy', gasPriceWei: 5n });
  });

  test("more than the node's pool holds wait for room, and at last for another attempt", async () => {
    build(new SoleNonceLease(), 2);
    await sender.submit(request('a'));
    await sender.submit(request('b'));
    const waits = sender.submit(request('x'));
    node.mine();
    await tracker.look();
    expect(await waits).toEqual({ type: 'underway' });
    await sender.submit(request('b2'));
    expect(await sender.submit(request('c'))).toMatchObject({ type: 'refused', code: 'TOO_MANY_UNMINED' });
  });

  test.each([
    [8, 8],
    [9, 0],
    [1e15, 0],
  ])(
    'a hint of nonce %d is one of nonce %d: Redis may say anything, and each nonce left out has to be paid for',
    async (hint, first) => {
      build({ hold: async (work) => (await work(hint)).value });
      await sender.submit(request('a'));
      expect(poolNonces()).toEqual([first]);
    },
  );

  test('nonces begin after what others took lately', async () => {
    const hinted: NonceLease = {
      hold: async <T>(work: (hint: number | undefined) => Promise<Leased<T>>) => (await work(7)).value,
    };
    build(hinted);
    await sender.submit(request('a'));
    expect(poolNonces()).toEqual([7]);
  });
});

describe('tracking', () => {
  test('mined is told at once; it stays open until depth', async () => {
    await sender.submit(request('a'));
    const settled = book.settled('a', waiting);
    node.mine();
    await tracker.look();
    expect(await settled).toEqual({ type: 'mined', success: true });
    expect(book.size).toBe(1);
    node.mine(2);
    await tracker.look();
    expect(book.size).toBe(0);
    expect(journal.records.at(-1)).toEqual({ op: 'closed', key: 'a', nonce: 0 });
  });

  test('a revert is told, and the same key may be sent anew', async () => {
    node.reverts = true;
    await sender.submit(request('a'));
    const settled = book.settled('a', waiting);
    node.mine();
    await tracker.look();
    expect(await settled).toEqual({ type: 'mined', success: false });
    await sender.submit(request('a'));
    expect(poolNonces()).toEqual([1]);
  });

  test('dropped from the pool: the same bytes again, after a while', async () => {
    await sender.submit(request('a'));
    node.pool.clear();
    await tracker.look();
    expect(node.sent).toHaveLength(1);
    nowMs = 100;
    await tracker.look();
    expect(node.sent).toEqual([node.sent[0], node.sent[0]]);
    expect(counted).toEqual(['dropped']);
  });

  test('thrown out by a reorganisation: the same bytes again', async () => {
    await sender.submit(request('a'));
    node.mine();
    await tracker.look();
    node.reorganise(1);
    node.mine();
    await tracker.look();
    nowMs = 100;
    await tracker.look();
    node.mine();
    expect(node.mined).toHaveLength(1);
    expect(node.sent[1]).toBe(node.sent[0]);
  });

  test('waits too long: replaced by one that pays more, and either may be mined', async () => {
    await sender.submit(request('a'));
    const first = node.pool.get(0);
    await tracker.look();
    nowMs = 1_000;
    await tracker.look();
    const second = node.pool.get(0);
    expect(second?.hash).not.toBe(first?.hash);
    expect(second?.nonce).toBe(0);
    if (first) node.pool.set(0, first);
    const settled = book.settled('a', waiting);
    node.mine();
    await tracker.look();
    expect(await settled).toEqual({ type: 'mined', success: true });
  });

  test('only the next to be mined is replaced: the others wait because of it', async () => {
    await Promise.all([sender.submit(request('a')), sender.submit(request('b'))]);
    await tracker.look();
    nowMs = 1_000;
    await tracker.look();
    expect(node.sent).toHaveLength(3);
  });

  test('at the limit of what it may pay it waits', async () => {
    await sender.submit(request('a'));
    for (let at = 1_000; at < 100_000; at += 1_000) {
      await tracker.look();
      nowMs = at;
    }
    const paid = node.pool.get(0)?.fees;
    expect(paid?.kind === 'dynamic' && paid.maxFeeWei <= fees.maxFeeWei).toBe(true);
  });

  test('the fee rose above what was dropped: sent again with more', async () => {
    await sender.submit(request('a'));
    node.pool.clear();
    node.baseFeeWei = 200n;
    await tracker.look();
    nowMs = 100;
    await tracker.look();
    expect(counted).toEqual(['dropped', 'replaced']);
    expect(poolNonces()).toEqual([0]);
  });

  test('its nonce went to another transaction: told after some looks, and closed', async () => {
    await sender.submit(request('a'));
    const settled = book.settled('a', waiting);
    node.pool.set(
      0,
      key.sign({ nonce: 0, to: vault, data: '0x01', gasLimit: 21_000n, fees: { kind: 'legacy', gasPriceWei: 99n } }),
    );
    node.mine();
    await tracker.look();
    await tracker.look();
    expect(book.size).toBe(1);
    await tracker.look();
    expect(await settled).toEqual({ type: 'gone' });
    expect(book.size).toBe(0);
  });

  test('a nonce below ours that nobody uses is filled, after a while', async () => {
    journal.open = [
      {
        key: 'a',
        nonce: 2,
        raws: [
          key.sign({ nonce: 2, to: vault, data: '0x', gasLimit: 1n, fees: { kind: 'legacy', gasPriceWei: 50n } }).raw,
        ],
      },
    ];
    build();
    await tracker.look();
    expect(counted).toEqual([]);
    nowMs = 500;
    await tracker.look();
    expect(counted.filter((what) => what === 'gap')).toHaveLength(2);
    expect(poolNonces()).toContain(0);
    expect(node.pool.get(0)?.to).toBe(key.address);
  });

  test('after a restart what the journal held goes out again, the same bytes', async () => {
    const first = key.sign({
      nonce: 0,
      to: vault,
      data: '0x',
      gasLimit: 1n,
      fees: { kind: 'legacy', gasPriceWei: 50n },
    });
    journal.open = [{ key: 'a', nonce: 0, raws: [first.raw] }];
    build();
    await tracker.start();
    await tracker.stop();
    expect(node.sent).toEqual([first.raw]);
    expect(await sender.submit(request('a'))).toEqual({ type: 'underway' });
    expect(node.sent).toHaveLength(1);
  });
});

describe('waiting', () => {
  test('ends with the signal, and with the time', async () => {
    await sender.submit(request('a'));
    const stop = new AbortController();
    const stopped = book.settled('a', { timeoutMs: 5_000, signal: stop.signal });
    stop.abort();
    expect(await stopped).toEqual({ type: 'waiting' });
    expect(await book.settled('a', { timeoutMs: 1, signal: waiting.signal })).toEqual({ type: 'waiting' });
  });

  test('for what is not underway ends at once', async () => {
    expect(await book.settled('nothing', waiting)).toEqual({ type: 'gone' });
  });
});
