/** The plugin behind its server, asked as Cactus's clients ask, in front of a double of the agent. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PREFIXES } from '@drawbridge/connector-cactus/cactus-paths';
import { ConfigError, parseConfig } from '@drawbridge/connector-sdk/connector-files';
import { isIPluginWebService } from '@hyperledger/cactus-core-api';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SignJWT } from 'jose';
import { pino } from 'pino';
import type { AgentValue } from '../agent-cbor.ts';
import { CordaCactusSection, readCordaCactusSetup } from './corda-cactus-config.ts';
import type { CordaCactusPlugin } from './corda-cactus-plugin.ts';
import { type RunningCordaCactus, startCordaCactus } from './corda-cactus-server.ts';
import { CORDA_OPERATIONS } from './corda-operations.ts';
import { type ApiCall, callApi } from './testing/corda-api-client.ts';
import { RoteAgent } from './testing/rote-agent.ts';

const NOW_MS = 1_800_000_000_000;
const FLOW = 'com.bank.Pay';
const STATE = 'com.bank.Note';
const SECRET = 'an amount that nobody may see';
const SERVED = CORDA_OPERATIONS.filter(({ summary }) => summary !== 'Not served');

let dir: string;
let agent: RoteAgent;
let cactus: RunningCordaCactus;
const lines: string[] = [];
const running: RunningCordaCactus[] = [];

async function start(section: Readonly<Record<string, unknown>> = {}, ofAgent = agent): Promise<RunningCordaCactus> {
  const setup = await readCordaCactusSetup(parseConfig(CordaCactusSection, section), (path) => join(dir, path));
  const log = pino({ level: 'trace' }, { write: (line) => lines.push(line) });
  const started = await startCordaCactus(setup, {
    agent: ofAgent,
    log,
    now: () => performance.now(),
    wallClock: () => NOW_MS,
  });
  running.push(started);
  return started;
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-corda-cactus-'));
});
beforeEach(async () => {
  agent = new RoteAgent();
  cactus = await start();
});
afterAll(async () => {
  for (const each of running) await each.close();
  await rm(dir, { recursive: true, force: true });
});

const at = (name: string, prefix: string = PREFIXES[0]): string =>
  `${prefix}/cactus-plugin-ledger-connector-corda/${name}`;
const call = (verb: ApiCall['verb'], name: string, body?: unknown, more: Partial<ApiCall> = {}) =>
  callApi({ base: cactus.url, verb, path: at(name), body, ...more });
const text = (value: string) => ({
  jvmTypeKind: 'PRIMITIVE',
  jvmType: { fqClassName: 'java.lang.String' },
  primitiveValue: value,
});
const invocation = { flowFullClassName: FLOW, flowInvocationType: 'FLOW_DYNAMIC', params: [text('x')] };
const outcome = { success: true, callOutput: { done: 'yes' }, flowId: 'f', transactionId: 'ab', progress: [] };

test('it stands in a registry as a plugin of Cactus', async () => {
  const plugin = cactus.registry.getOneByPackageName<CordaCactusPlugin>('@drawbridge/connector-corda');
  expect(isIPluginWebService(plugin)).toBe(true);
  expect(await plugin.hasTransactionFinality()).toBe(true);
  await expect(plugin.deployContract()).rejects.toMatchObject({ code: 'REQUEST_UNSUPPORTED' });
  agent.answer('cactus-invoke', JSON.stringify(outcome));
  expect(await plugin.transact(invocation)).toEqual(outcome);
  const paths = (await plugin.getOrCreateWebServices()).map((endpoint) => endpoint.getPath());
  expect(new Set(paths).size).toBe(2 * (CORDA_OPERATIONS.length + 2));
  const document = plugin.getOpenApiSpec() as { paths: Record<string, object> };
  expect(Object.keys(document.paths)).toEqual(expect.arrayContaining(paths));
  expect(document.paths[at('stop-monitor')]).toHaveProperty('delete');
});

describe.each(PREFIXES)('under %s', (prefix) => {
  const ask = (verb: ApiCall['verb'], name: string, body?: unknown) =>
    call(verb, name, body, { path: at(name, prefix) });

  test('invoke-contract sends its JSON to the agent, with a deadline', async () => {
    agent.answer('cactus-invoke', JSON.stringify(outcome));
    expect(await ask('post', 'invoke-contract', invocation)).toMatchObject({ status: 200, body: outcome });
    await ask('post', 'invoke-contract', { ...invocation, timeoutMs: 5, signingCredential: { any: 'thing' } });
    const [first, second] = agent.asked;
    expect(first?.args.slice(1)).toEqual([NOW_MS + 90_000, 60_000, JSON.stringify(invocation)]);
    expect(first?.timeoutMs).toBe(65_000);
    expect(second?.args.slice(1)).toEqual([NOW_MS + 30_005, 5, JSON.stringify(invocation)]);
    expect(first?.args[0]).toHaveLength(16);
    expect(first?.args[0]).not.toEqual(second?.args[0]);
  });

  test('vault-query gathers pages', async () => {
    agent.on('cactus-states', ([, page]) => ({
      ok: true,
      result: [JSON.stringify({ states: [{ page }], statesMetadata: [{}] }), page === 0],
    }));
    const { status, body } = await ask('post', 'vault-query', { contractStateType: STATE });
    expect([status, body]).toMatchObject([200, { states: [{ page: 0 }, { page: 1 }], totalStatesAvailable: 2 }]);
    expect(agent.of('cactus-states')).toEqual([
      [STATE, 0],
      [STATE, 1],
    ]);
  });

  test('list-flows, network-map and diagnose-node answer what the agent says', async () => {
    agent.answer('cactus-flows', JSON.stringify({ flowNames: [FLOW] }));
    agent.answer('cactus-network', '[]').answer('cactus-node', '{"nodeDiagnosticInfo":{}}');
    expect(await ask('post', 'list-flows', { filter: 'Pay' })).toMatchObject({ body: { flowNames: [FLOW] } });
    expect(await ask('post', 'list-flows', {})).toMatchObject({ status: 200 });
    expect(agent.of('cactus-flows')).toEqual([['Pay'], ['']]);
    expect(await ask('post', 'network-map', {})).toMatchObject({ status: 200, body: [] });
    expect(await ask('post', 'diagnose-node', { nodeIds: [] })).toMatchObject({ body: { nodeDiagnosticInfo: {} } });
  });

  test('monitors, with bodies on GET and DELETE', async () => {
    const watched = { clientAppId: 'app', stateFullClassName: STATE };
    const row: AgentValue = [new Uint8Array(36), NOW_MS, '{"state":1}'];
    agent.answer('cactus-clock', NOW_MS).answer('cactus-recorded', [row], false);
    const done = { status: 200, body: { success: true, msg: 'OK' } };
    expect(await ask('post', 'start-monitor', watched)).toMatchObject(done);
    const tx = [{ index: '0', data: '{"state":1}' }];
    const told = await ask('get', 'get-monitor-transactions', watched);
    expect(told).toMatchObject({ status: 200, body: { success: true, msg: 'OK', stateFullClassName: STATE, tx } });
    expect(await ask('delete', 'clear-monitor-transactions', { ...watched, txIndexes: ['0'] })).toMatchObject(done);
    expect(await ask('get', 'get-monitor-transactions', watched)).toMatchObject({ body: { tx: [] } });
    expect(await ask('delete', 'stop-monitor', watched)).toMatchObject(done);
    expect(await ask('get', 'get-monitor-transactions', watched)).toMatchObject({ body: { success: false } });
  });

  test('metrics count what the ledger took', async () => {
    agent.answer('cactus-invoke', JSON.stringify(outcome));
    await ask('post', 'invoke-contract', invocation);
    const { status, type, body } = await ask('get', 'get-prometheus-exporter-metrics');
    expect([status, type]).toEqual([200, expect.stringContaining('text/plain')]);
    expect(body).toContain('cactus_corda_total_tx_count{type="cactus_corda_total_tx_count"} 1');
  });

  test('what Corda 4 over an agent cannot do is said', async () => {
    for (const [verb, name] of [
      ['post', 'deploy-contract-jars'],
      ['get', 'list-cpi'],
      ['get', 'list-flow'],
      ['get', 'get-flow-cid'],
      ['post', 'start-flow'],
    ] as const)
      expect(await ask(verb, name, { username: 'u' })).toMatchObject({
        status: 501,
        body: { message: 'Not Implemented' },
      });
  });
});

describe('a request that does not fit', () => {
  test('is 400 with a bare list of faults', async () => {
    // Cactus's own document lets a network map be asked for with anything.
    for (const { name, verb } of SERVED.filter((each) => each.name !== 'network-map')) {
      const { status, body } = await call(verb, name, { surplus: 1 });
      expect([name, status, Array.isArray(body)]).toEqual([name, 400, true]);
    }
    const { body } = await call('post', 'invoke-contract', { ...invocation, params: 'x' });
    expect(body).toContainEqual({
      path: '/body/params',
      message: expect.any(String),
      errorCode: 'type.openapi.validation',
    });
    expect(agent.asked).toEqual([]);
  });

  test('is told in the same form where it is no JSON or too large', async () => {
    expect(await call('post', 'list-flows', '{')).toMatchObject({ status: 400, body: { message: 'Bad Request' } });
    const large = { filter: 'x'.repeat(70_000) };
    expect(await call('post', 'list-flows', large)).toMatchObject({ status: 413 });
    expect(await call('post', 'nothing-here', {})).toMatchObject({ status: 404 });
  });
});

test.each([
  ['OPERATION_NOT_ALLOWED', 403, 'METHOD_NOT_ALLOWED'],
  ['OBJECT_INVALID', 400, 'ARGUMENTS_INVALID'],
  ['COMMAND_TOO_LARGE', 413, 'REQUEST_TOO_LARGE'],
  ['BUSY', 503, 'BUSY'],
  ['AGENT_SILENT', 503, 'LEDGER_UNAVAILABLE'],
  ['COMMAND_EXPIRED', 503, 'LEDGER_UNAVAILABLE'],
  ['RESULT_TOO_LARGE', 500, 'ANSWER_TOO_LARGE'],
  ['REFUSED', 500, 'NODE_REFUSED'],
  ['FLOW_PENDING', 504, 'RECEIPT_TIMEOUT'],
  ['NODE_UNAVAILABLE', 504, 'RECEIPT_TIMEOUT'],
  ['NO_ANSWER', 504, 'RECEIPT_TIMEOUT'],
  ['AGENT_FAILED', 500, 'INTERNAL'],
])('the agent’s %s of a flow is %i', async (code, status, known) => {
  agent.refuse('cactus-invoke', code, 'RULE');
  const answer = await call('post', 'invoke-contract', invocation);
  expect(answer.status).toBe(status);
  const { error } = answer.body as { error: string };
  expect(JSON.parse(error)).toMatchObject({ code: known, reason: code });
});

test('answers of another form are no answers', async () => {
  agent.answer('cactus-flows', 7).answer('cactus-states', '{}', false).answer('cactus-network', '{');
  expect(await call('post', 'list-flows', {})).toMatchObject({ status: 503 });
  expect(await call('post', 'network-map', {})).toMatchObject({ status: 503 });
  expect(await call('post', 'vault-query', { contractStateType: STATE })).toMatchObject({ status: 503 });
});

test('a vault-query of more states than allowed is no answer, not a part of one', async () => {
  const page = JSON.stringify({ states: [1, 2], statesMetadata: [1, 2] });
  agent.answer('cactus-states', page, true);
  const narrow = await start({ limits: { maxStates: 5 } });
  const answer = await call('post', 'vault-query', { contractStateType: STATE }, { base: narrow.url });
  expect(answer.status).toBe(500);
  expect(agent.of('cactus-states')).toHaveLength(3);
});

test('a flow is waited for no longer than allowed', async () => {
  agent.answer('cactus-invoke', JSON.stringify(outcome));
  await call('post', 'invoke-contract', { ...invocation, timeoutMs: 10_000_000 });
  expect(agent.asked[0]?.args[2]).toBe(600_000);
});

test('nothing of a request or an answer is logged', async () => {
  agent.answer('cactus-invoke', JSON.stringify({ ...outcome, callOutput: SECRET }));
  await call('post', 'invoke-contract', { ...invocation, params: [text(SECRET)] });
  agent.refuse('cactus-invoke', 'REFUSED');
  await call('post', 'invoke-contract', { ...invocation, params: [text(SECRET)] });
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.join('')).not.toContain(SECRET);
  expect((await call('get', 'get-prometheus-exporter-metrics')).body).not.toContain(SECRET);
});

test('more requests at once than allowed are refused', async () => {
  let entered: (value?: unknown) => void = () => undefined;
  let leave: (value?: unknown) => void = () => undefined;
  const inside = new Promise((resolve) => {
    entered = resolve;
  });
  const gate = new Promise((resolve) => {
    leave = resolve;
  });
  agent.on('cactus-flows', async () => {
    entered();
    await gate;
    return { ok: true, result: ['{"flowNames":[]}'] };
  });
  const { url: base } = await start({ limits: { requests: 1 } });
  const first = call('post', 'list-flows', {}, { base });
  await inside;
  expect(await call('post', 'list-flows', {}, { base })).toMatchObject({ status: 503 });
  leave();
  expect(await first).toMatchObject({ status: 200 });
});

describe('who may ask', () => {
  test('without authentication only local programs, and no web page', async () => {
    for (const headers of [{ host: 'bank.example' }, { origin: 'https://page.example' }])
      expect(await call('post', 'list-flows', {}, { headers })).toMatchObject({ status: 403 });
    expect(agent.asked).toEqual([]);
  });

  test('beyond loopback it listens only with authentication and TLS', async () => {
    await expect(start({ listen: '0.0.0.0:0' })).rejects.toThrow(ConfigError);
    expect(new URL(cactus.url).hostname).toBe('127.0.0.1');
  });

  test('with authentication a token with the scope of the operation', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writeFile(join(dir, 'issuer.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
    const authentication = { keysFile: 'issuer.pem', issuer: 'https://issuer.test', audience: 'corda' };
    const { url: base } = await start({ authentication });
    const token = (scope: string) =>
      new SignJWT({ scope })
        .setProtectedHeader({ alg: 'ES256' })
        .setIssuer('https://issuer.test')
        .setAudience('corda')
        .setExpirationTime(NOW_MS / 1_000 + 60)
        .sign(privateKey);
    const bearer = async (scope: string) => ({ authorization: `Bearer ${await token(scope)}` });
    agent.answer('cactus-flows', '{"flowNames":[]}').answer('cactus-invoke', JSON.stringify(outcome));
    for (const { name, verb } of CORDA_OPERATIONS) {
      expect([name, (await call(verb, name, {}, { base })).status]).toEqual([name, 401]);
      const lacking = { base, headers: await bearer('read:metrics') };
      expect([name, (await call(verb, name, {}, lacking)).status]).toEqual([name, 403]);
    }
    const reads = { base, headers: await bearer('read:ledger') };
    expect(await call('post', 'list-flows', {}, reads)).toMatchObject({ status: 200 });
    expect(await call('post', 'invoke-contract', invocation, reads)).toMatchObject({ status: 403 });
    const writes = { base, headers: await bearer('write:ledger') };
    expect(await call('post', 'invoke-contract', invocation, writes)).toMatchObject({ status: 200 });
    expect(agent.of('cactus-invoke')).toHaveLength(1);
  });
});

test('the end of the connector ends what is waited for', async () => {
  const ending = await start();
  const plugin = ending.registry.getOneByPackageName<CordaCactusPlugin>('@drawbridge/connector-corda');
  await ending.close();
  await expect(plugin.transact(invocation)).rejects.toMatchObject({ code: 'RECEIPT_TIMEOUT' });
});
