import { type Bytes32, toBytes32 } from '@drawbridge/protocol/bytes32';
import { createMerkleProof, createMPT, type MerklePatriciaTrie, verifyMerkleProof } from '@ethereumjs/mpt';
import { RLP } from '@ethereumjs/rlp';
import { describe, expect, test } from '@jest/globals';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { proveReceipt } from './ethereum-receipt-proof.ts';

/** Any bytes as long as a receipt: the walk does not look into it. */
const receiptOf = (index: number): Uint8Array => new Uint8Array(300).fill(index & 0xff).with(0, index >> 8);

async function trieOf(count: number): Promise<{ trie: MerklePatriciaTrie; root: Bytes32 }> {
  const trie = await createMPT();
  for (let index = 0; index < count; index++) await trie.put(RLP.encode(index), receiptOf(index));
  return { trie, root: toBytes32(trie.root()) };
}
const proofOf = (trie: MerklePatriciaTrie, index: number): Promise<Uint8Array[]> =>
  createMerkleProof(trie, RLP.encode(index));

describe('every receipt of a block is proven, as the library proves it', () => {
  test.each([1, 2, 12, 17, 129])('of %i', async (count) => {
    const { trie, root } = await trieOf(count);
    const proven: unknown[] = [];
    for (let index = 0; index < count; index++) {
      const proof = await proofOf(trie, index);
      proven.push(proveReceipt(proof, root, index));
      if (index % 16 > 0) continue;
      expect(await verifyMerkleProof(RLP.encode(index), proof, { root: trie.root() })).toEqual(receiptOf(index));
    }
    expect(proven).toEqual(Array.from({ length: count }, (_, index) => ({ ok: true, receipt: receiptOf(index) })));
  });
});

describe('a proof is refused with', () => {
  const NAMED = expect.stringContaining('is not the one that is named');
  let made: ReturnType<typeof trieOf> | undefined;
  const make = async () => {
    made ??= trieOf(300);
    const { trie, root } = await made;
    return { root, trie, proof: await proofOf(trie, 200) };
  };

  test('no node', async () => {
    const { root } = await make();
    expect(proveReceipt([], root, 200)).toEqual({ ok: false, detail: 'the proof ends before the receipt' });
  });
  test('the path to another receipt', async () => {
    const { root, trie } = await make();
    for (const other of [0, 1, 127, 128, 199, 201, 255, 256, 299]) {
      expect(proveReceipt(await proofOf(trie, other), root, 200)).toMatchObject({ ok: false });
    }
  });
  test.each([0, 1, 127, 128, 201, 255, 256, 299, 300, 2 ** 24 - 1])('index %i as key', async (index) => {
    const { root, proof } = await make();
    expect(proveReceipt(proof, root, index)).toMatchObject({ ok: false });
  });
  test('the trie of another block', async () => {
    const { proof } = await make();
    const { root } = await trieOf(299);
    expect(proveReceipt(proof, root, 200)).toEqual({ ok: false, detail: NAMED });
  });
  test('its end missing', async () => {
    const { root, proof } = await make();
    expect(proveReceipt(proof.slice(0, -1), root, 200)).toEqual({
      ok: false,
      detail: 'the proof ends before the receipt',
    });
  });
  test('its root missing', async () => {
    const { root, proof } = await make();
    expect(proveReceipt(proof.slice(1), root, 200)).toEqual({ ok: false, detail: NAMED });
  });
  test('its nodes in another order', async () => {
    const { root, proof } = await make();
    expect(proveReceipt(proof.toReversed(), root, 200)).toEqual({ ok: false, detail: NAMED });
  });
  test.each([0, 1, 2])('a node twice, at %i', async (at) => {
    const { root, proof } = await make();
    expect(proveReceipt(proof.toSpliced(at, 0, proof[at] ?? new Uint8Array()), root, 200)).toEqual({
      ok: false,
      detail: NAMED,
    });
  });
  test('a node behind the receipt', async () => {
    const { root, proof, trie } = await make();
    const [, ...others] = await proofOf(trie, 3);
    expect(proveReceipt([...proof, ...others], root, 200)).toEqual({
      ok: false,
      detail: 'the proof has nodes behind the receipt',
    });
  });
  test('one bit changed, wherever it is', async () => {
    const { root, proof } = await make();
    const details = new Set<string>();
    for (const [at, node] of proof.entries()) {
      for (let byte = 0; byte < node.length; byte++) {
        const result = proveReceipt(proof.with(at, node.with(byte, (node[byte] ?? 0) ^ 1)), root, 200);
        details.add(result.ok ? 'accepted' : result.detail);
      }
    }
    expect([...details]).toEqual(proof.map(() => NAMED));
  });
});

