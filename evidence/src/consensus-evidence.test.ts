import { encodeConsensusEvidence } from '@drawbridge/protocol/consensus-evidence';
import { VAULT_TOPICS } from '@drawbridge/protocol/evm-vault-log';
import { type EvmAddress, parseNetworkId } from '@drawbridge/protocol/ids';
import { RLP } from '@ethereumjs/rlp';
import { describe, expect, test } from '@jest/globals';
import { concatBytes } from '@noble/hashes/utils.js';
import {
  type ConsensusTrustRoot,
  EVIDENCE_CHECKS,
  type EvidenceCheck,
  type EvidenceRefusalCode,
  verifyConsensusEvidence,
  verifyConsensusEvidenceBytes,
} from './consensus-evidence.ts';
import { wordOf } from './testing/observed-lock.ts';
import {
  type Change,
  headerWith,
  LOCK,
  LOCK_RECEIPT,
  type ProvenLock,
  provenLock,
  receiptsAround,
  TRANSFER,
} from './testing/proven-lock.ts';
import { encodeReceipt, receiptTrie } from './testing/receipt-trie.ts';

const verify = ({ evidence, root }: ProvenLock) => verifyConsensusEvidence(evidence, root);

test.each<[string, Change]>([
  ['in a typed receipt', {}],
  ['in an untyped receipt', { receipt: { ...LOCK_RECEIPT, type: 0 } }],
  ['in the only receipt of a block', { count: 1, index: 0 }],
  ['in the last of 300 receipts', { count: 300, index: 299 }],
])('a lock is proven %s', async (_, change) => {
  const item = await provenLock(change);
  const { chain } = item.root;
  const proof = verify(item);
  expect(proof).toEqual({
    ok: true,
    rule: 'clique',
    vault: item.root.vaults[0],
    event: {
      type: 'locked',
      seq: 1,
      lockId: wordOf(2),
      reference: wordOf(3),
      depositor: `0x${'abcdef'.padStart(64, '0')}`,
      amountMinor: 12_345n,
    },
    digest: expect.stringMatching(/^0x[0-9a-f]{64}$/),
    blockNumber: 1_000,
    blockHash: chain.hashes[4],
  });
  expect(verifyConsensusEvidenceBytes(encodeConsensusEvidence(item.evidence), item.root)).toEqual(proof);
});

/** Where the proven block lies in what the chain remembers. */
const rememberedAt = (root: ConsensusTrustRoot, blocksAbove: number, remembered: number): ConsensusTrustRoot => {
  const own = root.chain.hashes[4] ?? wordOf(0);
  const hashes = Array.from({ length: remembered }, (_, i) =>
    remembered - 1 - i === blocksAbove ? own : wordOf(i + 1),
  );
  const head = { ...root.chain.head, number: 1_000 + blocksAbove };
  return { ...root, chain: { ...root.chain, head, hashes } };
};

test.each([
  ['the head', 0, 9],
  ['the oldest block remembered', 8, 9],
  ['the only block remembered', 0, 1],
])('a lock is proven under %s', async (_, blocksAbove, remembered) => {
  const { evidence, root } = await provenLock();
  expect(verifyConsensusEvidence(evidence, rememberedAt(root, blocksAbove, remembered))).toMatchObject({ ok: true });
});

type Forgery = [name: string, check: EvidenceCheck, code: EvidenceRefusalCode, make: () => Promise<ProvenLock>];

