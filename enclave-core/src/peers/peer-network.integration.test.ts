import { createPrivateKey } from 'node:crypto';
import { NO_LIFE } from '@drawbridge/protocol/ledger/node-life';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { engine, loadEngine, bootstrap as snapshotOf } from '../consensus/testing/engine-group.ts';
import { ManualTimers } from './testing/manual-timers.ts';
import { bytes, PeerGroup, raftMessage, type TestNode } from './testing/peer-group.ts';
import { RawServer } from './testing/raw-peer.ts';
import { newKeys, TestService } from './testing/test-pki.ts';
import { failing } from './testing/wire.ts';

let service: TestService;
const groups: PeerGroup[] = [];

beforeAll(async () => {
  service = await TestService.create();
});
afterEach(async () => {
  for (const group of groups.splice(0)) await group.close();
});

function newGroup(): PeerGroup {
  const group = new PeerGroup(service);
  groups.push(group);
  return group;
}

async function pair(settings: Parameters<PeerGroup['cluster']>[1] = {}): Promise<[TestNode, TestNode]> {
  const [one, two] = await newGroup().cluster(2, settings);
  if (!one || !two) throw new TypeError('two nodes were asked for');
  return [one, two];
}

const UNHURRIED = { timeoutMs: 20_000 };

describe('messages', () => {
  test('of one turn arrive together and in order, at each whom they are for', async () => {
    const [one, two, three] = (await newGroup().cluster(3)) as [TestNode, TestNode, TestNode];
    one.network.send([raftMessage(2, 'a'), raftMessage(3, 'b'), raftMessage(2, 'c')]);
    one.network.send([raftMessage(2, 'd')]);
    await two.until(() => two.handlers.received.length > 0);
    await three.until(() => three.handlers.received.length > 0);
    expect(two.handlers.received).toEqual([{ from: 1, messages: ['a', 'c', 'd'] }]);
    expect(three.handlers.received).toEqual([{ from: 1, messages: ['b'] }]);
  });

  test('of any size arrive whole', async () => {
    const [one, two] = await pair();
    const sizes = [0, 1, 16_384, 65_536, 3_000_000];
    one.network.send(sizes.map((size) => raftMessage(2, 'x'.repeat(size))));
    await two.until(() => two.handlers.messageTexts.length === sizes.length);
    expect(two.handlers.messageTexts.map(({ length }) => length)).toEqual(sizes);
  });

  test('that claim another sender than the certificate are refused by raft', async () => {
    await loadEngine();
    const [one, two, three] = (await newGroup().cluster(3)) as [TestNode, TestNode, TestNode];
    const receiver = engine(1, { snapshot: snapshotOf(1, 2, 3) });
    const candidate = engine(2, { snapshot: snapshotOf(1, 2, 3) });
    candidate.campaign();
    const messages = [...(candidate.ready()?.messages ?? []), ...candidate.appendDone(1)];
    const vote = messages.filter(({ to }) => to === 1);
    expect(vote).toHaveLength(1);
    const refused: string[] = [];
    one.handlers.onMessages = (from, received) => refused.push(`${from}: ${receiver.step(from, received)}`);
    three.network.send(vote);
    await one.until(() => refused.length === 1);
    two.network.send(vote);
    await one.until(() => refused.length === 2);
    expect(refused).toEqual(['3: 1', '2: 0']);
  });

  test('to whom the directory does not know are dropped', async () => {
    const [one, two] = await pair();
    one.network.send([raftMessage(9, 'a'), raftMessage(1, 'b'), raftMessage(2, 'c')]);
    await two.until(() => two.handlers.received.length > 0);
    expect(two.handlers.messageTexts).toEqual(['c']);
  });
});

