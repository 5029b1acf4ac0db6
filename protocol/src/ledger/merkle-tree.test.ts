import { describe, expect, test } from '@jest/globals';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { ZERO_DIGEST } from './hash.ts';
import {
  auditPath,
  auditPathPositions,
  foldPath,
  MerkleFrontier,
  mmrPosition,
  mmrSize,
  type PathStep,
  peakPositions,
  readAuditPath,
} from './merkle-tree.ts';

const LEAVES = Array.from({ length: 140 }, (_, index) =>
  index === 0 ? ZERO_DIGEST : sha256(utf8ToBytes(`leaf ${index}`)),
);
const known = new Map<string, Uint8Array>();

/** Definition in RFC 6962 §2.1, without its prefixes. */
function naiveRoot(first: number, end: number): Uint8Array {
  const size = end - first;
  if (size === 1) return LEAVES[first] ?? ZERO_DIGEST;
  const key = `${first}-${end}`;
  const found = known.get(key);
  if (found) return found;
  const split = first + largestPowerBelow(size);
  const root = sha256(concatBytes(naiveRoot(first, split), naiveRoot(split, end)));
  known.set(key, root);
  return root;
}

/** Definition in RFC 6962 §2.1.1. */
function naivePath(index: number, first: number, end: number): PathStep[] {
  if (end - first === 1) return [];
  const split = first + largestPowerBelow(end - first);
  return index < split
    ? [...naivePath(index, first, split), { right: naiveRoot(split, end) }]
    : [...naivePath(index, split, end), { left: naiveRoot(first, split) }];
}

function largestPowerBelow(size: number): number {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
}

function grown(size: number): { frontier: MerkleFrontier; nodes: Uint8Array[] } {
  const frontier = MerkleFrontier.empty(sha256);
  const nodes = LEAVES.slice(0, size).flatMap((leaf) => [...frontier.append(leaf)]);
  return { frontier, nodes };
}

const hex = (bytes: Uint8Array | undefined): string => bytesToHex(bytes ?? new Uint8Array());
const sizes = fc.integer({ min: 1, max: LEAVES.length });

describe('the tree', () => {
  test('has the root of the recursive definition at every size, and its children hash to it', () => {
    const frontier = MerkleFrontier.empty(sha256);
    for (const [index, leaf] of LEAVES.entries()) {
      frontier.append(leaf);
      expect(frontier.size).toBe(index + 1);
      expect(hex(frontier.root())).toBe(hex(naiveRoot(0, index + 1)));
      const children = frontier.rootChildren();
      if (index === 0) expect(children).toBeNull();
      else expect(hex(sha256(concatBytes(...(children ?? []))))).toBe(hex(frontier.root()));
    }
  });

  test('is 32 zero bytes before the first entry', () => {
    const frontier = MerkleFrontier.start(sha256);
    expect(frontier.size).toBe(1);
    expect(hex(frontier.root())).toBe('00'.repeat(32));
    expect(frontier.rootChildren()).toBeNull();
    expect(frontier.append(LEAVES[1] ?? ZERO_DIGEST)).toHaveLength(2);
    expect(hex(frontier.root())).toBe(hex(naiveRoot(0, 2)));
  });

  test('goes on from its peaks, and a clone does not change with it', () => {
    fc.assert(
      fc.property(sizes, sizes, (a, b) => {
        const [size, more] = [Math.min(a, b), Math.max(a, b)];
        const before = grown(size).frontier;
        const frontier = MerkleFrontier.of(size, before.peaks(), sha256);
        const clone = frontier.clone();
        for (const leaf of LEAVES.slice(size, more)) frontier.append(leaf);
        expect(hex(frontier.root())).toBe(hex(naiveRoot(0, more)));
        expect(hex(clone.root())).toBe(hex(naiveRoot(0, size)));
        const children = frontier.rootChildren();
        const perfect = Number.isInteger(Math.log2(more));
        if (perfect && more === size) expect(children).toBeNull();
        else expect(hex(sha256(concatBytes(...(children ?? []))))).toBe(hex(frontier.root()));
      }),
    );
  });

  test('refuses peaks that are not those of its size', () => {
    const peaks = grown(7).frontier.peaks();
    expect(() => MerkleFrontier.of(8, peaks, sha256)).toThrow('8 leaves have 1 peaks, not 3');
    expect(() => MerkleFrontier.of(7, [...peaks.slice(1), new Uint8Array(31)], sha256)).toThrow('32 bytes');
    expect(() => MerkleFrontier.of(-1, [], sha256)).toThrow('whole number');
    expect(() => MerkleFrontier.empty(sha256).root()).toThrow('an empty tree has no root');
  });
});