const changed = async (change: Partial<ProvenLock['evidence']>, made: Change = {}): Promise<ProvenLock> => {
  const { evidence, root } = await provenLock(made);
  return { evidence: { ...evidence, ...change }, root };
};
const withRoot = async (change: (root: ConsensusTrustRoot) => ConsensusTrustRoot): Promise<ProvenLock> => {
  const { evidence, root } = await provenLock();
  return { evidence, root: change(root) };
};
const withProof = async (change: (proof: readonly Uint8Array[]) => readonly Uint8Array[]): Promise<ProvenLock> => {
  const { evidence, root } = await provenLock();
  return { evidence: { ...evidence, proof: change(evidence.proof) }, root };
};
const withLogs = (logs: (typeof LOCK_RECEIPT)['logs']) => provenLock({ receipt: { ...LOCK_RECEIPT, logs } });
/** A receipt in a true block that no node would have made. */
const withReceipt = (change: (encoded: Uint8Array) => Uint8Array): Promise<ProvenLock> =>
  provenLock({ encoded: change(encodeReceipt(LOCK_RECEIPT)) });
/** The trie of the same block where something about its receipts is otherwise. */
const otherTrie = async (receipts: readonly Uint8Array[], at = 7): Promise<readonly Uint8Array[]> =>
  (await receiptTrie(receipts)).proofOf(at);
const AROUND = receiptsAround(encodeReceipt(LOCK_RECEIPT), 12, 7);

