import type { ConnectionOptions } from 'node:tls';
import { NO_LIFE } from '@drawbridge/protocol/ledger/node-life';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { messageFrame, requestFrame } from './peer-frame.ts';
import type { PeerIdentity } from './peer-types.ts';
import { requestJoin } from './request-join.ts';
import { bytes, PeerGroup, type TestNode } from './testing/peer-group.ts';
import { RawClient, RawServer } from './testing/raw-peer.ts';
import { newKeys, selfSigned, type TestIdentity, TestService } from './testing/test-pki.ts';
import { failing, GREETING, wire } from './testing/wire.ts';

const HOUR_MS = 3_600_000;
let service: TestService;
let member: TestIdentity;
let group: PeerGroup;
let node: TestNode;
const clients: RawClient[] = [];
const servers: RawServer[] = [];

beforeAll(async () => {
  service = await TestService.create();
  member = await service.node();
});
beforeEach(async () => {
  group = new PeerGroup(service);
  node = await group.start(1, { limits: { maxJoiners: 2, minRetryMs: 20, maxRetryMs: 20 } });
  // An address where nobody listens: this node only accepts.
  node.directory.members.set(2, { raftId: 2, nodeId: member.nodeId, address: '127.0.0.1:1', life: NO_LIFE });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.destroy();
  await Promise.all(servers.splice(0).map((server) => server.close()));
  await group.close();
});

const SAID = wire(messageFrame(bytes('hello')));
const HELLO = Buffer.concat([GREETING, SAID]);

/** A client that says hello as soon as it may. */
function visit(identity: PeerIdentity | null, options: ConnectionOptions = {}): RawClient {
  const client = new RawClient(node.network.address, identity, service.certificate, options);
  client.socket.once('secureConnect', () => client.socket.write(HELLO));
  clients.push(client);
  return client;
}

async function expectTurnedAway(client: RawClient): Promise<void> {
  await client.until(() => client.closed);
  expect(node.handlers.received).toEqual([]);
}

