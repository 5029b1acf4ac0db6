/** Cactus's operations on a live network: HTTP, the plugin, RabbitMQ, the agent, a node. One network; tests go on where the last ended. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PREFIXES } from '@drawbridge/connector-cactus/cactus-paths';
import { parseConfig } from '@drawbridge/connector-sdk/connector-files';
import { until } from '@drawbridge/devnets/until';
import { type Bytes32, fromHex } from '@drawbridge/protocol/bytes32';
import { afterAll, expect, jest } from '@jest/globals';
import { pino } from 'pino';
import { type CordaTestbed, drawnWord, startCordaTestbed } from '../testing/corda-testbed.ts';
import { type LiveLine, openLiveLine } from '../testing/live-line.ts';
import { OPERATIONS_PERMISSIONS } from '../testing/rpc-permissions.ts';
import { SigningKeyPair } from '../testing/vault-authority.ts';
import { testWithCordaTestbed } from '../testing/with-corda-testbed.ts';
import { CordaCactusSection, readCordaCactusSetup } from './corda-cactus-config.ts';
import { type RunningCordaCactus, startCordaCactus } from './corda-cactus-server.ts';
import { type ApiCall, callApi } from './testing/corda-api-client.ts';

jest.setTimeout(600_000);
const withBed = await testWithCordaTestbed();

const FLOWS = 'drawbridge.corda.flow';
const STATES = 'drawbridge.corda.contract';
const LOCK = `${STATES}.LockState`;
const VISIBLE_MS = 30_000;
/** What the operator of this agent lets Cactus do. `LockValue` is here and not among the permissions of the node's user. */
const operations = {
  flows: ['DescribeVault', 'FindLock', 'CashConstraint', 'MoveTokens', 'LockValue'].map((name) => `${FLOWS}.${name}`),
  states: [`${STATES}.VaultState`, LOCK],
};
const agentPermissions = [
  ...OPERATIONS_PERMISSIONS,
  ...['CashConstraint', 'MoveTokens'].map((name) => `StartFlow.${FLOWS}.${name}`),
];

type Live = Readonly<{ bed: CordaTestbed; line: LiveLine; cactus: RunningCordaCactus; vault: Bytes32 }>;
let dir: string | undefined;
let bed: CordaTestbed | undefined;
let line: LiveLine | undefined;
let live: Live | undefined;

afterAll(async () => {
  await live?.cactus.close();
  await line?.stop();
  await bed?.stop();
  if (dir !== undefined) await rm(dir, { recursive: true, force: true });
});

function up(): Live {
  if (live === undefined) throw new TypeError('the first test starts the network');
  return live;
}

async function call(verb: ApiCall['verb'], name: string, body?: unknown) {
  const path = `${PREFIXES[1]}/cactus-plugin-ledger-connector-corda/${name}`;
  const answer = await callApi({ base: up().cactus.url, verb, path, body });
  return { status: answer.status, body: answer.body as Record<string, unknown> };
}
const invoke = (flow: string, params: readonly unknown[]) =>
  call('post', 'invoke-contract', {
    flowFullClassName: `${FLOWS}.${flow}`,
    flowInvocationType: 'FLOW_DYNAMIC',
    params,
  });

const primitive = (fqClassName: string, primitiveValue: unknown) => ({
  jvmTypeKind: 'PRIMITIVE',
  jvmType: { fqClassName },
  primitiveValue,
});
const object = (fqClassName: string, jvmCtorArgs: readonly unknown[], constructorName?: string) => ({
  jvmTypeKind: 'REFERENCE',
  jvmType: { fqClassName, ...(constructorName !== undefined && { constructorName }) },
  jvmCtorArgs,
});
const bytes = (hex: Bytes32) =>
  object(
    'byte[]',
    [...Int8Array.from(fromHex(hex))].map((each) => primitive('byte', each)),
  );
const party = (name: string) => object('net.corda.core.identity.Party', [primitive('java.lang.String', name)]);
const reasonOf = ({ body }: Readonly<{ body: Record<string, unknown> }>) => JSON.parse(String(body.error)) as object;

