import { randomBytes } from 'node:crypto';
import { NO_LIFE } from '@drawbridge/protocol/ledger/node-life';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { snapshotFrame } from './peer-frame.ts';
import { ManualTimers } from './testing/manual-timers.ts';
import { bytes, type NodeSettings, PeerGroup, raftMessage, type TestNode } from './testing/peer-group.ts';
import { RawClient, RawServer } from './testing/raw-peer.ts';
import { TestService } from './testing/test-pki.ts';
import { failing, GREETING, wire } from './testing/wire.ts';

let service: TestService;
const groups: PeerGroup[] = [];

beforeAll(async () => {
  service = await TestService.create();
});
afterEach(async () => {
  for (const group of groups.splice(0)) await group.close();
});

async function pair(settings: NodeSettings = {}): Promise<[TestNode, TestNode]> {
  const group = new PeerGroup(service);
  groups.push(group);
  return (await group.cluster(2, settings)) as [TestNode, TestNode];
}

const SNAPSHOT = raftMessage(2, 'snapshot message', 7);

describe('snapshots', () => {
  test.each([0, 1, 256 * 1024, 5_000_001])('of %d bytes arrive whole', async (size) => {
    const [one, two] = await pair();
    const content = randomBytes(size);
    await one.network.sendSnapshot(SNAPSHOT, content);
    expect(two.handlers.snapshots).toHaveLength(1);
    expect(two.handlers.snapshots[0]).toMatchObject({ from: 1, message: 'snapshot message' });
    expect(content.equals(two.handlers.snapshots[0]?.content ?? new Uint8Array(1))).toBe(true);
  });

  test('hold up no messages', async () => {
    const [one, two] = await pair();
    const delivered = one.network.sendSnapshot(SNAPSHOT, Buffer.alloc(30_000_000));
    one.network.send([raftMessage(2, 'meanwhile')]);
    await two.until(() => two.handlers.received.length > 0);
    expect(two.handlers.snapshots).toEqual([]);
    await delivered;
  });

  test('one at a time to one peer', async () => {
    const [one] = await pair();
    const first = one.network.sendSnapshot(SNAPSHOT, Buffer.alloc(1_000_000));
    expect(await failing(one.network.sendSnapshot(SNAPSHOT, bytes('x')))).toBe('OVERLOADED');
    await first;
    await one.network.sendSnapshot(SNAPSHOT, bytes('x'));
  });

  test('to a peer that is not there are not delivered', async () => {
    const [one, two] = await pair();
    await two.network.close();
    expect(await failing(one.network.sendSnapshot(SNAPSHOT, bytes('x')))).toBe('UNREACHABLE');
    expect(await failing(one.network.sendSnapshot({ ...SNAPSHOT, to: 9 }, bytes('x')))).toBe('UNREACHABLE');
  });

  test('above the bound are refused, by the sender and by the receiver', async () => {
    const group = new PeerGroup(service);
    groups.push(group);
    const one = await group.start(1, { limits: { maxSnapshotBytes: 2_000_000 } });
    const two = await group.start(2, { limits: { maxSnapshotBytes: 1_000_000 } });
    await group.connect([one, two]);
    expect(await failing(one.network.sendSnapshot(SNAPSHOT, Buffer.alloc(2_000_001)))).toBe('TOO_LARGE');
    const refused = await failing(one.network.sendSnapshot(SNAPSHOT, Buffer.alloc(1_000_001)));
    // The refusal can be overtaken by the end of the connection.
    expect(['REFUSED TOO_LARGE', 'UNCERTAIN']).toContain(refused);
    expect(two.handlers.snapshots).toEqual([]);
    await two.until(() => two.logged('SNAPSHOT_REFUSED'));
    await one.network.sendSnapshot(SNAPSHOT, Buffer.alloc(1_000_000));
  });

  test('that stop half-way are not given to anybody, and their room is free again', async () => {
    const group = new PeerGroup(service);
    groups.push(group);
    const identity = await service.node();
    const one = await group.start(1);
    const two = await group.start(2, { limits: { maxInboundSnapshots: 1 } });
    await group.connect([one, two]);
    two.directory.members.set(3, { raftId: 3, nodeId: identity.nodeId, address: '127.0.0.1:1', life: NO_LIFE });
    const client = new RawClient(two.network.address, identity, service.certificate);
    client.socket.write(Buffer.concat([GREETING, wire(snapshotFrame(0, 5, bytes('m'))), Buffer.from('abcd')]));
    let refusal = 'no error';
    while (refusal === 'no error') refusal = await failing(one.network.sendSnapshot(SNAPSHOT, bytes('x')));
    expect(['REFUSED OVERLOADED', 'UNCERTAIN']).toContain(refusal);
    const given = two.handlers.snapshots.length;
    client.socket.destroy();
    await client.until(() => client.closed);
    while ((await failing(one.network.sendSnapshot(SNAPSHOT, bytes('x')))) !== 'no error');
    expect(two.handlers.snapshots.slice(given)).toMatchObject([{ from: 1 }]);
  });

  test('that get no further fail', async () => {
    const timers = new ManualTimers();
    const identity = await service.node();
    const deaf = new RawServer(identity, service.certificate);
    const group = new PeerGroup(service);
    groups.push(group);
    const one = await group.start(1, { timers });
    one.directory.members.set(2, { raftId: 2, nodeId: identity.nodeId, address: await deaf.listen(), life: NO_LIFE });
    one.network.directoryChanged();
    await deaf.witness.until(() => deaf.sockets.length === 1);
    const delivered = failing(one.network.sendSnapshot(SNAPSHOT, bytes('x')));
    await deaf.witness.until(() => deaf.sockets.length === 2);
    await deaf.witness.until(() => Buffer.concat(deaf.received).includes('snapshot message'));
    timers.advance(10_000);
    expect(await delivered).toBe('UNCERTAIN');
    await deaf.close();
  });

  test('under way end with their peer and with the network', async () => {
    const [one, two] = await pair();
    const large = Buffer.alloc(50_000_000);
    const first = failing(one.network.sendSnapshot(SNAPSHOT, large));
    one.directory.members.delete(2);
    one.network.directoryChanged();
    expect(await first).toBe('UNREACHABLE');
    one.directory.members.set(2, two.peer);
    one.network.directoryChanged();
    const second = failing(one.network.sendSnapshot(SNAPSHOT, large));
    await one.network.close();
    expect(['UNREACHABLE', 'UNCERTAIN']).toContain(await second);
    expect(two.handlers.snapshots).toEqual([]);
  });
});
