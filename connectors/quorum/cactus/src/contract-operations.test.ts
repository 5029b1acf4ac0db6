import { PluginRegistry } from '@hyperledger/cactus-core';
import { PluginKeychainMemory } from '@hyperledger/cactus-plugin-keychain-memory';
import { expect, test } from '@jest/globals';
import { computeAddress, Interface, SigningKey } from 'ethers';
import { ContractOperations } from './contract-operations.ts';
import { ContractStore } from './contract-store.ts';
import { HeadClock } from './head-clock.ts';
import { SigningCredentials } from './signing-credential.ts';
import { ACCOUNT, FakeRpc, HASH, nodeReceipt } from './testing/fake-rpc.ts';
import { TransactionRunner } from './transaction-runner.ts';

const key = new SigningKey(`0x${'42'.repeat(32)}`);
const credential = {
  type: 'CACTUS_KEYCHAIN_REF',
  ethAccount: computeAddress(key),
  keychainEntryKey: 'key',
  keychainId: 'one',
};
const abi = ['function poke()', 'function peek() view returns (uint256)'].map(
  (item): unknown => JSON.parse(new Interface([item]).formatJson())[0],
);

function bed(contract: Readonly<Record<string, unknown>> = { abi, bytecode: '0x6001' }) {
  const rpc = new FakeRpc()
    .answer('eth_blockNumber', '0x5')
    .answer('eth_estimateGas', '0x5208')
    .answer('eth_getBlockByNumber', {})
    .answer('eth_gasPrice', '0x0')
    .answer('eth_getTransactionCount', '0x0')
    .answer('eth_sendRawTransaction', HASH)
    .answer('eth_call', `0x${'00'.repeat(31)}07`)
    .answer('eth_getTransactionReceipt', nodeReceipt({ contractAddress: ACCOUNT }));
  const backend = new Map([
    ['key', key.privateKey],
    ['thing', JSON.stringify(contract)],
  ]);
  const keychain = new PluginKeychainMemory({ instanceId: 'i', keychainId: 'one', backend, logLevel: 'silent' });
  const registry = new PluginRegistry({ logLevel: 'silent', plugins: [keychain] });
  const credentials = new SigningCredentials(
    { privateKeyHex: false, nodeKeys: false, reservedAccounts: new Set() },
    registry,
  );
  const limits = {
    chainId: 7,
    maxFeeWei: 1n,
    maxGas: 100_000,
    receiptTimeoutMs: 100,
    longestReceiptTimeoutMs: 100,
    accounts: 9,
  };
  const clock = new HeadClock({ pollMs: 5 }, rpc);
  const runner = new TransactionRunner(limits, { rpc, clock, now: () => performance.now() });
  const operations = new ContractOperations({ rpc, credentials, runner, contracts: new ContractStore('77') });
  return {
    rpc,
    backend,
    operations,
    stored: () => JSON.parse(backend.get('thing') ?? '{}') as Record<string, unknown>,
  };
}
const invoke = { contractName: 'thing', keychainId: 'one', web3SigningCredential: credential, params: [] };

test('the first SEND deploys once, however many come at once; other networks’ addresses stay', async () => {
  const { rpc, operations, stored } = bed({ abi, bytecode: '0x6001', networks: { 5: { address: HASH.slice(0, 42) } } });
  const send = () => operations.invoke({ ...invoke, invocationType: 'SEND', methodName: 'poke' });
  await Promise.all([send(), send(), send()]);
  expect(rpc.of('eth_sendRawTransaction')).toHaveLength(4);
  expect(stored().networks).toEqual({ 5: { address: HASH.slice(0, 42) }, 77: { address: expect.any(String) } });
});

test('a CALL never deploys', async () => {
  const { rpc, operations } = bed();
  const call = operations.invoke({ ...invoke, invocationType: 'CALL', methodName: 'peek' });
  await expect(call).rejects.toMatchObject({ code: 'CONTRACT_UNUSABLE' });
  expect(rpc.of('eth_sendRawTransaction')).toEqual([]);
});

test('an entry that is a key is no contract, is not shown and not written over', async () => {
  const { backend, operations } = bed();
  for (const work of [
    () => operations.invoke({ ...invoke, contractName: 'key', invocationType: 'SEND', methodName: 'poke' }),
    () =>
      operations.deploy({
        web3SigningCredential: credential,
        contractName: 'key',
        keychainId: 'one',
        bytecode: '0x6001',
      }),
  ]) {
    const error: unknown = await work().catch((refused: unknown) => refused);
    expect(error).toMatchObject({ code: 'CONTRACT_UNUSABLE' });
    expect(JSON.stringify(error) + String(error)).not.toContain(key.privateKey.slice(2));
  }
  expect(backend.get('key')).toBe(key.privateKey);
});

test('a deployment does not add what the keychain did not have', async () => {
  const { backend, operations } = bed();
  await operations.deploy({
    web3SigningCredential: credential,
    contractName: 'new',
    keychainId: 'one',
    bytecode: '0x6001',
  });
  expect([...backend.keys()]).toEqual(['key', 'thing']);
  const bare = operations.deploy({ web3SigningCredential: credential, contractName: 'new', keychainId: 'one' });
  await expect(bare).rejects.toMatchObject({ code: 'CONTRACT_UNUSABLE' });
});

test.each([
  ['a from that is another account', { from: ACCOUNT }, 'ARGUMENTS_INVALID'],
  ['NONE without a signed transaction', { credential: { type: 'NONE' } }, 'ARGUMENTS_INVALID'],
  ['a key among the private members', { secret: { privateFor: [], privateKey: '0x' } }, 'CREDENTIAL_REFUSED'],
  ['a privacy group', { secret: { privateFor: [], privacyGroupId: 'x' } }, 'REQUEST_UNSUPPORTED'],
  ['ether in private', { secret: { privateFor: [] }, value: 1 }, 'ARGUMENTS_INVALID'],
  ['a private transaction without a manager', { secret: { privateFor: [] } }, 'PRIVATE_TRANSACTIONS_UNAVAILABLE'],
])(
  '%s is refused, and nothing is sent',
  async (_what, {
    credential: other,
    secret,
    ...config
  }: Readonly<{
    from?: string;
    value?: number;
    credential?: { type: string };
    secret?: { privateFor: string[] };
  }>, code) => {
    const { rpc, operations } = bed();
    const run = operations.runTransaction({
      web3SigningCredential: other ?? credential,
      transactionConfig: { to: ACCOUNT, ...config },
      ...(secret && { privateTransactionConfig: secret }),
    });
    await expect(run).rejects.toMatchObject({ code });
    expect(rpc.asked.filter(({ method }) => method.startsWith('eth_send'))).toEqual([]);
  },
);

test('confirmations contradict an acknowledgement by the pool; a credential names what it lacks', async () => {
  const { operations } = bed();
  const transactionConfig = { to: ACCOUNT };
  const strategy = { receiptType: 'NODE_TX_POOL_ACK', blockConfirmations: 1 };
  const conflicting = operations.runTransaction({
    web3SigningCredential: credential,
    transactionConfig,
    consistencyStrategy: strategy,
  });
  await expect(conflicting).rejects.toMatchObject({
    faults: [{ path: '/body/consistencyStrategy/blockConfirmations' }],
  });
  const bare = operations.runTransaction({ web3SigningCredential: { type: 'CACTUS_KEYCHAIN_REF' }, transactionConfig });
  await expect(bare).rejects.toMatchObject({ faults: [{ path: '/body/web3SigningCredential/ethAccount' }] });
});