describe('who connects', () => {
  test('a member is heard', async () => {
    visit(member);
    await node.until(() => node.handlers.received.length > 0);
    expect(node.handlers.received).toEqual([{ from: 2, messages: ['hello'] }]);
  });

  test('without a certificate is turned away', async () => {
    await expectTurnedAway(visit(null));
    await node.until(() => node.logged('CERTIFICATE_MISSING'));
  });

  test('with a certificate of the service and a key that is no member is turned away', async () => {
    const other = await service.node();
    await expectTurnedAway(visit(other));
    await node.until(() => node.logged('NOT_A_MEMBER'));
    expect(node.log.at(-1)).toEqual({
      level: 'warn',
      fields: { nodeId: other.nodeId, code: 'NOT_A_MEMBER' },
      message: 'peer connection refused',
    });
  });

  test("with a member's key and a certificate that the service did not sign is turned away", async () => {
    const keys = await newKeys();
    const { nodeId } = await selfSigned(keys);
    node.directory.members.set(3, { raftId: 3, nodeId, address: '127.0.0.1:1', life: NO_LIFE });
    await expectTurnedAway(visit(await selfSigned(keys)));
    await expectTurnedAway(visit(await service.node({ keys, signer: await newKeys() })));
    await node.until(() => node.logged('CERTIFICATE_NOT_OF_SERVICE'));
    visit(await service.node({ keys }));
    await node.until(() => node.handlers.received.length > 0);
  });

  test("with a member's certificate and another key does not get through the handshake", async () => {
    const thief = await service.node();
    expect(() => visit({ key: thief.key, certificate: member.certificate })).toThrow(/key values mismatch/);
  });

  test('with TLS 1.2 does not get through the handshake', async () => {
    const client = visit(member, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' });
    await expectTurnedAway(client);
    expect(client.connected).toBe(false);
  });

  test.each([[['http/1.1']], [[]]])('with the application protocols %j is turned away', async (protocols) => {
    await expectTurnedAway(visit(member, { ALPNProtocols: protocols }));
  });

  test('cannot resume a session, so shows its certificate each time', async () => {
    const first = visit(member);
    await node.until(() => node.handlers.received.length === 1);
    await first.until(() => first.sessions.length > 0);
    const second = visit(member, { session: first.sessions.at(-1) });
    await second.until(() => second.connected);
    expect(second.socket.isSessionReused()).toBe(false);
  });

  test('is cut off when its certificate ends', async () => {
    let nowMs = Date.now();
    const other = await group.start(5, { nowMs: () => nowMs, limits: { clockIntervalMs: 5 } });
    other.directory.members.set(2, { raftId: 2, nodeId: member.nodeId, address: '127.0.0.1:1', life: NO_LIFE });
    const client = new RawClient(other.network.address, member, service.certificate);
    clients.push(client);
    client.socket.once('secureConnect', () => client.socket.write(HELLO));
    await other.until(() => other.handlers.received.length > 0);
    nowMs += 48 * HOUR_MS;
    await client.until(() => client.closed);
    await other.until(() => other.logged('CERTIFICATE_NOT_VALID_NOW'));
  });
});

describe('whom a node connects to', () => {
  /** Makes `node` dial a server with the identity, as if it were the member. */
  async function dialled(
    shown: PeerIdentity,
    options: ConstructorParameters<typeof RawServer>[2] = {},
  ): Promise<RawServer> {
    const server = new RawServer(shown, service.certificate, options);
    servers.push(server);
    node.directory.members.set(2, { raftId: 2, nodeId: member.nodeId, address: await server.listen(), life: NO_LIFE });
    node.network.directoryChanged();
    return server;
  }

  async function expectRefused(server: RawServer, code: string): Promise<void> {
    await node.until(() => node.logged(code));
    expect(server.received).toEqual([]);
  }

  test('is written to when it is the member that was meant', async () => {
    const server = await dialled(member);
    await server.witness.until(() => server.wasSpokenTo);
  });

  test('another node of the service is not', async () => {
    await expectRefused(await dialled(await service.node()), 'NODE_ID_OTHER');
  });

  test("the member's key under a certificate that the service did not sign is not", async () => {
    const keys = await newKeys();
    const forged = await service.node({ keys, signer: await newKeys() });
    member = await service.node({ keys });
    await expectRefused(await dialled(forged), 'CERT_SIGNATURE_FAILURE');
  });

  test('one that does not speak our protocol is not', async () => {
    await expectRefused(await dialled(member, { ALPNProtocols: [] }), 'PROTOCOL_OTHER');
  });

  test('one that speaks TLS 1.2 only is not', async () => {
    const server = await dialled(member, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'DEFAULT' });
    await node.until(() => node.handlers.lost.length > 0);
    expect(server.sockets).toEqual([]);
  });
});