const FORGERIES: readonly Forgery[] = [
  [
    'a chain of another rule than the network',
    'trustRoot',
    'TRUST_ROOT_UNUSABLE',
    () => withRoot((root) => ({ ...root, chain: { ...root.chain, rule: 'qbft' } })),
  ],
  ['version 2', 'form', 'FORM_INVALID', () => changed({ version: 2 as 1 })],
  ['a batch of headers', 'form', 'FORM_INVALID', () => changed({ kind: 'headers' as 'event' })],
  ['another network', 'network', 'NETWORK_MISMATCH', () => changed({ network: parseNetworkId('beta') })],
  ['another rule', 'rule', 'RULE_MISMATCH', () => changed({ rule: 'qbft' })],
  ['the rule observers', 'rule', 'RULE_MISMATCH', () => changed({ rule: 'observers' as 'qbft' })],
  [
    'a header with a trailing byte',
    'header',
    'HEADER_INVALID',
    async () => changed({ header: concatBytes((await provenLock()).evidence.header, Uint8Array.of(0)) }),
  ],
  [
    'a truncated header',
    'header',
    'HEADER_INVALID',
    async () => changed({ header: (await provenLock()).evidence.header.subarray(0, -1) }),
  ],
  ['an empty header', 'header', 'HEADER_INVALID', () => changed({ header: new Uint8Array() })],
  [
    'a header with a field too many',
    'header',
    'HEADER_INVALID',
    async () => changed({ header: RLP.encode([...RLP.decode((await provenLock()).evidence.header), 7]) }),
  ],
  ['a block above the head', 'block', 'BLOCK_NOT_TRACKED', () => withRoot((root) => rememberedAt(root, -1, 9))],
  ['a block below those remembered', 'block', 'BLOCK_TOO_OLD', () => withRoot((root) => rememberedAt(root, 9, 9))],
  [
    'a block far below',
    'block',
    'BLOCK_TOO_OLD',
    () => withRoot((root) => ({ ...root, chain: { ...root.chain, head: { ...root.chain.head, number: 2 ** 40 } } })),
  ],
  [
    'a header of another chain',
    'block',
    'BLOCK_CONFLICTS',
    () =>
      withRoot((root) => ({ ...root, chain: { ...root.chain, hashes: root.chain.hashes.map(() => wordOf(0x77)) } })),
  ],
  [
    'a header at another height',
    'block',
    'BLOCK_CONFLICTS',
    () => withRoot((root) => ({ ...root, chain: { ...root.chain, head: { ...root.chain.head, number: 1_003 } } })),
  ],
  [
    'a header with a receipts root of its own',
    'block',
    'BLOCK_CONFLICTS',
    async () => changed({ header: headerWith(wordOf(0x66), 1_000) }),
  ],
  ['the path to another receipt', 'proof', 'PROOF_INVALID', async () => changed({ proof: await otherTrie(AROUND, 8) })],
  ['another index as key', 'proof', 'PROOF_INVALID', () => changed({ transactionIndex: 8 })],
  ['an index beyond the block', 'proof', 'PROOF_INVALID', () => changed({ transactionIndex: 12 })],
  [
    'the trie of other receipts',
    'proof',
    'PROOF_INVALID',
    async () => changed({ proof: await otherTrie(AROUND.toReversed()) }),
  ],
  [
    'a typed receipt normalised',
    'proof',
    'PROOF_INVALID',
    async () => changed({ proof: await otherTrie(AROUND.with(7, encodeReceipt({ ...LOCK_RECEIPT, type: 0 }))) }),
  ],
  [
    'its status turned',
    'proof',
    'PROOF_INVALID',
    async () =>
      changed(
        { proof: await otherTrie(AROUND.with(7, encodeReceipt(LOCK_RECEIPT))) },
        { receipt: { ...LOCK_RECEIPT, succeeded: false } },
      ),
  ],
  [
    'its amount raised',
    'proof',
    'PROOF_INVALID',
    async () =>
      changed({
        proof: await otherTrie(
          AROUND.with(
            7,
            encodeReceipt({
              ...LOCK_RECEIPT,
              logs: [TRANSFER, { ...LOCK, data: `${LOCK.data.slice(0, -1)}8` as typeof LOCK.data }],
            }),
          ),
        ),
      }),
  ],
  ['no proof', 'proof', 'PROOF_INVALID', () => withProof(() => [])],
  ['a proof without its end', 'proof', 'PROOF_INVALID', () => withProof((proof) => proof.slice(0, -1))],
  [
    'a truncated node',
    'proof',
    'PROOF_INVALID',
    () => withProof((proof) => proof.with(-1, proof.at(-1)?.subarray(0, -1) ?? new Uint8Array())),
  ],
  [
    'a node with a trailing byte',
    'proof',
    'PROOF_INVALID',
    () => withProof((proof) => proof.with(-1, concatBytes(proof.at(-1) ?? new Uint8Array(), Uint8Array.of(0)))),
  ],
  [
    'a node of non-minimal RLP',
    'proof',
    'PROOF_INVALID',
    () =>
      withProof((proof) =>
        proof.with(0, concatBytes(Uint8Array.of(0xf9, 0), proof[0]?.subarray(1) ?? new Uint8Array())),
      ),
  ],
  ['a node more', 'proof', 'PROOF_INVALID', () => withProof((proof) => [...proof, ...proof.slice(-1)])],
  [
    'a huge node',
    'proof',
    'PROOF_INVALID',
    () => withProof((proof) => proof.with(-1, new Uint8Array(60_000).fill(0xc1))),
  ],
  ['a receipt of unknown type', 'receipt', 'RECEIPT_INVALID', () => withReceipt((encoded) => encoded.with(0, 0x7e))],
  [
    'a receipt with a trailing byte',
    'receipt',
    'RECEIPT_INVALID',
    () => withReceipt((encoded) => concatBytes(encoded, Uint8Array.of(0))),
  ],
  ['a truncated receipt', 'receipt', 'RECEIPT_INVALID', () => withReceipt((encoded) => encoded.subarray(0, -1))],
  [
    'a receipt with a state root for its status',
    'receipt',
    'RECEIPT_INVALID',
    () =>
      withReceipt((encoded) => {
        const [, ...rest] = RLP.decode(encoded.subarray(1));
        return RLP.encode([new Uint8Array(32).fill(9), ...rest]);
      }),
  ],
  [
    'a failed transaction',
    'status',
    'TRANSACTION_FAILED',
    () => provenLock({ receipt: { ...LOCK_RECEIPT, succeeded: false } }),
  ],
  ['a log that the receipt lacks', 'log', 'LOG_MISSING', () => changed({ logIndexInReceipt: 2 })],
  ['a log of a receipt without logs', 'log', 'LOG_MISSING', () => withLogs([])],
  ['the log of a token', 'address', 'ADDRESS_MISMATCH', () => changed({ logIndexInReceipt: 0 })],
  [
    'the same log of another contract',
    'address',
    'ADDRESS_MISMATCH',
    () => withLogs([TRANSFER, { ...LOCK, address: TRANSFER.address }]),
  ],
  [
    'the vault of another network',
    'address',
    'ADDRESS_MISMATCH',
    () => withRoot((root) => ({ ...root, vaults: [TRANSFER.address as EvmAddress] })),
  ],
  [
    'an unknown event of the vault',
    'topics',
    'TOPICS_UNKNOWN',
    () => withLogs([TRANSFER, { ...LOCK, topics: LOCK.topics.with(0, wordOf(9)) }]),
  ],
  [
    'a log of the vault without topics',
    'topics',
    'TOPICS_UNKNOWN',
    () => withLogs([TRANSFER, { ...LOCK, topics: [] }]),
  ],
  [
    'a topic too few',
    'event',
    'EVENT_INVALID',
    () => withLogs([TRANSFER, { ...LOCK, topics: LOCK.topics.slice(0, 3) }]),
  ],
  [
    'counter zero',
    'event',
    'EVENT_INVALID',
    () => withLogs([TRANSFER, { ...LOCK, topics: LOCK.topics.with(1, `0x${'00'.repeat(32)}`) }]),
  ],
  [
    'topics of another event',
    'event',
    'EVENT_INVALID',
    () => withLogs([TRANSFER, { ...LOCK, topics: LOCK.topics.with(0, VAULT_TOPICS.executed) }]),
  ],
  [
    'data with a trailing byte',
    'event',
    'EVENT_INVALID',
    () => withLogs([TRANSFER, { ...LOCK, data: `${LOCK.data}00` }]),
  ],
  [
    'truncated data',
    'event',
    'EVENT_INVALID',
    () => withLogs([TRANSFER, { ...LOCK, data: LOCK.data.slice(0, -2) as typeof LOCK.data }]),
  ],
  [
    'a dirty address in the data',
    'event',
    'EVENT_INVALID',
    () => withLogs([TRANSFER, { ...LOCK, data: `0x01${LOCK.data.slice(4)}` }]),
  ],
  [
    'an amount of 64 bits',
    'event',
    'EVENT_INVALID',
    () =>
      withLogs([
        TRANSFER,
        { ...LOCK, data: `${LOCK.data.slice(0, 66)}${(2n ** 63n).toString(16).padStart(64, '0')}` as typeof LOCK.data },
      ]),
  ],
];