describe('a node that hashes right leads nowhere when it is', () => {
  const rootOf = (node: Uint8Array): Bytes32 => toBytes32(keccak_256(node));
  const hash = new Uint8Array(32).fill(7);
  const branch = (children: Readonly<Record<number, unknown>>, value: Uint8Array = new Uint8Array()): Uint8Array =>
    RLP.encode([...Array.from({ length: 16 }, (_, i) => (children[i] ?? new Uint8Array()) as Uint8Array), value]);
  test('a branch with more parts than any node has, though it would lead on', () => {
    const wide = (parts: number): Uint8Array => branch({ 0: hash, 5: Array(parts).fill(new Uint8Array()) });
    const detail = (parts: number) => {
      const result = proveReceipt([wide(parts)], rootOf(wide(parts)), 1);
      return result.ok ? 'accepted' : result.detail;
    };
    expect(detail(17)).toBe('the proof ends before the receipt');
    expect(detail(300)).toBe('node 0 of the proof does not lead to the receipt');
  });
  // Index 1 has the key nibbles 0 and 1.
  test.each([
    ['no RLP', Uint8Array.of(0xc2, 1)],
    ['RLP with a byte behind', Uint8Array.of(...RLP.encode([Uint8Array.of(0x20, 1), hash]), 0)],
    ['RLP with a length that is not minimal', Uint8Array.of(0xf8, 2, 0x20, 0x01)],
    ['a string', RLP.encode(hash)],
    ['a list of three', RLP.encode([hash, hash, hash])],
    ['a branch without the child', branch({ 1: hash })],
    ['a branch with a value of its own', branch({}, hash)],
    ['a branch with its child inside', branch({ 0: [Uint8Array.of(0x31), Uint8Array.of(9)] })],
    ['a branch with a child of 31 bytes', branch({ 0: hash.subarray(1) })],
    ['an extension with its child inside', RLP.encode([Uint8Array.of(0x10), [Uint8Array.of(0x31), hash]])],
    ['an extension to 31 bytes', RLP.encode([Uint8Array.of(0x10), hash.subarray(1)])],
    ['an extension that goes past the key', RLP.encode([Uint8Array.of(0x10, 0x11), hash])],
    ['a leaf with a list for its receipt', RLP.encode([Uint8Array.of(0x20, 1), [hash, hash]])],
    ['a leaf of another key', RLP.encode([Uint8Array.of(0x20, 2), hash])],
    ['a leaf of a shorter key', RLP.encode([Uint8Array.of(0x30), hash])],
    ['a leaf of a longer key', RLP.encode([Uint8Array.of(0x20, 1, 0), hash])],
  ])('%s', (_, node) => {
    expect(proveReceipt([node], rootOf(node), 1)).toEqual({
      ok: false,
      detail: 'node 0 of the proof does not lead to the receipt',
    });
  });

  test('control: a leaf of the key', () => {
    const leaf = RLP.encode([Uint8Array.of(0x20, 1), hash]);
    expect(proveReceipt([leaf], rootOf(leaf), 1)).toEqual({ ok: true, receipt: hash });
  });
});
