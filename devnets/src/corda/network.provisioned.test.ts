import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest } from '@jest/globals';
import { testWithCorda } from '../testing/with-corda.ts';
import { type CordaNetwork, type CordaNode, startCordaNetwork } from './network.ts';
import { pay } from './testing/pay.ts';

jest.setTimeout(900_000);

const withCorda = await testWithCorda();
const TRANSACTION_ID = /^[0-9A-F]{64}$/;

/** One network over all tests of this file: each goes on where the one before it ended. */
let dir: string;
let started: CordaNetwork | undefined;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-corda-network-'));
});
afterAll(async () => {
  await started?.stop();
  await rm(dir, { recursive: true });
});

function running(): CordaNetwork {
  if (started === undefined) throw new TypeError('the first test starts the network');
  return started;
}

function parties(): readonly [CordaNode, CordaNode] {
  const [first, second] = running().parties;
  if (first === undefined || second === undefined) throw new TypeError('there are two parties');
  return [first, second];
}

function portOf(address: string): number {
  return Number(address.split(':')[1]);
}

function isOpen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

withCorda('two banks pay over the notary, on loopback only', async () => {
  started = await startCordaNetwork({ stateDir: dir });
  const { nodes } = running();
  expect(nodes.map(({ isNotary }) => isNotary)).toEqual([true, false, false]);
  for (const { index } of nodes) expect(await running().healthy(index)).toBe(true);
  const paid = await pay(running(), ...parties());
  expect(paid.transactionId).toMatch(TRANSACTION_ID);
  expect([...paid.knownNodes].sort()).toEqual(nodes.map(({ p2pAddress }) => p2pAddress).sort());
  const outside = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .filter(({ internal }) => !internal);
  for (const { address } of outside) {
    for (const { p2pAddress, rpcAddress } of nodes) {
      expect(await isOpen(address, portOf(p2pAddress))).toBe(false);
      expect(await isOpen(address, portOf(rpcAddress))).toBe(false);
    }
  }
});

withCorda('a node that crashes is reported once, and comes back with its ledger', async () => {
  const [first, second] = parties();
  process.kill(second.pid() ?? 0, 'SIGKILL');
  expect(await running().failed).toMatchObject({ index: second.index, exit: { signal: 'SIGKILL' } });
  expect(second.running()).toBe(false);
  expect(await running().healthy(second.index)).toBe(false);
  await running().startNode(second.index);
  expect(second.running()).toBe(true);
  expect((await pay(running(), second, first)).transactionId).toMatch(TRANSACTION_ID);
});

withCorda('a network goes on from its folder, on other ports; one of another shape does not take it', async () => {
  const before = running().nodes.map(({ p2pAddress }) => p2pAddress);
  await running().stop();
  expect(running().nodes.filter((node) => node.running())).toEqual([]);
  expect(await readdir(dir)).toEqual(['network.json', 'nodes']);
  const other = startCordaNetwork({ stateDir: dir, parties: ['O=Aurora Bank,L=London,C=GB'] });
  await expect(other).rejects.toMatchObject({ code: 'CORDA_STATE_OF_ANOTHER_NETWORK' });
  started = await startCordaNetwork({ stateDir: dir });
  const now = running().nodes.map(({ p2pAddress }) => p2pAddress);
  expect(now.filter((address) => before.includes(address))).toEqual([]);
  const paid = await pay(running(), ...parties());
  expect([...paid.knownNodes].sort()).toEqual([...now].sort());
});
