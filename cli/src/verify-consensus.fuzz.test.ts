import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signingObserver } from '@drawbridge/evidence/testing/ed25519-keys';
import { observerRoot, signedLock, wordOf } from '@drawbridge/evidence/testing/observed-lock';
import { LOCK_LOG_INDEX, LOCK_RECEIPT, receiptsAround, VAULT } from '@drawbridge/evidence/testing/proven-lock';
import { encodeReceipt, receiptTrie } from '@drawbridge/evidence/testing/receipt-trie';
import { highSeal, type SealedBlock, SealedChain } from '@drawbridge/evidence/testing/sealed-chain';
import type { ConsensusFinality } from '@drawbridge/evidence/tracked-chain';
import { toHex } from '@drawbridge/protocol/bytes32';
import {
  CONSENSUS_RULES,
  type ConsensusEvidence,
  type ConsensusRule,
  encodeConsensusEvidence,
  encodeHeaderBatch,
} from '@drawbridge/protocol/consensus-evidence';
import { parseNetworkId } from '@drawbridge/protocol/ids';
import { encodeObserverEvidence } from '@drawbridge/protocol/observer-evidence';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type VerifyFlags, verifyEvidenceCommand } from './verify-evidence.ts';

const ALPHA = parseNetworkId('alpha');
const BETA = parseNetworkId('beta');
const INDEX = 3;
/** Of the event, of 12. */
const BLOCK = 6;

const signers = [1, 2, 3].map(signingObserver);
const observed = observerRoot(signers);

const genesisOf = (finality: ConsensusFinality) => ({
  version: 1,
  serviceId: wordOf(0x5e),
  assets: [{ code: 'EUR', scale: 2 }],
  participants: observed.observers.map(({ id, publicKey }) => ({ id, role: 'observer', attestationKey: publicKey })),
  networks: [
    { id: 'alpha', chainId: 4_001, genesisHash: wordOf(0x9e), finality },
    {
      id: 'beta',
      chainId: 4_002,
      genesisHash: wordOf(0x9e),
      finality: { rule: 'observers', observers: observed.observers.map(({ id }) => id), threshold: 2, depthBlocks: 3 },
    },
  ],
  vaults: [
    { network: 'alpha', asset: 'EUR', address: VAULT },
    { network: 'beta', asset: 'EUR', address: VAULT },
  ],
});

type Proof = Readonly<{ chain: SealedChain; event: ConsensusEvidence; receiptsRoot: SealedBlock['hash'] }>;

/** `maxGapBlocks` far below the length of the chain: what the core forgets, an auditor looks at. */
async function provenLock(rule: ConsensusRule, from = 0): Promise<Proof> {
  const trie = await receiptTrie(receiptsAround(encodeReceipt(LOCK_RECEIPT), 5, INDEX));
  const chain = new SealedChain({ rule, validators: 4, from, maxGapBlocks: 3 }).grow(BLOCK - 1);
  const { rlp: header } = chain.add({ receiptsRoot: trie.root });
  const event: ConsensusEvidence = {
    version: 1,
    rule,
    kind: 'event',
    network: ALPHA,
    header,
    transactionIndex: INDEX,
    proof: await trie.proofOf(INDEX),
    logIndexInReceipt: LOCK_LOG_INDEX,
  };
  chain.grow(BLOCK);
  return { chain, event, receiptsRoot: trie.root };
}

const batch = (rule: ConsensusRule, blocks: readonly SealedBlock[], network = ALPHA): Uint8Array =>
  encodeHeaderBatch({ version: 1, rule, kind: 'headers', network, headers: blocks.map(({ rlp }) => rlp) });

let dir: string;
let printed: string;
const output = {
  out: (text: string) => {
    printed += `${text}\n`;
  },
  err: () => undefined,
};
const at = (name: string) => join(dir, name);

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-cli-'));
  printed = '';
  await mkdir(at('headers'));
});
afterEach(() => rm(dir, { recursive: true }));

