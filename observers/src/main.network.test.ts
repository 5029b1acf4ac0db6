/** Real observer processes against real anvil chains. */
import 'reflect-metadata';
import { createHash, createPublicKey, generateKeyPairSync, verify, webcrypto, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type AnvilChain, startAnvil } from '@drawbridge/devnets/anvil';
import { type ManagedProcess, startProcess } from '@drawbridge/devnets/child-process';
import { sourceProgram } from '@drawbridge/devnets/source-program';
import { type Bytes32, fromHex, parseBytes32 } from '@drawbridge/protocol/bytes32';
import { parseNetworkId } from '@drawbridge/protocol/ids';
import { parseAttestAnswer } from '@drawbridge/protocol/observer-api';
import { observerStatement } from '@drawbridge/protocol/observer-evidence';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { X509CertificateGenerator } from '@peculiar/x509';
import { VAULT_LOG } from './testing/fake-node.ts';

/** Processes are started in every test, on machines that are busy with others. */
jest.setTimeout(120_000);

/** Logs what it is called with: four words of topics, then the data. Deployment code, written by hand. */
const LOG_EMITTER = '0x601b80600b6000396000f360803603806080600037606035604035602035600035846000a400';
const DEPTH_BLOCKS = 3;
const SERVICE_ID = parseBytes32(`0x${'5e'.repeat(32)}`);
const CHAIN_ID = 4_101;

let dir: string;
let chain: AnvilChain;
let vault: string;
let observer: ManagedProcess | undefined;
let url: string;
let publicKey: string;

type Identity = { key: string; cert: string };
async function identity(name: string): Promise<Identity> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: `CN=${name}`,
    signingAlgorithm: algorithm,
    keys,
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return {
    key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
    cert: certificate.toString('pem'),
  };
}

let server: Identity;
let client: Identity;

beforeAll(async () => {
  [server, client] = await Promise.all([identity('observer-1'), identity('connector')]);
});

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-observers-'));
  chain = await startAnvil({ chainId: CHAIN_ID, mining: 'manual' });
  vault = await deploy();
  await writeFile(join(dir, 'tls.key'), server.key, { mode: 0o600 });
  await writeFile(join(dir, 'tls.pem'), server.cert);
  const { privateKey } = generateKeyPairSync('ed25519');
  await writeFile(join(dir, 'attestation.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
});
afterEach(async () => {
  await observer?.stop();
  observer = undefined;
  await chain.stop();
  await rm(dir, { recursive: true });
});
afterAll(() => agent?.destroy());

