/** The verifiers on what real networks sealed. `npm run vectors` looks at the same files, and at their receipts too. */
import { readFileSync } from 'node:fs';
import { fromHex, type Hex, parseBytes32 } from '@drawbridge/protocol/bytes32';
import type { ConsensusRule } from '@drawbridge/protocol/consensus-evidence';
import { type EvmAddress, parseEvmAddress } from '@drawbridge/protocol/ids';
import { RLP } from '@ethereumjs/rlp';
import { describe, expect, test } from '@jest/globals';
import { factsOf, readHeader } from './sealed-header.ts';
import { recoverSealer } from './testing/secp256k1-signers.ts';
import { type ConsensusFinality, chainFrom, nextValidators, verifyHeaders } from './tracked-chain.ts';

type Json = Readonly<Record<string, string>>;
type Recorded = Readonly<{
  trustedValidators: readonly string[];
  block: Json;
  headers: readonly Json[];
  expected: Readonly<{ hash: string; proposer: string }>;
  validatorsAfter: readonly (readonly string[])[];
  nodeSigners: readonly string[];
  signersAtEnd: readonly string[];
}>;

const FOLDER = new URL('../../test/vectors/quorum/', import.meta.url);
const recorded = (name: string): Recorded => JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8'));

const NAMES = ['parentHash', 'sha3Uncles', 'miner', 'stateRoot', 'transactionsRoot', 'receiptsRoot', 'logsBloom'];
const SCALARS = ['difficulty', 'number', 'gasLimit', 'gasUsed', 'timestamp'];
const LAST = ['extraData', 'mixHash', 'nonce'];

function rlpOf(header: Json): Uint8Array {
  const bytes = (name: string): Uint8Array => fromHex(header[name] as Hex);
  const scalar = (name: string): bigint => BigInt(header[name] ?? '');
  const fee = header.baseFeePerGas === undefined ? [] : [scalar('baseFeePerGas')];
  return RLP.encode([...NAMES.map(bytes), ...SCALARS.map(scalar), ...LAST.map(bytes), ...fee]);
}

type Root = Readonly<{
  rule: ConsensusRule;
  number: number;
  hash: string;
  timestampS: number;
  validators: readonly string[];
}>;

const finalityOf = ({ rule, number, hash, timestampS, validators }: Root): ConsensusFinality => ({
  rule,
  checkpoint: {
    blockNumber: number,
    blockHash: parseBytes32(hash),
    timestampS,
    validators: validators.map(parseEvmAddress),
  },
  epochLength: rule === 'clique' ? 30 : 30_000,
  headerFields: [{ fromBlock: 0, count: rule === 'clique' ? 16 : 15 }],
  trustingPeriodS: 3_600,
  maxGapBlocks: 128,
  ...(rule === 'clique' && { periodS: 1 }),
});
/** The parent of a recorded block, as far as the block tells. */
const parentRoot = (rule: ConsensusRule, block: Json, validators: readonly string[]): Root => ({
  rule,
  number: Number(block.number) - 1,
  hash: block.parentHash ?? '',
  timestampS: Number(block.timestamp) - 1,
  validators,
});
const lower = (addresses: readonly string[]): readonly EvmAddress[] => addresses.map(parseEvmAddress).toSorted();

describe('recorded blocks', () => {
  const BLOCKS: readonly (readonly [string, ConsensusRule])[] = [
    ['qbft-deploy', 'qbft'],
    ['qbft-empty', 'qbft'],
    ['qbft-multi', 'qbft'],
    ['qbft-private-stub-ptm', 'qbft'],
    ['ibft-deploy', 'ibft'],
    ['ibft-empty', 'ibft'],
  ];
  test.each(BLOCKS)('%s verifies as rule %s, to the hash and the proposer that the node named', (name, rule) => {
    const { block, trustedValidators, expected } = recorded(name);
    const finality = finalityOf(parentRoot(rule, block, trustedValidators));
    const proof = verifyHeaders(chainFrom(finality), finality, [rlpOf(block)], recoverSealer);
    if (!proof.ok) throw new Error(proof.detail);
    const { hash, proposer } = proof.blocks[0] ?? {};
    expect(hash).toBe(expected.hash);
    expect(hash).toBe(block.hash);
    expect(proposer).toBe(expected.proposer.toLowerCase());
  });

  test('qbft-set-change: a validator is voted out and in again, and the set is at every height as the node had it', () => {
    const { headers, trustedValidators, validatorsAfter } = recorded('qbft-set-change');
    const finality = finalityOf(parentRoot('qbft', headers[0] ?? {}, trustedValidators));
    let chain = chainFrom(finality);
    for (const [i, header] of headers.entries()) {
      const proof = verifyHeaders(chain, finality, [rlpOf(header)], recoverSealer);
      if (!proof.ok) throw new Error(`${i}: ${proof.detail}`);
      chain = proof.chain;
      expect(chain.head.hash).toBe(header.hash);
      expect(nextValidators(chain)).toEqual(lower(validatorsAfter[i] ?? []));
    }
  });

  test('clique-range: from genesis over checkpoints and a vote, each block by the signer that the node named', () => {
    const { headers, nodeSigners, signersAtEnd } = recorded('clique-range');
    const [genesis = {}, ...rest] = headers;
    const extra = genesis.extraData ?? '';
    const signers = [0, 1, 2].map((i) => `0x${extra.slice(66 + i * 40, 106 + i * 40)}`);
    const root: Root = {
      rule: 'clique',
      number: 0,
      hash: genesis.hash ?? '',
      timestampS: Number(genesis.timestamp),
      validators: signers,
    };
    const finality = finalityOf(root);
    const proof = verifyHeaders(chainFrom(finality), finality, rest.map(rlpOf), recoverSealer);
    if (!proof.ok) throw new Error(proof.detail);
    expect(proof.blocks.map(({ hash }) => hash)).toEqual(rest.slice(0, proof.blocks.length).map(({ hash }) => hash));
    expect(proof.blocks.length).toBeGreaterThanOrEqual(rest.length - 3);
    const sealers = rest.map((header) => {
      const read = readHeader(rlpOf(header), finality);
      const found = read.ok ? factsOf(read, recoverSealer) : read;
      return found.ok ? found.facts.proposer : found.code;
    });
    expect(sealers).toEqual(nodeSigners.slice(1));
    expect(nextValidators(proof.chain)).toEqual(lower(signersAtEnd));
  });
});