async function verify(
  { chain, event }: Pick<Proof, 'chain' | 'event'>,
  batches: Readonly<Record<string, Uint8Array | string>>,
  flags: VerifyFlags & Readonly<{ finality?: unknown }> = {},
) {
  const { finality = chain.finality, ...options } = flags;
  await writeFile(at('genesis.json'), JSON.stringify(genesisOf(finality as ConsensusFinality)));
  await writeFile(at('event'), encodeConsensusEvidence(event));
  for (const [name, content] of Object.entries(batches)) await writeFile(at(`headers/${name}`), content);
  const headers = options.headers ?? [at('headers')];
  return verifyEvidenceCommand(at('event'), { genesis: at('genesis.json'), ...options, headers }, output);
}

describe.each(CONSENSUS_RULES)('rule %s', (rule) => {
  let proof: Proof;
  const blocks = (from: number, to: number) => proof.chain.blocks.slice(from - 1, to);
  beforeAll(async () => {
    proof = await provenLock(rule);
  });

  test('proves an event along batches in any order, in files of any form, beside files of other things', async () => {
    const batches = {
      'a-last': batch(rule, blocks(8, 12)),
      'b-first.json': JSON.stringify({ evidence: toHex(batch(rule, blocks(1, 4))) }),
      'c-overlapping': batch(rule, blocks(3, 9)),
      'd-again': batch(rule, blocks(1, 4)),
      'of-another-network': batch(rule, blocks(1, 1), BETA),
      event: encodeConsensusEvidence(proof.event),
      'README.md': 'headers of alpha',
      'empty.json': '{}',
      'cut.json': '{"evidence":',
    };
    expect(await verify(proof, batches)).toBe(0);
    expect(printed).toMatch(/^evidence +PROVEN$/m);
    expect(printed).toMatch(new RegExp(`^network +alpha, chain 4001, rule ${rule}$`, 'm'));
    expect(printed).toMatch(/^block +6, 0x/m);
    expect(printed).toMatch(/^transaction +3 of the block, log 1 of its receipt$/m);
    expect(printed).toMatch(/^vault +0x5a[0-9a-f]+, EUR$/m);
    expect(printed).toMatch(/^event +1, locked$/m);
    expect(printed).toMatch(/^amount +EUR 123\.45$/m);
    expect(printed).toMatch(/^validators +4: 0x[0-9a-f]{40}, 0x/m);
    expect(printed).toMatch(/^checkpoint +0, 0x/m);
    expect(printed).toMatch(/^head +(12|1[01]), 0x.*, 2023-11-14T/m);
    expect(printed).toMatch(
      rule === 'clique'
        ? /^finality +not final by proof: clique, \d+ tracked blocks above it$/m
        : /^finality +final by proof: 3 of 4 validators sealed$/m,
    );
    expect(printed).not.toMatch(/^not used/m);
  });

  test('as JSON for programs', async () => {
    expect(await verify(proof, { all: batch(rule, proof.chain.blocks) }, { json: true })).toBe(0);
    expect(JSON.parse(printed)).toMatchObject({
      proven: true,
      serviceId: wordOf(0x5e),
      network: 'alpha',
      rule,
      blockNumber: BLOCK,
      blockHash: proof.chain.blocks[BLOCK - 1]?.hash,
      transactionIndex: INDEX,
      logIndexInReceipt: LOCK_LOG_INDEX,
      vault: VAULT,
      asset: 'EUR',
      scale: 2,
      event: { type: 'locked', seq: 1, amountMinor: '12345' },
      validators: proof.chain.finality.checkpoint.validators,
      seals: rule === 'clique' ? 1 : 3,
      finalByProof: rule !== 'clique',
      checkpoint: { blockNumber: 0 },
      unused: [],
    });
  });

  test('names the header that was changed after it was sealed', async () => {
    const forged = blocks(3, 3).map((block) => ({ ...block, rlp: Uint8Array.from(block.rlp) }));
    const [bad] = forged;
    if (bad) bad.rlp[40] = (bad.rlp[40] ?? 0) ^ 1;
    const batches = { all: batch(rule, [...blocks(1, 2), ...forged, ...blocks(4, 12)]) };
    expect(await verify(proof, batches)).toBe(1);
    expect(printed).toMatch(/^in +header 3 of 12 in .*all/m);
  });

  test('says how far the headers reach, and where the event is', async () => {
    await expect(verify(proof, {})).rejects.toMatchObject({
      code: 'HEADERS',
      exitCode: 2,
      message: expect.stringMatching(/^the genesis begins at block 0, the event is in block 6: .* from block 1 on/),
    });
    const batches = { low: batch(rule, blocks(1, 5)), high: batch(rule, blocks(7, 12)) };
    await expect(verify(proof, batches)).rejects.toMatchObject({
      message: expect.stringMatching(
        rule === 'clique'
          ? /^the headers reach block [34], the event is in block 6: .*high, from block 7 on, leaves a gap.*vouch/
          : /^the headers reach block 5, the event is in block 6: .* from block 6 on .*high, from block 7 on, leaves a gap\)$/,
      ),
    });
  });

  test('a batch behind a gap that proves nothing for the event is said to be unused', async () => {
    const batches = { low: batch(rule, blocks(1, 9)), high: batch(rule, blocks(11, 12)) };
    expect(await verify(proof, batches)).toBe(0);
    expect(printed).toMatch(/^not used +.*high, from block 11 on, leaves a gap$/m);
  });

  test('an event of a block that nobody sealed is refused', async () => {
    const other = new SealedChain({ rule, validators: 4, maxGapBlocks: 3 }).grow(BLOCK - 1);
    const unsealed = other.next({ receiptsRoot: proof.receiptsRoot, vanity: new Uint8Array(32).fill(9) });
    const forged = { chain: proof.chain, event: { ...proof.event, header: unsealed.rlp } };
    expect(await verify(forged, { all: batch(rule, proof.chain.blocks) })).toBe(1);
    expect(printed).toMatch(/^check +block \(6 of 13\)$/m);
    expect(printed).toMatch(/^in +the event$/m);
    expect(printed).toMatch(/^code +BLOCK_CONFLICTS$/m);
  });

  test.each<[string, (finality: ConsensusFinality) => ConsensusFinality, RegExp]>([
    [
      'another block at the checkpoint',
      (finality) => ({ ...finality, checkpoint: { ...finality.checkpoint, blockHash: wordOf(1) } }),
      /^code +PARENT_MISMATCH$/m,
    ],
    [
      'other validators',
      (finality) => ({
        ...finality,
        checkpoint: { ...finality.checkpoint, validators: finality.checkpoint.validators.slice(0, 1) },
      }),
      /^code +(PROPOSER_UNKNOWN|SET_MISMATCH)$/m,
    ],
    [
      'another count of fields',
      (finality) => ({ ...finality, headerFields: [{ fromBlock: 0, count: 15 }] }),
      /^code +HEADER_INVALID$/m,
    ],
  ])('a genesis with %s refuses it', async (_, change, code) => {
    const finality = change(proof.chain.finality);
    expect(await verify(proof, { all: batch(rule, proof.chain.blocks) }, { finality })).toBe(1);
    expect(printed).toMatch(code);
  });
});