describe('who may join', () => {
  const TIMEOUT = { timeoutMs: 20_000 };
  const target = (identity: PeerIdentity): Parameters<typeof requestJoin>[0] => ({
    address: node.network.address,
    identity,
    serviceCertificate: service.certificate,
  });
  async function joiner(): Promise<TestIdentity> {
    const identity = await selfSigned();
    node.directory.joiners.add(identity.nodeId);
    return identity;
  }

  test('is answered', async () => {
    const identity = await joiner();
    node.handlers.answer = async (method, body) => bytes(`${method} ${Buffer.from(body).toString()}`);
    const answer = await requestJoin(target(identity), bytes('me'), TIMEOUT);
    expect(Buffer.from(answer).toString()).toBe('join me');
    expect(node.handlers.joins).toEqual([{ nodeId: identity.nodeId, body: 'me' }]);
  });

  test('gets the code of a refusal', async () => {
    const identity = await joiner();
    node.handlers.answer = () => Promise.reject(Object.assign(new Error('x'), { code: 'NOT_LEADER' }));
    expect(await failing(requestJoin(target(identity), bytes('me'), TIMEOUT))).toBe('FAILED NOT_LEADER');
  });

  test('and who may not is not heard', async () => {
    const code = await failing(requestJoin(target(await selfSigned()), bytes('me'), TIMEOUT));
    expect(['UNREACHABLE', 'UNCERTAIN']).toContain(code);
    expect(node.handlers.joins).toEqual([]);
  });

  test('can do nothing else', async () => {
    const identity = await joiner();
    const spoken: Buffer[] = [
      SAID,
      GREETING,
      wire(requestFrame(1, 'submit', bytes('x'))),
      wire(requestFrame(1, 'ledger', bytes('x'))),
    ];
    for (const said of spoken) {
      const client = new RawClient(node.network.address, identity, service.certificate);
      clients.push(client);
      client.socket.once('secureConnect', () => client.socket.write(said));
      await client.until(() => client.closed);
    }
    expect([node.handlers.received, node.handlers.requests]).toEqual([[], []]);
    await node.until(() => node.logged('FRAME_UNEXPECTED'));
  });

  test('sends no more than a small body', async () => {
    const identity = await joiner();
    const large = new Uint8Array(64 * 1024 + 1);
    expect(await failing(requestJoin(target(identity), large, TIMEOUT))).toBe('TOO_LARGE');
    const more = { ...target(identity), limits: { maxJoinBytes: 1_000_000 } };
    expect(await failing(requestJoin(more, large, TIMEOUT))).toBe('UNCERTAIN');
    await node.until(() => node.logged('FRAME_TOO_LARGE'));
    expect(node.handlers.joins).toEqual([]);
  });

  test('a few at once', async () => {
    const answers: ((bytes: Uint8Array) => void)[] = [];
    node.handlers.answer = () => new Promise((resolve) => answers.push(resolve));
    const identity = await joiner();
    const first = [1, 2].map(() => requestJoin(target(identity), bytes('me'), TIMEOUT));
    await node.until(() => node.handlers.joins.length === 2);
    expect(await failing(requestJoin(target(await joiner()), bytes('me'), TIMEOUT))).toBe('UNCERTAIN');
    await node.until(() => node.logged('JOINERS_FULL'));
    for (const answer of answers) answer(bytes('welcome'));
    await Promise.all(first);
  });

  test('not for ever', async () => {
    const slow = await group.start(6, { limits: { joinTimeoutMs: 20 } });
    const identity = await selfSigned();
    slow.directory.joiners.add(identity.nodeId);
    const client = new RawClient(slow.network.address, identity, service.certificate);
    clients.push(client);
    await client.until(() => client.closed);
    await slow.until(() => slow.logged('JOIN_TIMEOUT'));
  });

  test('asks only who has a certificate of the service', async () => {
    const impostor = new RawServer(await selfSigned(), service.certificate);
    servers.push(impostor);
    const request = requestJoin({ ...target(await joiner()), address: await impostor.listen() }, bytes('me'), TIMEOUT);
    expect(await failing(request)).toBe('UNREACHABLE');
    expect(impostor.received).toEqual([]);
  });

  test('is answered also when it has become a member meanwhile', async () => {
    const identity = await joiner();
    node.handlers.answer = async () => {
      node.directory.joiners.delete(identity.nodeId);
      node.directory.members.set(3, { raftId: 3, nodeId: identity.nodeId, address: '127.0.0.1:1', life: NO_LIFE });
      node.network.directoryChanged();
      return bytes('welcome');
    };
    expect(Buffer.from(await requestJoin(target(identity), bytes('me'), TIMEOUT)).toString()).toBe('welcome');
  });

  test('a key that lost its leave is cut off', async () => {
    node.handlers.answer = () => new Promise(() => undefined);
    const identity = await joiner();
    const request = failing(requestJoin(target(identity), bytes('me'), TIMEOUT));
    await node.until(() => node.handlers.joins.length === 1);
    node.directory.joiners.clear();
    node.network.directoryChanged();
    expect(await request).toBe('UNCERTAIN');
  });
});