describe('requests', () => {
  test('are answered by whom they are for, and the handler knows who asks', async () => {
    const [one, two] = await pair();
    two.handlers.answer = async (method, body) => bytes(`${method} ${Buffer.from(body).toString()}`);
    const answers = await Promise.all([
      one.network.request(2, 'submit', bytes('1'), UNHURRIED),
      one.network.request(2, 'ledger', bytes('2'), UNHURRIED),
      one.network.request(2, 'receipt', bytes('3'), UNHURRIED),
      one.network.request(2, 'submit', bytes('4'.repeat(300_000)), UNHURRIED),
    ]);
    expect(answers.map((answer) => Buffer.from(answer).toString().slice(0, 9))).toEqual([
      'submit 1',
      'ledger 2',
      'receipt 3',
      'submit 44',
    ]);
    expect(two.handlers.requests.map(({ from }) => from)).toEqual([1, 1, 1, 1]);
  });

  test('that fail give the code of the failure and nothing of its text', async () => {
    const [one, two] = await pair();
    two.handlers.answer = () => Promise.reject(Object.assign(new Error('of ACME for 12 EUR'), { code: 'NOT_LEADER' }));
    expect(await failing(one.network.request(2, 'submit', bytes('x'), UNHURRIED))).toBe('FAILED NOT_LEADER');
    two.handlers.answer = () => Promise.reject(Object.assign(new Error('x'), { code: 'of ACME for 12 EUR' }));
    const error: unknown = await one.network.request(2, 'submit', bytes('x'), UNHURRIED).catch((cause) => cause);
    expect(error).toMatchObject({ code: 'FAILED', peerCode: 'UNKNOWN' });
    expect(String(error)).not.toContain('ACME');
  });

  test('to a peer that is not there were never sent', async () => {
    const [one, two] = await pair();
    expect(await failing(one.network.request(9, 'submit', bytes('x'), UNHURRIED))).toBe('UNREACHABLE');
    await two.network.close();
    await one.until(() => one.handlers.lost.length > 0);
    expect(await failing(one.network.request(2, 'submit', bytes('x'), UNHURRIED))).toBe('UNREACHABLE');
    expect(await failing(one.network.request(2, 'ledger', bytes('x'), UNHURRIED))).toBe('UNREACHABLE');
  });

  test('whose connection ends before the answer are uncertain', async () => {
    const [one, two] = await pair();
    two.handlers.answer = () => new Promise(() => undefined);
    const requests = (['submit', 'ledger'] as const).map((method) =>
      failing(one.network.request(2, method, bytes('x'), UNHURRIED)),
    );
    await two.until(() => two.handlers.requests.length === 2);
    await two.network.close();
    expect(await Promise.all(requests)).toEqual(['UNCERTAIN', 'UNCERTAIN']);
  });

  test('without an answer in time are uncertain, and a late answer is no harm', async () => {
    const [one, two] = await pair();
    let answerLate: (answer: Uint8Array) => void = () => undefined;
    two.handlers.answer = () =>
      new Promise((resolve) => {
        answerLate = resolve;
      });
    const request = failing(one.network.request(2, 'submit', bytes('x'), { timeoutMs: 1 }));
    expect(await request).toBe('UNCERTAIN');
    await two.until(() => two.handlers.requests.length === 1);
    answerLate(bytes('late'));
    two.handlers.answer = async () => bytes('in time');
    await one.until(() => one.network.reachable(2));
    expect(Buffer.from(await one.network.request(2, 'submit', bytes('y'), UNHURRIED)).toString()).toBe('in time');
  });

  test('under way when the own network closes are settled', async () => {
    const [one, two] = await pair();
    two.handlers.answer = () => new Promise(() => undefined);
    const request = failing(one.network.request(2, 'submit', bytes('x'), UNHURRIED));
    await two.until(() => two.handlers.requests.length === 1);
    await one.network.close();
    expect(await request).toBe('UNCERTAIN');
    expect(await failing(one.network.request(2, 'submit', bytes('x'), UNHURRIED))).toBe('UNREACHABLE');
  });
});

describe('clocks', () => {
  test('every peer is told the time on connecting and each interval', async () => {
    const timers = new ManualTimers();
    let nowMs = Date.now();
    const [one, two] = await pair({ timers, nowMs: () => nowMs });
    expect(two.handlers.clocks).toEqual([{ from: 1, nowMs }]);
    nowMs += 1_234;
    timers.advance(1_000);
    await two.until(() => two.handlers.clocks.length === 2);
    await one.until(() => one.handlers.clocks.length === 2);
    expect(two.handlers.clocks[1]).toEqual({ from: 1, nowMs });
    expect(one.handlers.clocks[1]).toEqual({ from: 2, nowMs });
  });
});