/** Which seals count is the verifiers' business and tested there for every rule. */
describe('seals', () => {
  const rule = 'qbft';
  let proof: Proof;
  beforeAll(async () => {
    proof = await provenLock(rule);
  });
  const withNext = (next: SealedBlock) => ({ all: batch(rule, [...proof.chain.blocks, next]) });

  test('too few are refused, by name and place', async () => {
    const next = proof.chain.next({ seals: (seals) => seals.slice(1) });
    expect(await verify(proof, withNext(next))).toBe(1);
    expect(printed).toMatch(/^check +quorum \(\d+ of \d+\)$/m);
    expect(printed).toMatch(/^in +header 13 of 13 in .*all, block 13$/m);
    printed = '';
    expect(await verify(proof, withNext(next), { json: true })).toBe(1);
    expect(JSON.parse(printed)).toMatchObject({
      proven: false,
      check: 'quorum',
      code: 'QUORUM_UNMET',
      place: expect.stringMatching(/^header 13 of 13 in/),
    });
  });

  test('a high s is refused', async () => {
    const next = proof.chain.next({ seals: ([first = new Uint8Array(), ...rest]) => [highSeal(first), ...rest] });
    expect(await verify(proof, withNext(next))).toBe(1);
    expect(printed).toMatch(/^code +SEAL_INVALID$/m);
  });

  test('two sealed blocks at one height: the network proves nothing', async () => {
    const twin = new SealedChain({ rule, validators: 4, maxGapBlocks: 3 }).grow(4);
    const fork = twin.add({ vanity: new Uint8Array(32).fill(7) });
    expect(await verify(proof, { all: batch(rule, proof.chain.blocks), fork: batch(rule, [fork]) })).toBe(1);
    expect(printed).toMatch(/^code +BLOCK_CONFLICTS$/m);
    expect(printed).toMatch(/^why +block 5 is sealed twice/m);
  });

  test('another block at a known height that is not sealed is refused for that', async () => {
    const twin = new SealedChain({ rule, validators: 4, maxGapBlocks: 3 }).grow(4);
    const fork = twin.add({ vanity: new Uint8Array(32).fill(7), seals: (seals) => seals.slice(1) });
    expect(await verify(proof, { all: batch(rule, proof.chain.blocks), fork: batch(rule, [fork]) })).toBe(1);
    expect(printed).toMatch(/^code +QUORUM_UNMET$/m);
  });

  test('the seals that count are those of the verified header, not those that came with the event', async () => {
    const bare = new SealedChain({ rule, validators: 4, maxGapBlocks: 3 }).grow(BLOCK - 1);
    const { rlp: header } = bare.next({ receiptsRoot: proof.receiptsRoot, seals: () => [] });
    const copy = { chain: proof.chain, event: { ...proof.event, header } };
    expect(await verify(copy, { all: batch(rule, proof.chain.blocks) })).toBe(0);
    expect(printed).toMatch(/3 of 4 validators sealed/);
  });

  test('a header skipped within a batch is refused', async () => {
    expect(await verify(proof, { all: batch(rule, proof.chain.blocks.toSpliced(9, 1)) })).toBe(1);
    expect(printed).toMatch(/^code +HEADER_GAP$/m);
    expect(printed).toMatch(/^in +header 10 of 11 .* block 11$/m);
  });
});

