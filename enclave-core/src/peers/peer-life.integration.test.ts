/** A key may come back without the memory of what it promised: peers are of the life that the ledger has, and of no other. */
import { NO_LIFE, type NodeLife } from '@drawbridge/protocol/ledger/node-life';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ManualTimers } from './testing/manual-timers.ts';
import { bytes, PeerGroup, raftMessage, type TestNode } from './testing/peer-group.ts';
import { RawServer } from './testing/raw-peer.ts';
import { TestService } from './testing/test-pki.ts';

const lifeOf = (digit: string): NodeLife => digit.repeat(32) as NodeLife;
/** Nobody listens there: a node that has this address of a peer is only connected to by it. */
const NOWHERE = '127.0.0.1:1';
let service: TestService;
let group: PeerGroup;
let one: TestNode;
let two: TestNode;

beforeAll(async () => {
  service = await TestService.create();
});
beforeEach(async () => {
  group = new PeerGroup(service);
  one = await group.start(1, { life: lifeOf('1') });
  two = await group.start(2, { life: lifeOf('2') });
});
afterEach(() => group.close());

/** `by` believes that `of` is of this life; it connects to it, or waits to be connected to. */
function believe(by: TestNode, of: TestNode, life: NodeLife, address = of.network.address): void {
  by.directory.members.set(of.raftId, { ...of.peer, life, address });
  by.network.directoryChanged();
}

/** Time enough for what must not arrive: another peer has had answers from the same node many times meanwhile. */
async function meanwhile(): Promise<void> {
  const third = await group.start(3);
  believe(two, third, NO_LIFE, NOWHERE);
  believe(third, two, two.life);
  await third.until(() => third.network.reachable(2));
  for (let i = 0; i < 20; i++) {
    one.network.send([raftMessage(2, 'forgotten vote')]);
    await third.network.request(2, 'submit', bytes('x'), { timeoutMs: 20_000 });
  }
}

describe('a process of another life than the ledger has', () => {
  test('is not heard where it connects', async () => {
    believe(two, one, lifeOf('9'), NOWHERE);
    believe(one, two, two.life);
    await meanwhile();
    await two.until(() => two.logged('LIFE_OTHER'));
    expect(two.handlers.received).toEqual([]);
    expect(two.handlers.clocks.filter(({ from }) => from === 1)).toEqual([]);
    expect(one.network.reachable(2)).toBe(false);
  });

  test('is told nothing where it is connected to', async () => {
    believe(one, two, two.life, NOWHERE);
    believe(two, one, lifeOf('9'));
    for (let i = 0; i < 20; i++) two.network.send([raftMessage(1, `append ${i}`)]);
    await two.until(() => two.logged('LIFE_OTHER'));
    await two.until(() => two.handlers.lost.length > 3);
    expect([one.handlers.received, one.handlers.clocks]).toEqual([[], []]);
    expect(two.network.reachable(1)).toBe(false);
  });

  test('is cut off, both ways, as soon as the ledger has another', async () => {
    await group.connect([one, two]);
    believe(two, one, lifeOf('9'));
    await two.until(() => two.logged('LIFE_OTHER'));
    await one.until(() => !one.network.reachable(2));
    expect(two.network.reachable(1)).toBe(false);
    const heard = two.handlers.received.length;
    await meanwhile();
    expect(two.handlers.received.slice(heard)).toEqual([]);
    believe(two, one, one.life);
    await two.until(() => two.network.reachable(1));
    await one.until(() => one.network.reachable(2));
  });
});

test('who never says which life it is of is given up', async () => {
  const timers = new ManualTimers();
  const identity = await service.node();
  const mute = new RawServer(identity, service.certificate, {}, null);
  const dialling = await group.start(4, { timers, limits: { connectTimeoutMs: 500 } });
  const address = await mute.listen();
  dialling.directory.members.set(5, { raftId: 5, nodeId: identity.nodeId, address, life: NO_LIFE });
  dialling.network.directoryChanged();
  await mute.witness.until(() => mute.received.length > 0);
  timers.advance(500);
  await dialling.until(() => dialling.logged('HELLO_TIMEOUT'));
  await mute.close();
});
