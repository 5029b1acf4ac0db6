import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { JsonRpcProvider, Wallet } from 'ethers';
import { startProcess } from './child-process.ts';
import { type CliqueNetwork, startCliqueNetwork } from './clique.ts';
import type { CliqueOptions } from './clique-options.ts';
import { sourceProgram } from './source-program.ts';
import { testWithGeth } from './testing/with-geth.ts';
import { until } from './until.ts';

jest.setTimeout(300_000);

const withGeth = await testWithGeth();
const DEADLINE_MS = 60_000;
const SPARE = '0x00000000000000000000000000000000000000aa';
const OPTIONS = { chainId: 7331, signers: 3, nonSigners: 1, periodS: 1, epochLength: 20, alloc: { [SPARE]: 7n } };

/** One network over all tests of this file: each goes on where the one before it ended. */
let dir: string;
let latest: CliqueNetwork | undefined;
/** Also those of tests that a later one, which would have ended them, did not follow. */
const started: CliqueNetwork[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-clique-test-'));
});
afterAll(async () => {
  await Promise.all(started.map((each) => each.stop()));
  await rm(dir, { recursive: true });
});

async function start(options: CliqueOptions): Promise<CliqueNetwork> {
  latest = await startCliqueNetwork(options);
  started.push(latest);
  return latest;
}

function running(): CliqueNetwork {
  if (latest === undefined) throw new TypeError('the first test starts the network');
  return latest;
}

function addressOf(index: number): string {
  return String(running().nodes[index]?.address);
}

async function hashOf(node: number, block: number): Promise<string> {
  const found = await running().rpc(node, 'eth_getBlockByNumber', `0x${block.toString(16)}`, false);
  return typeof found === 'object' && found !== null && 'hash' in found ? String(found.hash) : 'none';
}

async function untilBlock(node: number, number: number): Promise<void> {
  await until(
    `node ${node} has block ${number}`,
    DEADLINE_MS,
    async () => (await running().blockNumber(node)) >= number,
  );
}

/** Sealers of a node's newest `count` blocks, lower case, as the node itself recovers them. */
async function sealers(node: number, count: number): Promise<Set<string>> {
  const newest = await running().blockNumber(node);
  const blocks = Array.from({ length: Math.min(count, newest) }, (_, back) => `0x${(newest - back).toString(16)}`);
  return new Set(
    (await Promise.all(blocks.map((block) => running().rpc(node, 'clique_getSigner', block)))).map(String),
  );
}

/** Sends one wei through a node; the answer is the transaction's hash. */
async function send(through: number): Promise<string> {
  const { nodes, accounts, chainId } = running();
  const [sender] = accounts;
  const provider = new JsonRpcProvider(nodes[through]?.rpcUrl, chainId, { staticNetwork: true, pollingInterval: 100 });
  try {
    const wallet = new Wallet(String(sender?.privateKey), provider);
    return (await wallet.sendTransaction({ to: SPARE, value: 1n })).hash;
  } finally {
    provider.destroy();
  }
}

async function untilPaid(hash: string, seenAt: number): Promise<void> {
  await until(`a receipt at node ${seenAt}`, DEADLINE_MS, async () => {
    const receipt = await running().rpc(seenAt, 'eth_getTransactionReceipt', hash);
    return typeof receipt === 'object' && receipt !== null && 'status' in receipt && receipt.status === '0x1';
  });
}

async function pay(through: number, seenAt: number): Promise<void> {
  await untilPaid(await send(through), seenAt);
}

/** Whether blocks come within ten periods: with just enough signers left, a tie of their newest blocks stops Clique. */
async function goesOn(node: number): Promise<boolean> {
  const before = await running().blockNumber(node);
  return until('four blocks', 10_000, async () => (await running().blockNumber(node)) >= before + 4).then(
    () => true,
    () => false,
  );
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
    socket.setTimeout(5_000, () => resolve(false));
    socket.unref();
  });
}

withGeth('three signers seal in turn, and the fourth node follows', async () => {
  const network = await start({ ...OPTIONS, stateDir: dir });
  expect(network.genesisHash).toMatch(/^0x[0-9a-f]{64}$/);
  expect(await network.signers()).toEqual([0, 1, 2].map((index) => addressOf(index).toLowerCase()).sort());
  for (const index of [0, 1, 2, 3]) await untilBlock(index, 6);
  expect(await sealers(3, 6)).toEqual(new Set(await network.signers()));
  expect(await Promise.all([0, 1, 2, 3].map((index) => hashOf(index, 0)))).toEqual(Array(4).fill(network.genesisHash));
});

withGeth('funded accounts pay through a node that does not sign', async () => {
  await pay(3, 0);
  expect(BigInt(String(await running().rpc(1, 'eth_getBalance', SPARE, 'latest')))).toBeGreaterThanOrEqual(7n);
});