describe('positions', () => {
  test('are those in which appending completes the nodes', () => {
    const frontier = MerkleFrontier.empty(sha256);
    let position = 0;
    for (const [index, leaf] of LEAVES.entries()) {
      expect(mmrSize(index)).toBe(position);
      expect(mmrPosition(index)).toBe(position);
      position += frontier.append(leaf).length;
    }
  });

  test('of the peaks hold the frontier of every size', () => {
    const { nodes } = grown(LEAVES.length);
    fc.assert(
      fc.property(sizes, (size) => {
        const peaks = peakPositions(size).map((position) => hex(nodes[position]));
        expect(peaks).toEqual(grown(size).frontier.peaks().map(hex));
      }),
    );
  });

  test('are exact beyond 32 bits', () => {
    expect(mmrSize(2 ** 40)).toBe(2 ** 41 - 1);
    expect(mmrSize(2 ** 40 + 3)).toBe(2 ** 41 - 1 + 4);
    expect(peakPositions(2 ** 52)).toEqual([2 ** 53 - 2]);
    expect(auditPathPositions(2 ** 40, 2 ** 40 + 1)).toEqual([2 ** 41 - 2]);
  });
});

describe('audit paths', () => {
  test('are those of the recursive definition for every leaf of every size, and lead to the root', () => {
    const { nodes } = grown(LEAVES.length);
    const nodeAt = (position: number): Uint8Array => nodes[position] ?? ZERO_DIGEST;
    const text = (path: readonly PathStep[]): string[] =>
      path.map((step) => ('left' in step ? `left ${hex(step.left)}` : `right ${hex(step.right)}`));
    for (let size = 1; size <= 70; size++) {
      for (let index = 0; index < size; index++) {
        const path = auditPath(index, size, nodeAt, sha256);
        expect(text(path)).toEqual(text(naivePath(index, 0, size)));
        const root = foldPath(LEAVES[index] ?? ZERO_DIGEST, path, sha256);
        if (index % 7 === 0) expect(hex(root)).toBe(hex(naiveRoot(0, size)));
      }
    }
  });

  test('do not lead to the root from another leaf, or when a step is another or on the other side', () => {
    const { nodes } = grown(LEAVES.length);
    const nodeAt = (position: number): Uint8Array => nodes[position] ?? ZERO_DIGEST;
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat(), (size, pick, which) => {
        fc.pre(size > 1);
        const index = pick % size;
        const leaf = LEAVES[index] ?? ZERO_DIGEST;
        const path = auditPath(index, size, nodeAt, sha256);
        const root = hex(naiveRoot(0, size));
        expect(hex(foldPath(leaf, path, sha256))).toBe(root);
        expect(hex(foldPath(sha256(leaf), path, sha256))).not.toBe(root);
        const turned = path.map((step, at) => {
          if (at !== which % path.length) return step;
          return 'left' in step ? { right: step.left } : { left: step.right };
        });
        expect(hex(foldPath(leaf, turned, sha256))).not.toBe(root);
      }),
    );
  });

  test('read each node once when they are read', async () => {
    const { nodes } = grown(LEAVES.length);
    const asked: number[] = [];
    const path = await readAuditPath(
      5,
      77,
      async (positions) => {
        asked.push(...positions);
        return positions.map((position) => nodes[position] ?? ZERO_DIGEST);
      },
      sha256,
    );
    expect(new Set(asked).size).toBe(asked.length);
    expect(hex(foldPath(LEAVES[5] ?? ZERO_DIGEST, path, sha256))).toBe(hex(naiveRoot(0, 77)));
    await expect(readAuditPath(5, 77, async () => [], sha256)).rejects.toThrow('was not read');
  });

  test('are refused for a leaf that is not in the tree', () => {
    expect(() => auditPath(7, 7, () => ZERO_DIGEST, sha256)).toThrow('leaf 7 is not in a tree of 7');
    expect(() => auditPath(-1, 7, () => ZERO_DIGEST, sha256)).toThrow('not in a tree');
  });
});
