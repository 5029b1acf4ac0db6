import { NO_LIFE } from '@drawbridge/protocol/ledger/node-life';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { messageFrame, requestFrame } from './peer-frame.ts';
import { peerLimits } from './peer-limits.ts';
import { bytes, type NodeSettings, PeerGroup, raftMessage, type TestNode } from './testing/peer-group.ts';
import { RawClient, RawServer } from './testing/raw-peer.ts';
import { TestService } from './testing/test-pki.ts';
import { failing, GREETING, wire } from './testing/wire.ts';

const UNHURRIED = { timeoutMs: 20_000 };
const MIB = 1024 * 1024;
let service: TestService;
let group: PeerGroup | null = null;
const clients: RawClient[] = [];

beforeAll(async () => {
  service = await TestService.create();
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.destroy();
  await group?.close();
  group = null;
});

async function pair(one: NodeSettings, two: NodeSettings = one): Promise<[TestNode, TestNode]> {
  group = new PeerGroup(service);
  const nodes: [TestNode, TestNode] = [await group.start(1, one), await group.start(2, two)];
  await group.connect(nodes);
  return nodes;
}

const never = (): Promise<Uint8Array> => new Promise(() => undefined);

describe('bounds', () => {
  test('are positive integers that a buffer can hold', () => {
    expect(() => peerLimits({ maxJoiners: 0 })).toThrow(RangeError);
    expect(() => peerLimits({ minRetryMs: 1.5 })).toThrow(RangeError);
    expect(() => peerLimits({ maxSnapshotBytes: 2 ** 40 })).toThrow(RangeError);
    expect(peerLimits({ maxJoiners: 1 }).maxJoiners).toBe(1);
  });

  test('a frame above its bound closes the connection and leaves a line without content', async () => {
    const [one, two] = await pair({}, { limits: { maxMessageBytes: 1_000 } });
    one.network.send([raftMessage(2, 'x'.repeat(1_001))]);
    await two.until(() => two.logged('FRAME_TOO_LARGE'));
    expect(two.log.at(-1)).toEqual({
      level: 'warn',
      fields: { nodeId: one.identity.nodeId, code: 'FRAME_TOO_LARGE' },
      message: 'peer connection closed',
    });
    await one.until(() => one.handlers.lost.includes(2));
    expect(two.handlers.received).toEqual([]);
  });

  test('a message above the bound is not sent', async () => {
    const [one, two] = await pair({ limits: { maxMessageBytes: 1_000 } });
    one.network.send([raftMessage(2, 'x'.repeat(1_001)), raftMessage(2, 'x'.repeat(1_000))]);
    await two.until(() => two.handlers.received.length > 0);
    expect(two.handlers.messageTexts).toHaveLength(1);
    expect(one.log.at(-1)?.fields).toEqual({ peer: 2, code: 'TOO_LARGE', bytes: 1_001 });
  });

  test('while connecting the newest messages wait, and the loss is reported', async () => {
    group = new PeerGroup(service);
    const one = await group.start(1, { limits: { maxQueuedBytes: 3 * 165 } });
    const two = await group.start(2);
    two.directory.members.set(1, one.peer);
    one.directory.members.set(2, two.peer);
    one.network.directoryChanged();
    for (let i = 0; i < 10; i++) one.network.send([raftMessage(2, `${i}`.padEnd(100))]);
    expect(one.handlers.lost).toEqual([2]);
    await two.until(() => two.handlers.messageTexts.length === 3);
    expect(two.handlers.messageTexts.map((text) => text.trim())).toEqual(['7', '8', '9']);
  });

  test('of messages to a peer that does not read the newest wait', async () => {
    group = new PeerGroup(service);
    const identity = await service.node();
    const slow = new RawServer(identity, service.certificate);
    const one = await group.start(1, { limits: { maxQueuedBytes: 2 * MIB } });
    one.directory.members.set(2, { raftId: 2, nodeId: identity.nodeId, address: await slow.listen(), life: NO_LIFE });
    one.network.directoryChanged();
    await slow.witness.until(() => slow.wasSpokenTo);
    slow.sockets[0]?.pause();
    const message = Buffer.alloc(MIB);
    for (let i = 0; i < 50 && one.handlers.lost.length === 0; i++) {
      message.fill(i);
      one.network.send([raftMessage(2, Buffer.from(message))]);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(one.handlers.lost).toEqual([2]);
    one.network.send([raftMessage(2, 'the newest')]);
    slow.sockets[0]?.resume();
    await slow.witness.until(() => slow.received.some((piece) => piece.includes('the newest')));
    await slow.close();
  });

  test('requests above the bound, or too many, are not sent', async () => {
    const limits = { maxSubmitBytes: 1_000, maxQueryBytes: 100, maxPendingRequests: 2 };
    const [one, two] = await pair({ limits });
    two.handlers.answer = never;
    const failure = (...[method, size]: ['submit' | 'ledger', number]): Promise<string> =>
      failing(one.network.request(2, method, new Uint8Array(size), UNHURRIED));
    expect(await failure('submit', 1_001)).toBe('TOO_LARGE');
    expect(await failure('ledger', 101)).toBe('TOO_LARGE');
    const pending = [failure('submit', 1_000), failure('submit', 1)];
    expect(await failure('submit', 1)).toBe('OVERLOADED');
    await two.until(() => two.handlers.requests.length === 2);
    await one.network.close();
    expect(await Promise.all(pending)).toEqual(['UNCERTAIN', 'UNCERTAIN']);
  });

  test('a request above the bound of its method closes the connection', async () => {
    const [one, two] = await pair({}, { limits: { maxQueryBytes: 100 } });
    const request = failing(one.network.request(2, 'receipt', new Uint8Array(101), UNHURRIED));
    expect(await request).toBe('UNCERTAIN');
    await two.until(() => two.logged('FRAME_TOO_LARGE'));
    expect(two.handlers.requests).toEqual([]);
  });

  test('what a node serves at once is bounded, ledger requests apart', async () => {
    const [one, two] = await pair({}, { limits: { maxServedRequests: 2, maxServedLedgerRequests: 1 } });
    two.handlers.answer = never;
    const failure = (method: 'submit' | 'ledger'): Promise<string> =>
      failing(one.network.request(2, method, bytes('x'), UNHURRIED));
    const pending = [failure('submit'), failure('submit'), failure('ledger')];
    await two.until(() => two.handlers.requests.length === 3);
    expect(await failure('submit')).toBe('REFUSED OVERLOADED');
    expect(await failure('ledger')).toBe('REFUSED OVERLOADED');
    await one.network.close();
    await Promise.all(pending);
  });

  test('so are the bytes of it', async () => {
    const [one, two] = await pair({}, { limits: { maxServedBytes: 100 } });
    two.handlers.answer = never;
    const failure = (size: number): Promise<string> =>
      failing(one.network.request(2, 'submit', new Uint8Array(size), UNHURRIED));
    const pending = failure(60);
    await two.until(() => two.handlers.requests.length === 1);
    expect(await failure(41)).toBe('REFUSED OVERLOADED');
    await one.network.close();
    await pending;
  });

  test('requests that wait for a connection are bounded in bytes', async () => {
    group = new PeerGroup(service);
    const one = await group.start(1, { limits: { maxQueuedBytes: 100 } });
    const two = await group.start(2);
    two.directory.members.set(1, one.peer);
    one.directory.members.set(2, two.peer);
    one.network.directoryChanged();
    const first = one.network.request(2, 'submit', new Uint8Array(60), UNHURRIED);
    expect(await failing(one.network.request(2, 'submit', new Uint8Array(41), UNHURRIED))).toBe('OVERLOADED');
    await first;
  });

  test('an answer above the bound is a failure', async () => {
    const [one, two] = await pair({ limits: { maxAnswerBytes: 1_000 } });
    two.handlers.answer = async () => new Uint8Array(1_001);
    expect(await failing(one.network.request(2, 'submit', bytes('x'), UNHURRIED))).toBe('FAILED ANSWER_TOO_LARGE');
  });

  test('who does not read answers is not read, and goes on when it reads again', async () => {
    const [one, two] = await pair({ limits: { maxUnsentAnswerBytes: 64 * 1024 } });
    const identity = await service.node();
    two.directory.members.set(3, { raftId: 3, nodeId: identity.nodeId, address: '127.0.0.1:1', life: NO_LIFE });
    const client = new RawClient(two.network.address, identity, service.certificate);
    clients.push(client);
    await client.until(() => client.connected);
    client.socket.write(GREETING);
    client.socket.pause();
    // More than the buffers of the system hold.
    const answer = new Uint8Array(256 * 1024);
    two.handlers.answer = async (_method, body) => (body.length > 1 ? answer : body);
    for (let id = 0; id < 64; id++) client.socket.write(wire(requestFrame(id, 'submit', new Uint8Array(16_000))));
    await two.until(() => two.handlers.requests.length > 4);
    // Time enough for all of them.
    for (let i = 0; i < 50; i++) await one.network.request(2, 'submit', bytes('x'), UNHURRIED);
    expect(two.handlers.requests.filter(({ from }) => from === 3).length).toBeLessThan(64);
    client.socket.resume();
    await client.until(() => client.receivedBytes === GREETING.length + 64 * (answer.length + 10));
  });

  test('of the connections of one peer the oldest makes room', async () => {
    const [, two] = await pair({ limits: { maxConnectionsPerPeer: 2 } });
    const identity = await service.node();
    two.directory.members.set(3, { raftId: 3, nodeId: identity.nodeId, address: '127.0.0.1:1', life: NO_LIFE });
    for (let count = 1; count <= 3; count++) {
      const client = new RawClient(two.network.address, identity, service.certificate);
      clients.push(client);
      client.socket.write(Buffer.concat([GREETING, wire(messageFrame(bytes('x')))]));
      await two.until(() => two.handlers.received.length === count);
    }
    const [first, second, third] = clients;
    await first?.until(() => first.closed);
    expect([second?.closed, third?.closed]).toEqual([false, false]);
  });

  test('sockets beyond the bound are dropped', async () => {
    group = new PeerGroup(service);
    const node = await group.start(1, { limits: { maxConnections: 1 } });
    const identity = await service.node();
    node.directory.members.set(3, { raftId: 3, nodeId: identity.nodeId, address: '127.0.0.1:1', life: NO_LIFE });
    for (let count = 0; count < 2; count++) {
      const client = new RawClient(node.network.address, identity, service.certificate);
      clients.push(client);
      await client.until(() => client.connected || client.closed);
    }
    expect(clients.map(({ connected }) => connected)).toEqual([true, false]);
    await node.until(() => node.logged('CONNECTIONS_FULL'));
  });

  test('an unused connection for bulk is closed', async () => {
    const [one, two] = await pair({ limits: { clockIntervalMs: 5, maxIdleIntervals: 3 } });
    await one.network.request(2, 'ledger', bytes('x'), UNHURRIED);
    expect(two.network.acceptedConnections).toBe(2);
    await two.until(() => two.network.acceptedConnections === 1);
  });
});
