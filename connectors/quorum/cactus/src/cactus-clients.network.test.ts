/** Cactus's own published clients, unmodified, against the plugin on a real chain. */

import { JsObjectSigner } from '@hyperledger/cactus-common';
import { PluginKeychainMemory } from '@hyperledger/cactus-plugin-keychain-memory';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AbiCoder, getAddress, Wallet } from 'ethers';
import type { RunningCactus } from './cactus-server.ts';
import { type CactusBed, startCactusBed } from './testing/cactus-bed.ts';
import { type PublishedClients, publishedClients } from './testing/published-clients.ts';

const NAME = ['Test euro', 'tEUR', 2] as const;
const RECIPIENT = '0x00000000000000000000000000000000000000AA';

const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));

let bed: CactusBed;
let clients: PublishedClients;
let cactus: RunningCactus;

beforeAll(async () => {
  [bed, clients] = await Promise.all([startCactusBed(4_711), publishedClients()]);
  cactus = await bed.start();
}, 180_000);
afterAll(() => bed?.stop());

const besu = () => clients.besu({ basePath: cactus.url });
const quorum = () => clients.quorum({ basePath: cactus.url });
/** What axios throws for an answer that is none of 2xx. */
type Refused = Readonly<{ response: Readonly<{ status: number; data: unknown }> }>;
const refusalOf = (call: Promise<unknown>): Promise<Refused['response']> =>
  call.then(
    () => Promise.reject(new Error('it was answered')),
    (error: Refused) => error.response,
  );