withBed('diagnose-node, network-map and list-flows tell of the node', async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-cactus-corda-'));
  bed = await startCordaTestbed({ dir, agentPermissions });
  line = await openLiveLine(bed);
  const { call: ask, nodeUp } = line;
  const guardian = new SigningKeyPair();
  const { vaultId: vault } = await bed.createVault({
    mode: 'escrow',
    asset: 'EUR',
    authority: new SigningKeyPair().address,
    serviceId: drawnWord(),
    guardians: [guardian.address],
  });
  await bed.startAgent({ vaults: [vault], settings: { operations } });
  await nodeUp();
  const setup = await readCordaCactusSetup(parseConfig(CordaCactusSection, {}), (path) => path);
  const cactus = await startCordaCactus(setup, {
    agent: { call: (verb, args, { timeoutMs }) => ask(verb, args, timeoutMs) },
    log: pino({ level: 'silent' }),
    now: () => performance.now(),
    wallClock: () => Date.now(),
  });
  live = { bed, line, cactus, vault };
  const diagnosis = await call('post', 'diagnose-node', {});
  expect(diagnosis).toMatchObject({
    status: 200,
    body: { nodeDiagnosticInfo: { version: '4.10', platformVersion: 12 } },
  });
  const map = await callApi({
    base: cactus.url,
    verb: 'post',
    path: `${PREFIXES[0]}/cactus-plugin-ledger-connector-corda/network-map`,
    body: {},
  });
  expect(map.status).toBe(200);
  const names = (map.body as { legalIdentities: { name: { organisation: string } }[] }[]).flatMap((node) =>
    node.legalIdentities.map(({ name }) => name.organisation),
  );
  for (const node of [bed.vaultParty, bed.depositor])
    expect(names.some((name) => node.legalName.includes(name))).toBe(true);
  const flows = await call('post', 'list-flows', { filter: 'Find' });
  expect(flows).toEqual({ status: 200, body: { flowNames: [`${FLOWS}.FindLock`] } });
});

withBed('vault-query shows unconsumed states of the listed classes, and no others', async () => {
  const found = await call('post', 'vault-query', { contractStateType: `${STATES}.VaultState` });
  expect(found).toMatchObject({ status: 200, body: { totalStatesAvailable: 1, stateTypes: 'UNCONSUMED' } });
  expect(found.body.states).toMatchObject([
    { ref: { index: expect.any(Number) }, state: { data: expect.any(Object) } },
  ]);
  for (const contractStateType of ['net.corda.core.contracts.ContractState', `${STATES}.PermitState`])
    expect(await call('post', 'vault-query', { contractStateType })).toMatchObject({ status: 403 });
});

withBed('a monitor tells of a lock that was made since, once', async () => {
  const { bed: testbed, vault } = up();
  const watched = { clientAppId: 'app', stateFullClassName: LOCK };
  expect(await call('post', 'start-monitor', watched)).toMatchObject({ status: 200, body: { success: true } });
  expect((await call('get', 'get-monitor-transactions', watched)).body.tx).toEqual([]);
  await testbed.issueCash(500n);
  const reference = drawnWord();
  const lock = await testbed.lock(vault, reference, 500n);
  let tx: { index: string; data: string }[] = [];
  await until('the lock is told', VISIBLE_MS, async () => {
    tx = (await call('get', 'get-monitor-transactions', watched)).body.tx as typeof tx;
    return tx.length > 0;
  });
  expect(tx).toHaveLength(1);
  expect(tx[0]?.data).toContain(lock.ref.slice(2, 66).toUpperCase());
  await call('delete', 'clear-monitor-transactions', { ...watched, txIndexes: ['0'] });
  expect((await call('get', 'get-monitor-transactions', watched)).body.tx).toEqual([]);
  expect(await call('delete', 'stop-monitor', watched)).toMatchObject({ body: { success: true } });
  expect(await call('post', 'start-monitor', { ...watched, stateFullClassName: `${STATES}.CoinState` })).toMatchObject({
    body: { success: false },
  });
});

withBed('invoke-contract runs listed flows with arguments of the JVM-object form', async () => {
  const { vault, bed: testbed } = up();
  const described = await invoke('DescribeVault', [bytes(vault)]);
  expect(described).toMatchObject({
    status: 200,
    body: { success: true, flowId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
  });
  expect(described.body.callOutput).toBeInstanceOf(Object);
  expect(await invoke('CashConstraint', [])).toMatchObject({ status: 200, body: { callOutput: expect.any(String) } });
  expect(await invoke('FindLock', [bytes(drawnWord())])).toMatchObject({ status: 200, body: { callOutput: '' } });
  // The party is looked up in the network map; the vault has no tokens to move.
  const moved = await invoke('MoveTokens', [bytes(vault), primitive('long', 1), party(testbed.depositor.legalName)]);
  expect(moved.status).toBe(500);
  expect(reasonOf(moved)).toMatchObject({ code: 'NODE_REFUSED' });
});

withBed(
  'what the configuration does not name is refused by the agent, what the node does not permit by the node',
  async () => {
    const { vault, bed: testbed } = up();
    const unlisted = await invoke('GuardVault', []);
    expect([unlisted.status, reasonOf(unlisted)]).toMatchObject([403, { rule: 'FLOW' }]);
    const gadget = await invoke('CashConstraint', [
      object('java.lang.ProcessBuilder', [primitive('java.lang.String', 'x')]),
    ]);
    expect([gadget.status, reasonOf(gadget)]).toMatchObject([403, { rule: 'CLASS' }]);
    const nobody = await invoke('MoveTokens', [bytes(vault), primitive('long', 1), party('O=Nobody,L=London,C=GB')]);
    expect([nobody.status, reasonOf(nobody)]).toMatchObject([400, { rule: 'PARTY' }]);
    const forbidden = await invoke('LockValue', [
      party(testbed.vaultParty.legalName),
      bytes(vault),
      bytes(drawnWord()),
      primitive('long', 1),
    ]);
    expect(forbidden.status).toBe(500);
  },
);