async function writeConfig(change: object = {}): Promise<string> {
  const path = join(dir, 'config.json');
  const config = {
    id: 'observer-1',
    serviceId: SERVICE_ID,
    listen: '127.0.0.1:0',
    tls: { keyFile: 'tls.key', certFile: 'tls.pem' },
    attestationKeyFile: 'attestation.key',
    stateDir: 'state',
    networks: [
      {
        id: 'alpha',
        rpcUrl: chain.rpcUrl,
        chainId: CHAIN_ID,
        genesisHash: chain.genesisHash,
        depthBlocks: DEPTH_BLOCKS,
        vaults: [vault],
      },
    ],
    limits: { identityCheckMs: 100, rpcTimeoutMs: 2_000 },
    ...change,
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}

async function start(change: object = {}): Promise<void> {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  observer = await startProcess({
    name: 'observer',
    ...sourceProgram(main, ['--config', await writeConfig(change)]),
    ready: { line: /"ready":true/ },
  });
  ({ url, publicKey } = JSON.parse(String(observer.readyWith)) as { url: string; publicKey: string });
}

async function sendTransaction(transaction: object): Promise<{ receipt: Record<string, string>; raw: Bytes32 }> {
  const hash = String(await chain.rpc('eth_sendTransaction', { from: chain.accounts[0]?.address, ...transaction }));
  await chain.mine();
  return {
    receipt: (await chain.rpc('eth_getTransactionReceipt', hash)) as Record<string, string>,
    raw: parseBytes32(hash),
  };
}
async function deploy(): Promise<string> {
  const { receipt } = await sendTransaction({ data: LOG_EMITTER });
  return receipt.contractAddress ?? '';
}

/** A log of the lock event, mined, and the question about it. */
async function emitLock(to: string = vault) {
  const data = `0x${[...VAULT_LOG.topics, VAULT_LOG.data].map((hex) => hex.slice(2)).join('')}`;
  const { receipt, raw } = await sendTransaction({ to, data });
  return {
    network: 'alpha',
    blockNumber: Number(receipt.blockNumber),
    blockHash: receipt.blockHash ?? '',
    transactionHash: raw,
    logIndex: 0,
  };
}

let agent: Agent | undefined;
function call(path: string, body?: object, shown?: Identity): Promise<{ status: number; body: unknown }> {
  agent ??= new Agent({ keepAlive: false });
  return new Promise((resolve, reject) => {
    const sent = request(
      `${url}${path}`,
      {
        method: body ? 'POST' : 'GET',
        ca: server.cert,
        // The certificate names no host; it is pinned.
        checkServerIdentity: () => undefined,
        minVersion: 'TLSv1.3',
        agent,
        ...shown,
        headers: { 'content-type': 'application/json' },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const json = response.headers['content-type']?.includes('json');
          resolve({ status: response.statusCode ?? 0, body: json ? (JSON.parse(text) as unknown) : text });
        });
      },
    );
    sent.on('error', reject);
    sent.end(body && JSON.stringify(body));
  });
}
const attest = (question: object, shown?: Identity) => call('/v1/attest', question, shown);

function verifies(answer: ReturnType<typeof parseAttestAnswer>): boolean {
  const x = Buffer.from(publicKey.slice(2), 'hex').toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  const statement = observerStatement({
    serviceId: SERVICE_ID,
    network: parseNetworkId('alpha'),
    genesisHash: parseBytes32(chain.genesisHash),
    log: answer.log,
    depthBlocks: answer.depthBlocks,
  });
  return verify(null, statement, key, fromHex(answer.signature));
}