describe('the Besu client', () => {
  const deployRequest = () => ({
    contractName: bed.token.contractName,
    contractAbi: bed.token.abi,
    bytecode: bed.token.bytecode,
    constructorArgs: NAME,
    keychainId: bed.keychainId,
    web3SigningCredential: bed.credential,
  });
  const invoke = (invocationType: string, methodName: string, params: unknown[]) =>
    besu().apiV1BesuInvokeContract({
      contractName: bed.token.contractName,
      keychainId: bed.keychainId,
      signingCredential: bed.credential,
      invocationType,
      methodName,
      params,
    });

  test('deploys; the contract in the keychain learns its address', async () => {
    const { status, data } = await besu().apiV1BesuDeployContractSolidityBytecode(deployRequest());
    expect(status).toBe(200);
    const receipt = data.transactionReceipt;
    expect(receipt).toMatchObject({
      status: true,
      to: '',
      from: getAddress(bed.credential.ethAccount),
      gasUsed: expect.any(Number),
    });
    const stored = JSON.parse(await bed.keychain.get(bed.token.contractName)) as { networks: Record<string, unknown> };
    expect(stored.networks[bed.anvil.chainId]).toEqual({ address: receipt.contractAddress });
  });

  test('sends and calls', async () => {
    const minted = await invoke('SEND', 'mint', [bed.credential.ethAccount, '1000']);
    expect(minted.data).toMatchObject({ success: true, transactionReceipt: { status: true } });
    const { transactionReceipt: receipt } = minted.data;
    const logs = (receipt as unknown as { logs: unknown[] } | undefined)?.logs;
    expect(logs).toHaveLength(1);
    expect((await invoke('CALL', 'balanceOf', [bed.credential.ethAccount])).data).toEqual({
      success: true,
      callOutput: '1000',
    });
    expect((await invoke('CALL', 'name', [])).data.callOutput).toBe(NAME[0]);
  });

  test('invokes by interface and address, without a keychain', async () => {
    const { data } = await besu().apiV1BesuDeployContractSolidityBytecode(deployRequest());
    const answer = await besu().apiV1BesuInvokeContract({
      contractName: bed.token.contractName,
      contractAbi: bed.token.abi,
      contractAddress: data.transactionReceipt.contractAddress,
      signingCredential: { type: 'NONE' },
      invocationType: 'CALL',
      methodName: 'decimals',
      params: [],
    });
    expect(answer.data.callOutput).toBe('2');
  });

  test('runs a transaction and waits for confirmations', async () => {
    const { data } = await besu().apiV1BesuRunTransaction({
      web3SigningCredential: bed.credential,
      transactionConfig: { from: bed.credential.ethAccount, to: RECIPIENT, value: '0x5', gas: 21_000 },
      consistencyStrategy: { receiptType: 'NODE_TX_POOL_ACK', blockConfirmations: 0, timeoutMs: 10_000 },
    });
    expect(data.transactionReceipt).toMatchObject({ status: true, to: RECIPIENT, gasUsed: 21_000 });

    const height = await bed.anvil.blockNumber();
    const confirmed = besu().apiV1BesuRunTransaction({
      web3SigningCredential: bed.credential,
      transactionConfig: { to: RECIPIENT, value: 7 },
      consistencyStrategy: { receiptType: 'LEDGER_BLOCK_ACK', blockConfirmations: 2, timeoutMs: 20_000 },
    });
    let answered = false;
    const settled = confirmed.then(() => {
      answered = true;
    });
    const deadlineMs = performance.now() + 10_000;
    while (performance.now() < deadlineMs && (await bed.anvil.blockNumber()) === height)
      await Promise.race([settled, tick()]);
    await bed.anvil.mine(1);
    expect(answered).toBe(false);
    await bed.anvil.mine(1);
    const { transactionReceipt } = (await confirmed).data;
    expect((await bed.anvil.blockNumber()) - transactionReceipt.blockNumber).toBeGreaterThanOrEqual(2);
  });

  test('a signed transaction of its own goes through with NONE', async () => {
    const wallet = Wallet.createRandom();
    await besu().apiV1BesuRunTransaction({
      web3SigningCredential: bed.credential,
      transactionConfig: { to: wallet.address, value: '1000000000000000000' },
      consistencyStrategy: { receiptType: 'NODE_TX_POOL_ACK', blockConfirmations: 0 },
    });
    const rawTransaction = await wallet.signTransaction({
      chainId: bed.anvil.chainId,
      nonce: 0,
      to: RECIPIENT,
      value: 1n,
      gasLimit: 21_000n,
      gasPrice: 5_000_000_000n,
      type: 0,
    });
    const { data } = await besu().apiV1BesuRunTransaction({
      web3SigningCredential: { type: 'NONE' },
      transactionConfig: { rawTransaction },
      consistencyStrategy: { receiptType: 'LEDGER_BLOCK_ACK', blockConfirmations: 0 },
    });
    expect(data.transactionReceipt).toMatchObject({ status: true, from: wallet.address });
  });

  test('signs as Cactus’s own signer does', async () => {
    const minted = await invoke('SEND', 'mint', [RECIPIENT, '1']);
    const transactionHash = minted.data.transactionReceipt?.transactionHash;
    const { data } = await besu().signTransactionV1({
      keychainId: bed.keychainId,
      keychainRef: 'payer',
      transactionHash,
    });
    const key = await bed.keychain.get('payer');
    const { input } = (await bed.anvil.rpc('eth_getTransactionByHash', transactionHash)) as { input: string };
    const signer = new JsObjectSigner({ privateKey: key.slice(2), logLevel: 'silent' });
    expect(data.signature).toBe(Buffer.from(signer.sign(input as unknown as Record<string, unknown>)).toString('hex'));
    const missing = await refusalOf(
      besu().signTransactionV1({
        keychainId: bed.keychainId,
        keychainRef: 'payer',
        transactionHash: `0x${'0'.repeat(64)}`,
      }),
    );
    expect(missing.status).toBe(404);
  });

  test('is told its faults as a bare list, and refusals as message and error', async () => {
    const faults = await refusalOf(besu().apiV1BesuRunTransaction({ transactionConfig: {}, colour: 'red' }));
    expect(faults.status).toBe(400);
    expect(faults.data).toEqual(
      expect.arrayContaining([
        {
          path: '/body/web3SigningCredential',
          message: "must have required property 'web3SigningCredential'",
          errorCode: 'required.openapi.validation',
        },
        {
          path: '/body/colour',
          message: 'must NOT have additional properties',
          errorCode: 'additionalProperties.openapi.validation',
        },
      ]),
    );
    const refused = await refusalOf(invoke('SEND', 'transfer', [RECIPIENT, '1000000000000']));
    expect(refused.status).toBe(500);
    const { message, error } = refused.data as { message: string; error: string };
    expect(message).toBe('Internal Server Error');
    expect(JSON.parse(error)).toMatchObject({ name: 'CactusError', code: 'REVERTED' });
  });

  test('reads metrics', async () => {
    expect((await besu().getPrometheusExporterMetricsV1()).data).toMatch(
      /cactus_besu_total_tx_count\{type="[^"]+"\} [1-9]/,
    );
  });
});