describe('what was named by mistake', () => {
  let proof: Proof;
  beforeAll(async () => {
    proof = await provenLock('qbft', 30_000);
  });

  test.each<[string, (proof: Proof) => Uint8Array, string]>([
    ['bytes that are no batch', () => Uint8Array.of(1, 2, 3), 'form'],
    ['the event', ({ event }) => encodeConsensusEvidence(event), 'form'],
    ['a batch of another network', ({ chain }) => batch('qbft', chain.blocks, BETA), 'network'],
    ['a batch of another rule', ({ chain }) => batch('ibft', chain.blocks), 'rule'],
  ])('%s as headers is refused', async (_, make, check) => {
    expect(await verify(proof, { named: make(proof) }, { headers: [at('headers/named')] })).toBe(1);
    expect(printed).toMatch(new RegExp(`^check +${check} \\(\\d+ of 13\\)$`, 'm'));
    expect(printed).toMatch(/^in +headers of .*named$/m);
  });

  test('headers that are not there', async () => {
    await expect(verify(proof, {}, { headers: [at('none')] })).rejects.toMatchObject({ code: 'FILE', exitCode: 2 });
  });

  test('a batch in place of the event', async () => {
    await writeFile(at('genesis.json'), JSON.stringify(genesisOf(proof.chain.finality)));
    await writeFile(at('event'), batch('qbft', proof.chain.blocks));
    await expect(verifyEvidenceCommand(at('event'), { genesis: at('genesis.json') }, output)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('is a batch of headers'),
    });
  });

  test('headers beside evidence of observers; without them it is proven by the same genesis', async () => {
    await writeFile(at('genesis.json'), JSON.stringify(genesisOf(proof.chain.finality)));
    const root = { ...observed, network: BETA };
    await writeFile(at('event'), encodeObserverEvidence(signedLock(signers, root)));
    const options = { genesis: at('genesis.json') };
    await expect(
      verifyEvidenceCommand(at('event'), { ...options, headers: [at('headers')] }, output),
    ).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining('leave out --headers') });
    expect(await verifyEvidenceCommand(at('event'), options, output)).toBe(0);
  });

  test('evidence of observers for a network by consensus', async () => {
    await writeFile(at('genesis.json'), JSON.stringify(genesisOf(proof.chain.finality)));
    await writeFile(at('event'), encodeObserverEvidence(signedLock(signers, observed)));
    expect(await verifyEvidenceCommand(at('event'), { genesis: at('genesis.json') }, output)).toBe(1);
    expect(printed).toMatch(/^code +TRUST_ROOT_UNUSABLE$/m);
  });

  test.each<[string, Partial<ConsensusEvidence>, string]>([
    ['a network by observers', { network: BETA }, 'RULE_MISMATCH'],
    ['a network that is not registered', { network: parseNetworkId('gamma') }, 'NETWORK_MISMATCH'],
    ['another rule', { rule: 'ibft' }, 'RULE_MISMATCH'],
    ['another receipt', { transactionIndex: 1 }, 'PROOF_INVALID'],
    ['the log of a token', { logIndexInReceipt: 0 }, 'ADDRESS_MISMATCH'],
  ])('an event of %s is refused', async (_, change, code) => {
    const event = { ...proof.event, ...change };
    expect(await verify({ chain: proof.chain, event }, { all: batch('qbft', proof.chain.blocks) })).toBe(1);
    expect(printed).toMatch(new RegExp(`^code +${code}$`, 'm'));
    expect(printed).toMatch(/^in +the event$/m);
  });

  test('an event of a block below the checkpoint is refused before headers are read', async () => {
    const { event } = await provenLock('qbft');
    expect(await verify({ chain: proof.chain, event }, {}, { headers: [at('none')] })).toBe(1);
    expect(printed).toMatch(/^code +BLOCK_TOO_OLD$/m);
  });

  test('a header at the checkpoint that is another block', async () => {
    const early = new SealedChain({ rule: 'qbft', validators: 4, from: 29_999 }).grow(2);
    expect(await verify(proof, { all: batch('qbft', early.blocks) })).toBe(1);
    expect(printed).toMatch(/^why +block 30000 is not the one that the genesis has for its checkpoint$/m);
  });
});