withGeth('keys are readable for their owner only, and each node has a log', async () => {
  const files = (await readdir(dir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const secrets = files.filter(({ name }) => /^(network\.json|nodekey|password|sealer\.json|jwtsecret)$/.test(name));
  expect(secrets).toHaveLength(1 + 4 * 4);
  for (const { parentPath, name } of secrets) expect((await stat(join(parentPath, name))).mode & 0o077).toBe(0);
  for (const { logFile } of running().nodes) expect((await stat(logFile)).size).toBeGreaterThan(0);
});

withGeth('nothing listens on another address than 127.0.0.1', async () => {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outside = addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
  const p2p = await running().rpc(0, 'admin_nodeInfo');
  const port = Number(/"listenAddr":"127\.0\.0\.1:(\d+)"/.exec(JSON.stringify(p2p))?.[1]);
  expect(await answers('127.0.0.1', port)).toBe(true);
  if (outside === undefined) return;
  for (const each of [port, Number(new URL(String(running().nodes[0]?.rpcUrl)).port)]) {
    expect(await answers(outside, each)).toBe(false);
  }
});

withGeth('a fourth signer is voted in and seals; another is voted out; checkpoints list the set', async () => {
  await running().proposeSigner(addressOf(3), true);
  expect(await running().signers()).toHaveLength(4);
  const added = addressOf(3).toLowerCase();
  await until('the new signer seals', DEADLINE_MS, async () => (await sealers(0, 4)).has(added));
  await running().proposeSigner(addressOf(0), false);
  expect(await running().signers()).toEqual([1, 2, 3].map((index) => addressOf(index).toLowerCase()).sort());
  for (const index of [0, 1, 2, 3]) expect(await running().rpc(index, 'clique_proposals')).toEqual({});
  const checkpoint = Math.ceil(((await running().blockNumber()) + 1) / OPTIONS.epochLength) * OPTIONS.epochLength;
  await untilBlock(1, checkpoint);
  const block = (await running().rpc(1, 'eth_getBlockByNumber', `0x${checkpoint.toString(16)}`, false)) as {
    extraData: string;
  };
  const listed = (await running().signers()).map((address) => address.slice(2)).join('');
  expect(block.extraData.slice(2 + 64, -130)).toBe(listed);
});

withGeth('a node that only follows can go, come back and catch up', async () => {
  await running().stopNode(0);
  await expect(running().rpc(0, 'eth_blockNumber')).rejects.toMatchObject({ code: 'CLIQUE_NODE_STOPPED' });
  await pay(3, 2);
  await running().startNode(0);
  await pay(0, 2);
});

withGeth(
  'it goes on while a signer is down; what was sent meanwhile is paid once that is back, also after a crash',
  async () => {
    for (const end of ['stopNode', 'killNode'] as const) {
      let went = false;
      for (let attempt = 0; attempt < 4 && !went; attempt += 1) {
        await running()[end](1);
        went = await goesOn(2);
        const hash = await send(3);
        await running().startNode(1);
        for (const index of [0, 1, 2, 3]) await untilPaid(hash, index);
      }
      expect(went).toBe(true);
    }
  },
);

withGeth('a network that was stopped goes on with its chain, keys and accounts', async () => {
  const before = running();
  const height = await before.blockNumber();
  await before.stop();
  const network = await start({ ...OPTIONS, stateDir: dir });
  expect(network).toMatchObject({ genesisHash: before.genesisHash, accounts: before.accounts });
  await untilBlock(0, height + 2);
  await pay(2, 3);
  await network.stop();
  const other = startCliqueNetwork({ ...OPTIONS, epochLength: 21, stateDir: dir });
  await expect(other).rejects.toMatchObject({ code: 'CLIQUE_STATE_OF_ANOTHER_NETWORK' });
});

withGeth('too few signers that run cannot change the set; a node that ends by itself is told', async () => {
  const network = await start({ chainId: 7332, signers: 2, nonSigners: 0, accounts: 1 });
  await network.stopNode(1);
  const vote = network.proposeSigner(SPARE, true);
  await expect(vote).rejects.toMatchObject({ code: 'CLIQUE_NO_MAJORITY' });
  await expect(network.rpc(2, 'eth_chainId')).rejects.toMatchObject({ code: 'CLIQUE_NO_SUCH_NODE' });
  network.signalNode(0, 'SIGKILL');
  expect(await network.failed).toEqual({ index: 0, exit: { code: null, signal: 'SIGKILL' } });
  await network.startNode(0);
  const found = (await network.rpc(0, 'admin_datadir')) as string;
  await expect(stat(found)).resolves.toBeDefined();
  await network.stop();
  await expect(stat(found)).rejects.toMatchObject({ code: 'ENOENT' });
});

withGeth('as a program it tells its nodes and goes on until it is asked to end', async () => {
  const program = fileURLToPath(new URL('./clique-main.ts', import.meta.url));
  const accounts = join(dir, 'accounts.json');
  const state = join(dir, 'program');
  const args = ['--chain-id', '7333', '--state-dir', state, '--accounts', accounts, '--signers', '1', '--others', '0'];
  const child = await startProcess({
    name: 'clique devnet',
    ...sourceProgram(program, args),
    ready: { line: /"ready":true/ },
    readyTimeoutMs: DEADLINE_MS,
    stopTimeoutMs: DEADLINE_MS,
  });
  expect(JSON.parse(String(child.readyWith))).toMatchObject({
    url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    genesisHash: expect.stringMatching(/^0x[0-9a-f]{64}$/),
    nodes: [{ address: expect.stringMatching(/^0x/) }],
  });
  expect((await stat(accounts)).mode & 0o777).toBe(0o600);
  expect(await child.stop()).toEqual({ code: 0, signal: null });
});

test.each([{ chainId: 0 }, { signers: 0 }, { signers: 17 }, { nonSigners: -1 }, { periodS: 0.5 }, { epochLength: 0 }])(
  'options that cannot be: %j',
  async (options) => {
    await expect(startCliqueNetwork({ chainId: 7331, ...options })).rejects.toMatchObject({ code: 'CLIQUE_OPTIONS' });
  },
);