describe('the Quorum client', () => {
  const deployed = (extra: Readonly<Record<string, unknown>> = {}) =>
    quorum().apiV1QuorumDeployContractSolidityBytecode({
      contractName: bed.token.contractName,
      keychainId: bed.keychainId,
      web3SigningCredential: bed.credential,
      constructorArgs: NAME,
      ...extra,
    });

  test('deploys what the keychain holds, and code without 0x that ends in its arguments', async () => {
    expect((await deployed()).data.transactionReceipt.contractAddress).toMatch(/^0x[0-9a-fA-F]{40}$/);
    const args = AbiCoder.defaultAbiCoder().encode(['string', 'string', 'uint8'], NAME);
    const old = await deployed({
      bytecode: `${bed.token.bytecode}${args.slice(2)}`.slice(2),
      constructorArgs: undefined,
      gas: 3_000_000,
      gasPrice: '3000000000',
    });
    expect(old.data.transactionReceipt.status).toBe(true);
  });

  test('runs, sends and calls in its own words', async () => {
    await deployed();
    const invoke = (invocationType: string, methodName: string, params: unknown[]) =>
      quorum().apiV1QuorumInvokeContract({
        contractName: bed.token.contractName,
        keychainId: bed.keychainId,
        signingCredential: bed.credential,
        invocationType,
        methodName,
        params,
      });
    expect((await invoke('SEND', 'mint', [RECIPIENT, 42])).data.success).toBe(true);
    expect((await invoke('CALL', 'balanceOf', [RECIPIENT])).data).toEqual({ success: true, callOutput: '42' });
    const run = await quorum().apiV1QuorumRunTransaction({
      web3SigningCredential: bed.credential,
      transactionConfig: { to: RECIPIENT, value: '1', data: '' },
      timeoutMs: 10_000,
    });
    expect(run.data.transactionReceipt.status).toBe(true);
    expect((await quorum().getPrometheusExporterMetricsV1()).data).toContain('cactus_quorum_total_tx_count');
  });

  test('twenty transactions of one account at once all arrive', async () => {
    const runs = Array.from({ length: 20 }, () =>
      quorum().apiV1QuorumRunTransaction({
        web3SigningCredential: bed.credential,
        transactionConfig: { to: RECIPIENT, value: '1' },
      }),
    );
    const hashes = (await Promise.all(runs)).map(({ data }) => data.transactionReceipt.transactionHash);
    expect(new Set(hashes).size).toBe(20);
  });

  test('keys in requests, the relay’s account and private transactions without a manager are refused', async () => {
    const run = (web3SigningCredential: object, extra: object = {}) =>
      refusalOf(
        quorum().apiV1QuorumRunTransaction({
          web3SigningCredential,
          transactionConfig: { to: RECIPIENT, data: '0x00' },
          ...extra,
        }),
      );
    const secret = await bed.keychain.get('payer');
    const { ethAccount } = bed.credential;
    for (const type of ['PRIVATE_KEY_HEX', 'GETH_KEYCHAIN_PASSWORD']) {
      const refused = await run({ type, ethAccount, secret });
      expect(refused.status).toBe(403);
      expect(refused.data).toEqual({ message: 'Forbidden', error: expect.stringContaining('CREDENTIAL_REFUSED') });
      expect(JSON.stringify(refused.data)).not.toContain(secret.slice(2));
    }
    const fees = await run({ ...bed.credential, keychainEntryKey: 'fees', ethAccount: bed.reserved });
    expect(fees).toMatchObject({ status: 403, data: { error: expect.stringContaining('the connector’s own') } });
    const secretive = await run(bed.credential, {
      privateTransactionConfig: { privateFor: ['QfeDAys9MPDs2XHExtc84jKGHxZg/aj52DTh0vtA3Xc='] },
    });
    expect(secretive).toMatchObject({
      status: 501,
      data: { error: expect.stringContaining('no transaction manager') },
    });
    expect(bed.lines.join('')).not.toContain(secret.slice(2));
  });
});

test('a keychain that Cactus published serves as well', async () => {
  const memory = new PluginKeychainMemory({ instanceId: 'memory', keychainId: 'in-memory', logLevel: 'silent' });
  await memory.set('key', (await bed.keychain.get('payer')).slice(2));
  const other = await bed.start({}, [memory]);
  expect(other.registry.findOneByKeychainId('in-memory')).toBe(memory);
  const { data } = await clients.quorum({ basePath: other.url }).apiV1QuorumRunTransaction({
    web3SigningCredential: { ...bed.credential, keychainId: 'in-memory', keychainEntryKey: 'key' },
    transactionConfig: { to: RECIPIENT, value: '1' },
  });
  expect(data.transactionReceipt.status).toBe(true);
});

test('with authentication the clients send their tokens in baseOptions, and scopes decide', async () => {
  const guarded = await bed.start({ authentication: bed.authentication });
  const client = async (scope?: string, claims: object = {}) =>
    clients.besu({
      basePath: guarded.url,
      ...(scope !== undefined && {
        baseOptions: { headers: { Authorization: `Bearer ${await bed.tokenWith(scope, claims)}` } },
      }),
    });
  const run = {
    web3SigningCredential: bed.credential,
    transactionConfig: { to: RECIPIENT, value: '1' },
    consistencyStrategy: { receiptType: 'NODE_TX_POOL_ACK', blockConfirmations: 0 },
  };
  const status = async (api: ReturnType<PublishedClients['besu']>) =>
    (await refusalOf(api.apiV1BesuRunTransaction(run))).status;
  expect(await status(await client())).toBe(401);
  expect(await status(await client('write:ledger', { audience: 'somebody-else' }))).toBe(401);
  expect(await status(await client('write:ledger', { expiresInSeconds: -60 }))).toBe(401);
  expect(await status(await client('read:ledger read:metrics'))).toBe(403);
  const { data } = await (await client('write:ledger')).apiV1BesuRunTransaction(run);
  expect(data.transactionReceipt.status).toBe(true);
  expect((await (await client('read:metrics')).getPrometheusExporterMetricsV1()).status).toBe(200);
});
