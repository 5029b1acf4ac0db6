/** The Cactus server on a real chain, by plain HTTP and Socket.IO: what the published clients of 0.5.0 have no method for. */
import { request as httpRequest } from 'node:http';
import { PREFIXES, SOCKET_IO_PATH } from '@drawbridge/connector-cactus/cactus-paths';
import { isIPluginWebService } from '@hyperledger/cactus-core-api';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { io, type Socket } from 'socket.io-client';
import { watchEvent } from './cactus-paths.ts';
import type { RunningCactus } from './cactus-server.ts';
import { type Dialect, OPERATIONS } from './operations.ts';
import type { QuorumCactusPlugin } from './quorum-cactus-plugin.ts';
import { type CactusBed, startCactusBed } from './testing/cactus-bed.ts';

type Answer = Readonly<{ status: number; type: string; body: unknown }>;
type Receipt = Readonly<{
  transactionReceipt: Readonly<{ contractAddress: string; transactionHash: string; blockNumber: number }>;
}>;

let bed: CactusBed;
let cactus: RunningCactus;
let address: string;
const sockets: Socket[] = [];

beforeAll(async () => {
  bed = await startCactusBed(4_712);
  cactus = await bed.start();
  const { body } = await post('quorum', 'deploy-contract-solidity-bytecode-json-object', {
    web3SigningCredential: bed.credential,
    contractJSON: bed.token,
    constructorArgs: ['Test euro', 'tEUR', 2],
  });
  address = (body as Receipt).transactionReceipt.contractAddress;
}, 120_000);
afterAll(() => bed?.stop());
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.disconnect();
});

async function send(method: string, path: string, init: RequestInit = {}, base: string = cactus.url): Promise<Answer> {
  const response = await fetch(`${base}${path}`, { method, ...init });
  const type = response.headers.get('content-type') ?? '';
  return { status: response.status, type, body: type.includes('json') ? await response.json() : await response.text() };
}
const post = (
  dialect: string,
  name: string,
  body: unknown,
  prefix: string = PREFIXES[1],
  headers: object = {},
  base?: string,
) =>
  send(
    'POST',
    `${prefix}/cactus-plugin-ledger-connector-${dialect}/${name}`,
    { headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) },
    base,
  );

