import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { fromHex, toHex } from '@drawbridge/protocol/bytes32';
import { parseEvmAddress, parseNetworkId, parseParticipantId } from '@drawbridge/protocol/ids';
import { observerStatement } from '@drawbridge/protocol/observer-evidence';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { type Attestor, attest } from './attestor.ts';
import { NodeError, type Sighting } from './evm-node.ts';
import { SeenLogs } from './seen-logs.ts';
import { type SignedBlock, SignedBlocksError } from './signed-blocks.ts';
import { type FakeNode, fakeNode, REQUEST, SIGHT, VAULT_LOG, wordOf } from './testing/fake-node.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const alpha = parseNetworkId('alpha');
let node: FakeNode;
let signed: number;
let claimed: SignedBlock[];
let attestor: Attestor;

beforeEach(() => {
  node = fakeNode();
  signed = 0;
  claimed = [];
  attestor = {
    id: parseParticipantId('observer-1'),
    serviceId: wordOf(0x5e),
    networks: new Map([
      [alpha, { id: alpha, identity: SIGHT.identity, depthBlocks: 5, vaults: new Set([VAULT_LOG.address]), node }],
    ]),
    guard: {
      claim: async (block) => {
        claimed.push(block);
        return 'held';
      },
    },
    seen: new SeenLogs(2),
    sign: (statement) => {
      signed++;
      return toHex(sign(null, statement, privateKey));
    },
  };
});

test('vouches for what its own node shows, with a signature over the protocol statement', async () => {
  const result = await attest(attestor, REQUEST);
  expect(result).toMatchObject({ ok: true, answer: { observer: 'observer-1', depthBlocks: 5, log: VAULT_LOG } });
  if (!result.ok) throw new Error(result.code);
  const { genesisHash } = SIGHT.identity;
  const statement = { serviceId: wordOf(0x5e), network: alpha, genesisHash, log: VAULT_LOG, depthBlocks: 5 };
  expect(verify(null, observerStatement(statement), publicKey, fromHex(result.answer.signature))).toBe(true);
  const { blockNumber, blockHash } = VAULT_LOG;
  expect(claimed).toEqual([{ network: alpha, genesisHash, blockNumber, blockHash }]);
});

test('signs the lesser of the two depths that it saw', async () => {
  node.sight = { ...SIGHT, headNumber: 110 };
  node.later = { headNumber: 106, blockHash: VAULT_LOG.blockHash };
  expect(await attest(attestor, REQUEST)).toMatchObject({ ok: true, answer: { depthBlocks: 7 } });
});

const receipt = (change: Partial<NonNullable<Sighting['receipt']>>): Partial<Sighting> => ({
  receipt: { blockNumber: 100, blockHash: VAULT_LOG.blockHash, succeeded: true, logs: [VAULT_LOG], ...change },
});
const { blockHash: _blockHash, ...withoutBlock } = SIGHT;
const { receipt: _receipt, ...withoutReceipt } = SIGHT;

describe('does not vouch, and says why, when its node shows', () => {
  test.each<[string, string, Sighting]>([
    ['another chain id', 'NODE_WRONG_NETWORK', { ...SIGHT, identity: { ...SIGHT.identity, chainId: 8 } }],
    ['another genesis', 'NODE_WRONG_NETWORK', { ...SIGHT, identity: { ...SIGHT.identity, genesisHash: wordOf(1) } }],
    ['another block at the number', 'BLOCK_NOT_CANONICAL', { ...SIGHT, blockHash: wordOf(0xb2) }],
    ['no such block though its head is beyond', 'BLOCK_NOT_FOUND', withoutBlock],
    ['no receipt', 'LOG_NOT_FOUND', withoutReceipt],
    ['the transaction in a block of another number', 'LOG_NOT_FOUND', { ...SIGHT, ...receipt({ blockNumber: 99 }) }],
    ['the transaction in another block', 'BLOCK_NOT_CANONICAL', { ...SIGHT, ...receipt({ blockHash: wordOf(0xb2) }) }],
    ['a transaction that failed', 'LOG_NOT_FOUND', { ...SIGHT, ...receipt({ succeeded: false }) }],
    ['no log of that index', 'LOG_NOT_FOUND', { ...SIGHT, ...receipt({ logs: [{ ...VAULT_LOG, logIndex: 2 }] }) }],
    ['two logs of that index', 'LOG_NOT_FOUND', { ...SIGHT, ...receipt({ logs: [VAULT_LOG, VAULT_LOG] }) }],
    [
      'a log of another contract',
      'VAULT_UNKNOWN',
      { ...SIGHT, ...receipt({ logs: [{ ...VAULT_LOG, address: parseEvmAddress(`0x${'66'.repeat(20)}`) }] }) },
    ],
    [
      'a log that is no vault event',
      'EVENT_INVALID',
      { ...SIGHT, ...receipt({ logs: [{ ...VAULT_LOG, data: '0x' }] }) },
    ],
  ])('%s', async (_, code, sight) => {
    node.sight = sight;
    expect(await attest(attestor, REQUEST)).toMatchObject({ ok: false, code });
    expect(signed).toBe(0);
    expect(claimed).toEqual([]);
  });

  test.each([
    [103, 4],
    [100, 1],
  ])('a head at %s: only %s deep', async (headNumber, depthBlocks) => {
    node.sight = { ...SIGHT, headNumber };
    expect(await attest(attestor, REQUEST)).toEqual({ ok: false, code: 'TOO_SHALLOW', depthBlocks });
  });

  test('a head below the block', async () => {
    node.sight = { ...withoutBlock, headNumber: 99 };
    expect(await attest(attestor, REQUEST)).toEqual({ ok: false, code: 'TOO_SHALLOW', depthBlocks: 0 });
  });

  test('another block when it looks again', async () => {
    node.later = { headNumber: 105, blockHash: wordOf(0xb2) };
    expect(await attest(attestor, REQUEST)).toMatchObject({ ok: false, code: 'BLOCK_NOT_CANONICAL' });
    expect(signed).toBe(0);
  });

  test('a lower head when it looks again', async () => {
    node.later = { headNumber: 101, blockHash: VAULT_LOG.blockHash };
    expect(await attest(attestor, REQUEST)).toMatchObject({ ok: false, code: 'TOO_SHALLOW', depthBlocks: 2 });
    expect(signed).toBe(0);
  });
});