test('an event in the block of the checkpoint needs no headers, and says what it stands on', async () => {
  const { chain, event } = await provenLock('qbft');
  const block = chain.blocks[BLOCK - 1];
  if (block === undefined) throw new RangeError('there is no such block');
  const { number: blockNumber, hash: blockHash, timestampS } = block;
  const finality = {
    ...chain.finality,
    checkpoint: { ...chain.finality.checkpoint, blockNumber, blockHash, timestampS },
  };
  expect(await verify({ chain, event }, {}, { finality })).toBe(0);
  expect(printed).toMatch(/^finality +final by the genesis: the block is its checkpoint$/m);
});

describe('a genesis is wrong with', () => {
  const { finality } = new SealedChain({ rule: 'clique', validators: 2 });
  const { checkpoint } = finality;
  test.each<[string, object]>([
    ['no checkpoint', { ...finality, checkpoint: undefined }],
    ['a checkpoint without a hash', { ...finality, checkpoint: { ...checkpoint, blockHash: wordOf(0) } }],
    ['a short hash', { ...finality, checkpoint: { ...checkpoint, blockHash: '0x11' } }],
    ['no validators', { ...finality, checkpoint: { ...checkpoint, validators: [] } }],
    [
      'a validator twice',
      { ...finality, checkpoint: { ...checkpoint, validators: [...checkpoint.validators, checkpoint.validators[0]] } },
    ],
    ['a checkpoint of clique within an epoch', { ...finality, checkpoint: { ...checkpoint, blockNumber: 7 } }],
    ['no epoch', { ...finality, epochLength: 0 }],
    ['no header fields', { ...finality, headerFields: [] }],
    ['header fields that begin late', { ...finality, headerFields: [{ fromBlock: 1, count: 15 }] }],
    [
      'header fields that do not ascend',
      {
        ...finality,
        headerFields: [
          { fromBlock: 0, count: 15 },
          { fromBlock: 0, count: 16 },
        ],
      },
    ],
    ['a header of 14 fields', { ...finality, headerFields: [{ fromBlock: 0, count: 14 }] }],
    ['no memory', { ...finality, maxGapBlocks: 0 }],
    ['a period as text', { ...finality, periodS: '1' }],
  ])('%s', async (_, wrong) => {
    await writeFile(at('event'), Uint8Array.of(1));
    await writeFile(at('genesis.json'), JSON.stringify(genesisOf(wrong as ConsensusFinality)));
    await expect(verifyEvidenceCommand(at('event'), { genesis: at('genesis.json') }, output)).rejects.toMatchObject({
      name: 'CliError',
      message: expect.stringContaining('the genesis file is wrong'),
    });
  });
});