describe('members', () => {
  test('who leave are cut off on both sides', async () => {
    const [one, two] = await pair();
    two.handlers.answer = () => new Promise(() => undefined);
    const request = failing(one.network.request(2, 'submit', bytes('x'), UNHURRIED));
    await two.until(() => two.handlers.requests.length === 1);
    two.directory.members.delete(1);
    two.network.directoryChanged();
    expect(await request).toBe('UNCERTAIN');
    await one.until(() => !one.network.reachable(2));
    await two.until(() => two.logged('NOT_A_MEMBER'));
    one.directory.members.delete(2);
    one.network.directoryChanged();
    expect(await failing(one.network.request(2, 'submit', bytes('x'), UNHURRIED))).toBe('UNREACHABLE');
  });

  test('who come back under a new raft id are known by it, and the old one is not written to', async () => {
    const [one, two] = await pair();
    one.directory.members.set(5, { ...two.peer, raftId: 5 });
    one.network.directoryChanged();
    two.network.send([raftMessage(1, 'hello')]);
    await one.until(() => one.handlers.received.length > 0);
    expect(one.handlers.received).toEqual([{ from: 5, messages: ['hello'] }]);
    await one.until(() => one.network.reachable(5));
    one.network.send([raftMessage(2, 'to the dead'), raftMessage(5, 'to the living')]);
    await two.until(() => two.handlers.received.length > 0);
    expect(two.handlers.messageTexts).toEqual(['to the living']);
  });

  test('who are away are reported, and met again when they are back', async () => {
    const group = newGroup();
    const [one, two] = (await group.cluster(2)) as [TestNode, TestNode];
    await two.network.close();
    await one.until(() => one.handlers.lost.length >= 3);
    expect(new Set(one.handlers.lost)).toEqual(new Set([2]));
    const back = await group.start(2, { identity: two.identity });
    await group.connect([one, back]);
    one.network.send([raftMessage(2, 'again')]);
    await back.until(() => back.handlers.received.length > 0);
    expect(back.handlers.messageTexts).toEqual(['again']);
  });

  test('a dead connection is given up and made anew', async () => {
    const timers = new ManualTimers();
    const identity = await service.node();
    const mute = new RawServer(identity, service.certificate);
    const one = await newGroup().start(1, { timers, limits: { maxSilentIntervals: 2 } });
    one.directory.members.set(2, { raftId: 2, nodeId: identity.nodeId, address: await mute.listen(), life: NO_LIFE });
    one.network.directoryChanged();
    await mute.witness.until(() => mute.wasSpokenTo);
    timers.advance(2_000);
    expect(one.handlers.lost).toEqual([]);
    timers.advance(1_000);
    await one.until(() => one.handlers.lost.length > 0);
    expect(one.logged('SILENT')).toBe(true);
    timers.advance(100);
    await mute.witness.until(() => mute.sockets.length === 2);
    await mute.close();
  });

  test('a new certificate is shown without a gap', async () => {
    const keys = await newKeys();
    const old = await service.node({ keys });
    const group = newGroup();
    const one = await group.start(1, { identity: old });
    const two = await group.start(2);
    await group.connect([one, two]);
    const renewed = await service.node({ keys });
    let answer: (bytes: Uint8Array) => void = () => undefined;
    two.handlers.answer = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const request = one.network.request(2, 'submit', bytes('x'), UNHURRIED);
    await two.until(() => two.handlers.requests.length === 1);
    one.network.setIdentity({ key: createPrivateKey(renewed.key), certificate: renewed.certificate });
    await two.until(() => two.handlers.clocks.length === 2);
    for (const text of ['a', 'b', 'c']) one.network.send([raftMessage(2, text)]);
    await two.until(() => two.handlers.messageTexts.length === 3);
    answer(bytes('still'));
    expect(Buffer.from(await request).toString()).toBe('still');
    expect(one.handlers.lost).toEqual([]);
  });

  test('a connection that has carried enough is replaced without a gap', async () => {
    const timers = new ManualTimers();
    const [one, two] = await pair({ timers, limits: { maxConnectionBytes: 50_000 } });
    one.network.send([raftMessage(2, 'x'.repeat(60_000))]);
    await two.until(() => two.handlers.received.length === 1);
    timers.advance(1_000);
    // One on connecting, one in the interval, one on the new connection.
    await two.until(() => two.handlers.clocks.length === 3);
    one.network.send([raftMessage(2, 'y')]);
    await two.until(() => two.handlers.received.length === 2);
    expect(one.handlers.lost).toEqual([]);
  });
});