async function until(condition: () => Promise<boolean>, deadlineMs = 10_000): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms`);
  }
}

test('waits for depth, then vouches, and answers for its health and its numbers', async () => {
  await start();
  const question = await emitLock();
  expect(await attest(question)).toMatchObject({ status: 425, body: { code: 'TOO_SHALLOW', depthBlocks: 1 } });
  await chain.mine(DEPTH_BLOCKS - 2);
  expect(await attest(question)).toMatchObject({ status: 425, body: { depthBlocks: 2 } });
  await chain.mine();
  const { status, body } = await attest(question);
  expect(status).toBe(200);
  const answer = parseAttestAnswer(body);
  expect(answer).toMatchObject({
    observer: 'observer-1',
    depthBlocks: 3,
    log: { address: vault.toLowerCase(), data: VAULT_LOG.data },
  });
  expect(verifies(answer)).toBe(true);
  expect(await call('/healthz')).toMatchObject({ status: 200, body: { ok: true } });
  expect((await call('/metrics')).body).toContain('outcome="attested"} 1');
});

test('does not vouch for what its node does not have, or for another contract', async () => {
  await start();
  const question = await emitLock();
  const foreign = await emitLock(await deploy());
  await chain.mine(DEPTH_BLOCKS);
  const other = `0x${'11'.repeat(32)}`;
  expect(await attest({ ...question, blockHash: other })).toMatchObject({
    status: 409,
    body: { code: 'BLOCK_NOT_CANONICAL' },
  });
  expect(await attest({ ...question, transactionHash: other })).toMatchObject({
    status: 404,
    body: { code: 'LOG_NOT_FOUND' },
  });
  expect(await attest({ ...question, logIndex: 1 })).toMatchObject({ status: 404, body: { code: 'LOG_NOT_FOUND' } });
  expect(await attest({ ...question, network: 'beta' })).toMatchObject({
    status: 404,
    body: { code: 'NETWORK_UNKNOWN' },
  });
  expect(await attest(foreign)).toMatchObject({ status: 403, body: { code: 'VAULT_UNKNOWN' } });
});

test('after a reorganisation below what it signed, it refuses the other branch, over a restart too', async () => {
  await start();
  const question = await emitLock();
  await chain.mine(DEPTH_BLOCKS);
  expect(await attest(question)).toMatchObject({ status: 200 });
  const raw = String(await chain.rpc('eth_getRawTransactionByHash', question.transactionHash));
  const head = await chain.blockNumber();
  await chain.reorg(head - question.blockNumber + 1, [[raw, 0]]);
  await chain.mine(DEPTH_BLOCKS);
  const receipt = (await chain.rpc('eth_getTransactionReceipt', question.transactionHash)) as Record<string, string>;
  expect(Number(receipt.blockNumber)).toBe(question.blockNumber);
  expect(receipt.blockHash).not.toBe(question.blockHash);
  expect(await attest(question)).toMatchObject({ status: 409, body: { code: 'BLOCK_NOT_CANONICAL' } });
  const moved = { ...question, blockHash: receipt.blockHash ?? '' };
  expect(await attest(moved)).toMatchObject({ status: 409, body: { code: 'EQUIVOCATION' } });
  await observer?.kill9();
  await start();
  expect(await attest(moved)).toMatchObject({ status: 409, body: { code: 'EQUIVOCATION' } });
  expect((await readFile(join(dir, 'state/signed-blocks'), 'utf8')).split('\n')).toHaveLength(2);
  expect(observer?.recentOutput()).toContain('ALARM');
});

test('a node that goes away and comes back: no answer, then answers again', async () => {
  await start();
  const question = await emitLock();
  await chain.mine(DEPTH_BLOCKS);
  const away = await startAnvil({ chainId: CHAIN_ID + 1, mining: 'manual' });
  await away.stop();
  await observer?.stop();
  await start({ networks: [{ ...(await network()), rpcUrl: away.rpcUrl }] });
  expect(await attest(question)).toMatchObject({ status: 503, body: { code: 'NODE_UNAVAILABLE', again: true } });
  expect(await call('/healthz')).toMatchObject({ status: 503, body: { networks: { alpha: 'unavailable' } } });
  // What comes up at that address is another chain: still no answer, and health says why.
  const stranger = await startAnvil({ chainId: CHAIN_ID + 1, mining: 'manual', port: away.port });
  try {
    await until(async () => JSON.stringify((await call('/healthz')).body).includes('wrong-network'));
    expect(await attest(question)).toMatchObject({ status: 503, body: { code: 'NODE_WRONG_NETWORK' } });
  } finally {
    await stranger.stop();
  }
});

async function network(): Promise<object> {
  const { networks } = JSON.parse(await readFile(join(dir, 'config.json'), 'utf8')) as { networks: object[] };
  return networks[0] ?? {};
}

test('does not start on another chain than the configuration says', async () => {
  await writeConfig();
  const wrong = { ...(await network()), genesisHash: `0x${'11'.repeat(32)}` };
  await expect(start({ networks: [wrong] })).rejects.toThrow(/another chain/);
});

test('where certificates are configured, answers those clients only', async () => {
  const fingerprint = `0x${createHash('sha256').update(new X509Certificate(client.cert).raw).digest('hex')}`;
  await start({ tls: { keyFile: 'tls.key', certFile: 'tls.pem', clientCertificates: [fingerprint] } });
  const question = await emitLock();
  await chain.mine(DEPTH_BLOCKS);
  expect(await attest(question)).toMatchObject({ status: 401, body: { code: 'CLIENT_UNKNOWN' } });
  expect(await attest(question, server)).toMatchObject({ status: 401 });
  expect(await attest(question, client)).toMatchObject({ status: 200 });
  expect(await call('/healthz')).toMatchObject({ status: 200 });
});

test('SIGTERM ends it with code 0', async () => {
  await start();
  await observer?.stop();
  expect(await observer?.exited).toEqual({ code: 0, signal: null });
});