describe('what it was asked about before it was deep enough', () => {
  const deep = { headNumber: 104, blockHash: VAULT_LOG.blockHash };
  let looks: number;
  beforeEach(async () => {
    looks = 0;
    const look = node.look.bind(node);
    node.look = (at) => {
      looks += 1;
      return look(at);
    };
    node.sight = { ...SIGHT, headNumber: 102 };
    expect(await attest(attestor, REQUEST)).toEqual({ ok: false, code: 'TOO_SHALLOW', depthBlocks: 3 });
  });

  test('is not looked up again, but its block is looked for', async () => {
    expect(await attest(attestor, REQUEST)).toEqual({ ok: false, code: 'TOO_SHALLOW', depthBlocks: 3 });
    node.later = deep;
    expect(await attest(attestor, REQUEST)).toMatchObject({ ok: true, answer: { depthBlocks: 5, log: VAULT_LOG } });
    expect(looks).toBe(1);
  });

  test('is not vouched for when the block is gone by then', async () => {
    node.later = { ...deep, blockHash: wordOf(0xb2) };
    expect(await attest(attestor, REQUEST)).toMatchObject({ ok: false, code: 'BLOCK_NOT_CANONICAL' });
    expect([signed, claimed]).toEqual([0, []]);
  });

  test('serves no other question', async () => {
    node.sight = { ...withoutReceipt, headNumber: 104 };
    for (const other of [{ logIndex: 0 }, { transactionHash: wordOf(1) }]) {
      expect(await attest(attestor, { ...REQUEST, ...other })).toMatchObject({ ok: false, code: 'LOG_NOT_FOUND' });
    }
    node.sight = { ...SIGHT, headNumber: 104 };
    for (const other of [{ blockHash: wordOf(0xb2) }, { blockNumber: 99 }]) {
      expect((await attest(attestor, { ...REQUEST, ...other })).ok).toBe(false);
    }
    expect(signed).toBe(0);
  });
});

test('of what is not deep enough only logs of vaults are remembered, and as many as may be', async () => {
  const seen = new SeenLogs(2);
  attestor = { ...attestor, seen };
  node.sight = { ...SIGHT, headNumber: 102, ...receipt({ succeeded: false }) };
  await attest(attestor, REQUEST);
  expect(seen.find(REQUEST)).toBeUndefined();
  const at = (logIndex: number) => ({ ...REQUEST, logIndex });
  for (const logIndex of [1, 2, 3]) seen.remember(at(logIndex), VAULT_LOG);
  expect([1, 2, 3].map((logIndex) => seen.find(at(logIndex)) !== undefined)).toEqual([false, true, true]);
  seen.remember(at(4), { ...VAULT_LOG, data: `0x${'00'.repeat(5_000)}` });
  expect(seen.find(at(4))).toBeUndefined();
});

test('a network that is not configured is unknown', async () => {
  const result = await attest(attestor, { ...REQUEST, network: parseNetworkId('beta') });
  expect(result).toMatchObject({ ok: false, code: 'NETWORK_UNKNOWN' });
});

test('never signs where it is bound to another block', async () => {
  const bound: Attestor = { ...attestor, guard: { claim: async () => 'equivocation' } };
  expect(await attest(bound, REQUEST)).toMatchObject({ ok: false, code: 'EQUIVOCATION' });
  expect(signed).toBe(0);
});

test('never signs what it cannot record', async () => {
  const failure = new SignedBlocksError('SIGNED_BLOCKS_FAILED', 'disk full');
  const broken: Attestor = { ...attestor, guard: { claim: () => Promise.reject(failure) } };
  expect(await attest(broken, REQUEST)).toMatchObject({ ok: false, code: 'GUARD_FAILED' });
  expect(signed).toBe(0);
});

test('a node that is away is a refusal, a bug is not', async () => {
  node.failure = new NodeError('NODE_TIMEOUT', 'slow');
  expect(await attest(attestor, REQUEST)).toMatchObject({ ok: false, code: 'NODE_UNAVAILABLE' });
  node.failure = new TypeError('bug');
  await expect(attest(attestor, REQUEST)).rejects.toThrow('bug');
});
