import { type NodeId, parseNodeId } from '@drawbridge/protocol/ledger/node-id';
import { NO_LIFE, type NodeLife } from '@drawbridge/protocol/ledger/node-life';
import { expect, test } from '@jest/globals';
import type { Peer } from '../peers/peer-types.ts';
import { addressFor } from './listen-address.ts';
import { SeededDirectory } from './seeded-directory.ts';

const nodeId = (digit: string): NodeId => parseNodeId(digit.repeat(64));
const peer = (raftId: number, digit: string, address = `host-${raftId}:1`, life = NO_LIFE): Peer => ({
  raftId,
  nodeId: nodeId(digit),
  address,
  life,
});

function ledgerOf(revision: number, peers: readonly Peer[]) {
  return {
    revision,
    peers: () => peers,
    byNodeId: (id: NodeId) => peers.findLast((one) => one.nodeId === id),
    mayJoin: (id: NodeId) => id === nodeId('f'),
  };
}

test('what is of later counts: the ledger, or what the node was told', () => {
  const ledger = ledgerOf(2, [peer(1, 'a')]);
  const directory = new SeededDirectory(ledger, { revision: 5, peers: [peer(1, 'a', 'moved:1'), peer(7, 'b')] });
  expect([...directory.peers()]).toEqual([peer(1, 'a', 'moved:1'), peer(7, 'b')]);
  expect(directory.byNodeId(nodeId('b'))).toEqual(peer(7, 'b'));
  ledger.revision = 5;
  expect([...directory.peers()]).toEqual([peer(1, 'a')]);
  expect(directory.byNodeId(nodeId('b'))).toBeUndefined();
});

test('only news is taken', () => {
  const directory = new SeededDirectory(ledgerOf(4, []), { revision: 5, peers: [] });
  expect(directory.tell({ revision: 5, peers: [peer(1, 'a')] })).toBe(false);
  expect(directory.tell({ revision: 3, peers: [peer(1, 'a')] })).toBe(false);
  expect(directory.tell({ revision: 6, peers: [peer(1, 'a')] })).toBe(true);
  expect([...directory.peers()]).toEqual([peer(1, 'a')]);
  const ahead = new SeededDirectory(ledgerOf(9, []), { revision: 0, peers: [] });
  expect(ahead.tell({ revision: 9, peers: [peer(1, 'a')] })).toBe(false);
});

test('of several places of one key the newest is its peer', () => {
  const directory = new SeededDirectory(ledgerOf(1, []), { revision: 2, peers: [peer(9, 'a'), peer(3, 'a')] });
  expect(directory.byNodeId(nodeId('a'))?.raftId).toBe(9);
});

test('which life a place is of does not change by what a node is told, be it of later', () => {
  const first = '1'.repeat(32) as NodeLife;
  const second = '2'.repeat(32) as NodeLife;
  const address = 'moved:1';
  const ledger = ledgerOf(4, [peer(1, 'a', 'a:1', first)]);
  const directory = new SeededDirectory(ledger, { revision: 0, peers: [] });
  const told = [peer(1, 'a', address, second), peer(2, 'b', address, second)];
  expect(directory.tell({ revision: 9, peers: told })).toBe(true);
  expect([...directory.peers()]).toEqual([peer(1, 'a', address, first), peer(2, 'b', address, second)]);
  expect(directory.tell({ revision: 10, peers: [peer(2, 'b', address, first)] })).toBe(true);
  expect(directory.byNodeId(nodeId('b'))?.life).toBe(second);
});

test('who may join is for the ledger to say', () => {
  const directory = new SeededDirectory(ledgerOf(1, []), { revision: 2, peers: [peer(3, 'a')] });
  expect([directory.mayJoin(nodeId('f')), directory.mayJoin(nodeId('a'))]).toEqual([true, false]);
});

test.each([
  [{ host: '127.0.0.1', port: 0 }, [], ''],
  [{ host: '10.0.0.7', port: 8443 }, [], '10.0.0.7:8443'],
  [{ host: '0.0.0.0', port: 8443 }, ['localhost', '127.0.0.1', 'core.example'], 'core.example:8443'],
  [{ host: '::', port: 8443 }, ['localhost', '2001:db8::7'], '[2001:db8::7]:8443'],
  [{ host: '0.0.0.0', port: 8443 }, ['localhost'], 'localhost:8443'],
])('who listens on %j is known as such (%#)', (listen, hosts, address) => {
  expect(addressFor(listen, hosts)).toBe(address);
});