/** A request as a browser would make it, with headers that fetch does not let a program set. */
function withHeaders(headers: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${cactus.url}/api/v1/api-server/healthcheck`, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on('error', reject).end();
  });
}

test('it is a plugin of the registry: ledger connector and web service, with an endpoint per operation and prefix', async () => {
  const plugin = cactus.registry.getOneByPackageName<QuorumCactusPlugin>('@drawbridge/connector-quorum-cactus');
  expect(isIPluginWebService(plugin)).toBe(true);
  expect(await plugin.hasTransactionFinality()).toBe(false);
  const paths = (await plugin.getOrCreateWebServices()).map((endpoint) => endpoint.getPath());
  expect(new Set(paths).size).toBe(2 * (OPERATIONS.length + 4));
  const document = plugin.getOpenApiSpec() as { paths: object };
  expect(Object.keys(document.paths)).toEqual(expect.arrayContaining(paths));
});

test.each(PREFIXES)('every operation answers under %s, and an empty request by its faults', async (prefix) => {
  for (const { dialect, name, request } of OPERATIONS) {
    const { status, body } = await post(dialect, name, {}, prefix);
    if ('required' in request) {
      expect([name, status]).toEqual([name, 400]);
      expect(body).toContainEqual({
        path: expect.any(String),
        message: expect.any(String),
        errorCode: expect.any(String),
      });
    } else expect([name, status]).toEqual([name, 200]);
  }
  for (const dialect of ['quorum', 'besu']) {
    const at = (name: string) => send('GET', `${prefix}/cactus-plugin-ledger-connector-${dialect}/${name}`);
    expect(await at('get-prometheus-exporter-metrics')).toMatchObject({
      status: 200,
      type: expect.stringContaining('text/plain'),
    });
    expect((await at('get-open-api-spec')).body).toMatchObject({ openapi: '3.0.3' });
  }
});

test('invokes what the request describes', async () => {
  const invoke = (invocationType: string, methodName: string, params: unknown[]) =>
    post('quorum', 'invoke-contract-json-object', {
      web3SigningCredential: bed.credential,
      invocationType,
      methodName,
      params,
      contractAddress: address,
      contractJSON: bed.token,
    });
  const sent = (await invoke('SEND', 'mint', [address, '9'])).body;
  expect(sent).toEqual({ success: true, transactionReceipt: expect.objectContaining({ status: true, to: address }) });
  expect((await invoke('CALL', 'balanceOf', [address])).body).toEqual({ success: true, callOutput: '9' });
});

test('raw methods answer in web3’s shapes, refusals inside an answer 200', async () => {
  const raw = async (methodName: string, params: unknown[] = []) =>
    (await post('quorum', 'invoke-raw-web3eth-method', { methodName, params })).body as {
      status: number;
      data: unknown;
    };
  expect(await raw('getChainId')).toEqual({ status: 200, data: bed.anvil.chainId });
  expect((await raw('getBalance', [bed.credential.ethAccount])).data).toMatch(/^[0-9]+$/);
  expect(await raw('getBlock', ['latest'])).toMatchObject({
    status: 200,
    data: { number: expect.any(Number), difficulty: '0' },
  });
  expect(await raw('getBlock', [1, true])).toMatchObject({ data: { transactions: [{ value: '0', nonce: 0 }] } });
  expect((await raw('getPastLogs', [{ fromBlock: 0, toBlock: 'latest', address }])).data).toEqual(expect.any(Array));
  expect(await raw('sendTransaction', [{}])).toEqual({
    status: 403,
    errorDetail: expect.stringContaining('not allow'),
  });
  expect(await raw('call', [{ to: address, data: '0x12345678' }])).toMatchObject({
    status: 500,
    errorDetail: expect.stringContaining('revert'),
  });
});

test('raw contract methods call, estimate and encode; they send only where development allows it', async () => {
  const raw = async (invocationType: string, extra: object = {}, base = cactus.url) =>
    (
      await post(
        'quorum',
        'invoke-raw-web3eth-contract',
        {
          abi: bed.token.abi,
          address,
          invocationType,
          contractMethod: 'mint',
          contractMethodArgs: [address, 1],
          ...extra,
        },
        PREFIXES[0],
        {},
        base,
      )
    ).body;
  expect(await raw('encodeABI')).toEqual({ status: 200, data: expect.stringMatching(/^0x40c10f19/) });
  expect(await raw('estimateGas')).toEqual({ status: 200, data: expect.any(Number) });
  expect(await raw('call', { contractMethod: 'symbol', contractMethodArgs: [] })).toEqual({
    status: 200,
    data: 'tEUR',
  });
  const invocationParams = { from: bed.credential.ethAccount };
  expect(await raw('send', { invocationParams })).toMatchObject({ status: 403 });
  const loose = await bed.start({ developmentOnly: { nodeKeys: true } });
  expect(await raw('send', { invocationParams }, loose.url)).toMatchObject({ status: 200, data: { status: true } });
});

test('Besu’s reads', async () => {
  const read = async (name: string, body: object) => (await post('besu', name, body)).body;
  expect(await read('get-balance', { address })).toEqual({ balance: '0' });
  const { block } = (await read('get-block', { blockHashOrBlockNumber: 1 })) as {
    block: { hash: string; transactions: { hash: string }[] };
  };
  expect(block).toMatchObject({ number: 1, difficulty: 0, gasLimit: expect.any(Number) });
  expect(await read('get-block', { blockHashOrBlockNumber: block.hash })).toEqual({ block });
  const transactionHash = block.transactions[0]?.hash;
  expect(await read('get-transaction', { transactionHash })).toMatchObject({
    transaction: { blockNumber: 1, to: null },
  });
  expect(await read('get-past-logs', { fromBlock: 0, address })).toEqual({ logs: expect.any(Array) });
  expect(await read('get-besu-record', { transactionHash })).toEqual({
    transactionInputData: expect.stringMatching(/^0x/),
  });
  const invokeCall = {
    contractName: 'c',
    contractAbi: bed.token.abi,
    contractAddress: address,
    signingCredential: { type: 'NONE' },
    invocationType: 'CALL',
    methodName: 'symbol',
    params: [],
  };
  expect(await read('get-besu-record', { invokeCall })).toEqual({ callOutput: 'tEUR' });
});

test('the API server’s own endpoints', async () => {
  const { body } = await send('GET', '/api/v1/api-server/healthcheck');
  expect(body).toEqual({
    success: true,
    createdAt: expect.stringMatching(/Z$/),
    memoryUsage: expect.objectContaining({ rss: expect.any(Number) }),
  });
  expect(String((await send('GET', '/api/v1/api-server/get-prometheus-exporter-metrics')).body)).toContain(
    'cactus_quorum_total_tx_count',
  );
  expect((await send('GET', '/api/v1/api-server/get-open-api-spec')).body).toMatchObject({ paths: expect.any(Object) });
});

test('errors are JSON in Cactus’s form, never pages', async () => {
  const form = { message: expect.any(String), error: expect.stringMatching(/^\{/) };
  expect(await send('GET', '/nowhere')).toMatchObject({ status: 404, body: form });
  const json = { 'content-type': 'application/json' };
  const path = `${PREFIXES[0]}/cactus-plugin-ledger-connector-besu/get-balance`;
  expect(await send('POST', path, { headers: json, body: '{' })).toMatchObject({ status: 400, body: form });
  expect(await send('POST', path, { headers: json, body: `"${'x'.repeat(1_100_000)}"` })).toMatchObject({
    status: 413,
    body: form,
  });
  expect(await send('POST', path, { headers: { 'content-type': 'text/plain' }, body: '{}' })).toMatchObject({
    status: 400,
  });
  expect(await send('POST', path, { headers: { ...json, 'content-encoding': 'odd' }, body: '{}' })).toMatchObject({
    status: 400,
    body: form,
  });
});

test('without authentication neither another name nor a page of another origin reaches it', async () => {
  expect(await withHeaders({})).toBe(200);
  expect(await withHeaders({ host: 'evil.test' })).toBe(403);
  expect(await withHeaders({ origin: 'https://evil.test' })).toBe(403);
  const socket = io(cactus.url, {
    path: SOCKET_IO_PATH,
    transports: ['websocket'],
    extraHeaders: { origin: 'https://evil.test' },
    reconnection: false,
  });
  sockets.push(socket);
  await new Promise((resolve) => socket.once('connect_error', resolve));
});

type Progress = Readonly<{
  blockHeader?: { number: number; hash: string };
  blockData?: { number: number; transactions: unknown[] };
}>;

/** Connects and collects what comes until `count` blocks are there. */
function watch(dialect: Dialect, count: number, options?: object, connect: object = {}, base = cactus.url) {
  const socket = io(base, { path: SOCKET_IO_PATH, reconnection: false, ...connect });
  sockets.push(socket);
  const seen: Progress[] = [];
  const done = new Promise<Progress[]>((resolve, reject) => {
    socket.on(watchEvent(dialect, 'Next'), (progress: Progress) => {
      seen.push(progress);
      if (seen.length === count) resolve(seen);
    });
    socket.on(watchEvent(dialect, 'Error'), reject);
    socket.on('connect_error', reject);
  });
  const ready = new Promise<void>((resolve) => {
    socket.on('connect', () => {
      socket.emit(watchEvent(dialect, 'Subscribe'), options);
      resolve();
    });
  });
  return { socket, seen, done, ready };
}

test('watchers get every new block once and in order, as header or whole, in both dialects', async () => {
  const headers = watch('besu', 30);
  const whole = watch('quorum', 30, { getBlockData: true });
  await Promise.all([headers.ready, whole.ready]);
  // What is mined before the first look is not new; one block a time until both have begun.
  const deadlineMs = performance.now() + 20_000;
  while ((headers.seen.length === 0 || whole.seen.length === 0) && performance.now() < deadlineMs) {
    await bed.anvil.mine(1);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  await bed.anvil.mine(40);
  const [light, heavy] = [await headers.done, await whole.done];
  const first = light[0]?.blockHeader?.number ?? 0;
  expect(light.map(({ blockHeader }) => blockHeader?.number)).toEqual(light.map((_item, index) => first + index));
  expect(light[0]).toMatchObject({
    blockHeader: { hash: expect.any(String), transactionRoot: expect.any(String), receiptRoot: expect.any(String) },
  });
  expect(heavy[0]?.blockData?.transactions).toEqual(expect.any(Array));
  headers.socket.emit(watchEvent('besu', 'Unsubscribe'));
});

test('with authentication a socket needs a token that reads', async () => {
  const guarded = await bed.start({ authentication: bed.authentication });
  const refused = (connect: object) => watch('besu', 1, undefined, connect, guarded.url).done;
  await expect(refused({})).rejects.toThrow(/token/);
  await expect(refused({ auth: { token: await bed.tokenWith('write:ledger') } })).rejects.toThrow(/scope/);
  const welcome = watch('besu', 1, undefined, { auth: { token: await bed.tokenWith('read:ledger') } }, guarded.url);
  await welcome.ready;
  const plain = await send('GET', '/api/v1/api-server/healthcheck', {}, guarded.url);
  expect(plain).toMatchObject({ status: 401, body: { message: 'Unauthorized', error: expect.any(String) } });
  const scoped = async (scope: string, path: string) =>
    (await send('GET', path, { headers: { authorization: `Bearer ${await bed.tokenWith(scope)}` } }, guarded.url))
      .status;
  expect(await scoped('read:health', '/api/v1/api-server/healthcheck')).toBe(200);
  expect(await scoped('read:metrics', '/api/v1/api-server/healthcheck')).toBe(403);
  expect(await scoped('read:spec', '/api/v1/api-server/get-prometheus-exporter-metrics')).toBe(403);
  expect(await scoped('read:spec', '/api/v1/api-server/get-open-api-spec')).toBe(200);
});

test('whatever a token lacks is told in the same form, on every path', async () => {
  const guarded = await bed.start({ authentication: bed.authentication });
  const authorization = `Bearer ${await bed.tokenWith('read:health')}`;
  const lacking = { status: 403, body: { message: 'Forbidden', error: expect.stringContaining('lacks the scope') } };
  for (const prefix of PREFIXES) {
    for (const { dialect, name } of OPERATIONS)
      expect(await post(dialect, name, {}, prefix, { authorization }, guarded.url)).toEqual(
        expect.objectContaining(lacking),
      );
    for (const name of ['get-prometheus-exporter-metrics', 'get-open-api-spec']) {
      const path = `${prefix}/cactus-plugin-ledger-connector-besu/${name}`;
      expect(await send('GET', path, { headers: { authorization } }, guarded.url)).toEqual(
        expect.objectContaining(lacking),
      );
    }
  }
});

test('a token that reads may CALL and not SEND', async () => {
  const guarded = await bed.start({ authentication: bed.authentication });
  const headers = { authorization: `Bearer ${await bed.tokenWith('read:ledger')}` };
  const invoke = async (invocationType: unknown) =>
    (
      await post(
        'besu',
        'invoke-contract',
        {
          contractName: 'c',
          contractAbi: bed.token.abi,
          contractAddress: address,
          signingCredential: bed.credential,
          invocationType,
          methodName: 'symbol',
          params: [],
        },
        PREFIXES[0],
        headers,
        guarded.url,
      )
    ).status;
  expect(await invoke('CALL')).toBe(200);
  expect(await invoke('SEND')).toBe(403);
  expect(await invoke(['CALL'])).toBe(400);
});

test('a node that does not answer is 503', async () => {
  const lonely = await startCactusBed(4_713);
  try {
    const server = await lonely.start();
    await lonely.anvil.kill9();
    const answer = await post('besu', 'get-balance', { address }, PREFIXES[0], {}, server.url);
    expect(answer).toMatchObject({
      status: 503,
      body: { message: 'Service Unavailable', error: expect.stringContaining('LEDGER_UNAVAILABLE') },
    });
  } finally {
    await lonely.stop();
  }
});