describe('refused is', () => {
  test.each(FORGERIES)('%s', async (_, check, code, make) => {
    expect(verify(await make())).toEqual({ ok: false, check, code, detail: expect.stringMatching(/./) });
  });

  test('by each check', () => {
    expect(new Set(FORGERIES.map(([, check]) => check))).toEqual(new Set(EVIDENCE_CHECKS));
  });
});

test('bytes that are no canonical item fail the form', async () => {
  const { evidence, root } = await provenLock();
  const sound = encodeConsensusEvidence(evidence);
  for (const input of [
    new Uint8Array(),
    sound.subarray(0, -1),
    concatBytes(sound, Uint8Array.of(0)),
    sound.with(1, 2),
  ]) {
    expect(verifyConsensusEvidenceBytes(input, root)).toMatchObject({ ok: false, check: 'form', code: 'FORM_INVALID' });
  }
});

test('each log of a receipt has a digest of its own, and so has each network', async () => {
  const two = { ...LOCK_RECEIPT, logs: [LOCK, LOCK] };
  const { evidence, root } = await provenLock({ receipt: two });
  const beta = parseNetworkId('beta');
  const digests = [
    verifyConsensusEvidence({ ...evidence, logIndexInReceipt: 0 }, root),
    verifyConsensusEvidence(evidence, root),
    verifyConsensusEvidence({ ...evidence, network: beta }, { ...root, network: beta }),
  ].map((result) => (result.ok ? result.digest : result.code));
  expect(new Set(digests).size).toBe(3);
});
