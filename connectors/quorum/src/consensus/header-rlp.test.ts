import { LedgerUnavailableError } from '@drawbridge/connector-sdk/ledger-connector';
import { RLP } from '@ethereumjs/rlp';
import { describe, expect, test } from '@jest/globals';
import { hexlify, keccak256 } from 'ethers';
import { RECORDED_BLOCKS, type RpcFields, recordedBlock, recordedHeaders } from '../testing/recorded-blocks.ts';
import { encodeHeader } from './header-rlp.ts';

const EXTRA_DATA = 12;
const VANITY_BYTES = 32;

/** The hash of a block by its rule: seals are no part of it, but for Clique. */
function blockHash(rule: 'qbft' | 'ibft' | 'clique', header: Uint8Array): string {
  if (rule === 'clique') return keccak256(header);
  const fields = [...RLP.decode(header)] as Uint8Array[];
  const extra = fields[EXTRA_DATA] ?? new Uint8Array();
  const none = new Uint8Array();
  if (rule === 'qbft') {
    const [vanity, validators, vote] = RLP.decode(extra) as Uint8Array[];
    fields[EXTRA_DATA] = RLP.encode([vanity, validators, vote, none, []]);
  } else {
    const [validators, proposerSeal] = RLP.decode(extra.subarray(VANITY_BYTES)) as Uint8Array[];
    fields[EXTRA_DATA] = Buffer.concat([extra.subarray(0, VANITY_BYTES), RLP.encode([validators, proposerSeal, []])]);
  }
  return keccak256(RLP.encode(fields));
}

describe('recorded headers hash to what their networks call them', () => {
  test.each(RECORDED_BLOCKS)('%s', (name) => {
    const { rule, block } = recordedBlock(name);
    expect(blockHash(rule, encodeHeader(block))).toBe(block.hash);
  });
  test.each(['clique-range', 'qbft-set-change'] as const)('%s', (name) => {
    const rule = name === 'clique-range' ? 'clique' : 'qbft';
    for (const header of recordedHeaders(name)) expect(blockHash(rule, encodeHeader(header))).toBe(header.hash);
  });
});

const [sample] = recordedHeaders('qbft-set-change');
const header: RpcFields = { ...sample };
const fieldsOf = (block: RpcFields): string[] =>
  (RLP.decode(encodeHeader(block)) as Uint8Array[]).map((field) => hexlify(field));

test('fields of later forks follow in their order, where the node shows them', () => {
  expect(fieldsOf(header)).toHaveLength(15);
  expect(fieldsOf({ ...header, baseFeePerGas: null })).toHaveLength(15);
  const root = `0x${'0a'.repeat(32)}`;
  const cancun = { parentBeaconBlockRoot: `0x${'0b'.repeat(32)}`, excessBlobGas: '0x0', blobGasUsed: '0x20000' };
  const fields = fieldsOf({ ...header, ...cancun, withdrawalsRoot: root, baseFeePerGas: '0x7' });
  expect(fields.slice(15)).toEqual(['0x07', root, '0x020000', '0x', cancun.parentBeaconBlockRoot]);
});

test('scalars are minimal, however a node writes them', () => {
  expect(fieldsOf({ ...header, gasUsed: '0x000', gasLimit: '0x00ABC' }).slice(9, 11)).toEqual(['0x0abc', '0x']);
});

test.each([
  ['no field', { mixHash: undefined }],
  ['a word that is short', { parentHash: '0x11' }],
  ['a word that is long', { stateRoot: `0x${'11'.repeat(33)}` }],
  ['half a byte', { extraData: '0x123' }],
  ['no hex', { extraData: '0xzz' }],
  ['a number that is none', { timestamp: 'soon' }],
  ['an empty number', { gasLimit: '0x' }],
  ['a negative number', { gasLimit: '-0x1' }],
  ['a number in another form', { number: 7 }],
  ['a number beyond 256 bits', { difficulty: `0x${'f'.repeat(65)}` }],
  ['a list', { miner: [] }],
])('%s is no header', (_what, change) => {
  expect(() => encodeHeader({ ...header, ...change })).toThrow(LedgerUnavailableError);
});
