/**
 * The Merkle tree over the ledger: leaf 0 is 32 zero bytes, leaf n is entry n, a parent is SHA-256(left ‖ right), and an odd
 * node goes up unhashed. That is the tree of CCF and the shape of RFC 6962, without its prefixes.
 *
 * Kept as a Merkle mountain range: the nodes that never change any more (roots of perfect subtrees), numbered in the order in
 * which appending completes them, so that they fit a file that only grows. The *peaks* of a size are the perfect trees that it
 * is made of, largest (leftmost) first; the root folds them from the right. Sizes and positions are below 2⁵³.
 */
import { DIGEST_BYTES, type Sha256, ZERO_DIGEST } from './hash.ts';

/** A sibling on the way up, by the side that it stands on. */
export type PathStep = Readonly<{ left: Uint8Array }> | Readonly<{ right: Uint8Array }>;

/** Number of set bits. */
function ones(value: number): number {
  let count = 0;
  for (let rest = value; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2;
  return count;
}

/** Nodes that `leaves` leaves complete: what a file of them holds. O(log leaves). */
export function mmrSize(leaves: number): number {
  return 2 * leaves - ones(leaves);
}

/** Position of a leaf among the nodes. */
export function mmrPosition(leafIndex: number): number {
  return mmrSize(leafIndex);
}

/** Position of the root of the perfect tree of 2^height leaves whose last leaf is `lastLeaf`. */
function rootPosition(lastLeaf: number, height: number): number {
  return mmrPosition(lastLeaf) + height;
}

type Peak = Readonly<{ firstLeaf: number; leaves: number; position: number }>;

function peaksOf(size: number): Peak[] {
  const peaks: Peak[] = [];
  let firstLeaf = 0;
  for (let height = 52; height >= 0; height--) {
    const leaves = 2 ** height;
    if (size - firstLeaf < leaves) continue;
    peaks.push({ firstLeaf, leaves, position: rootPosition(firstLeaf + leaves - 1, height) });
    firstLeaf += leaves;
  }
  return peaks;
}

/** Positions of the peaks of a tree of `size` leaves, largest first. */
export function peakPositions(size: number): number[] {
  return peaksOf(size).map(({ position }) => position);
}

/** Room for two children: a tree has as many parents as entries, and memory for each costs as much as hashing it. */
const PAIR = new Uint8Array(2 * DIGEST_BYTES);

function parentOf(left: Uint8Array, right: Uint8Array, sha256: Sha256): Uint8Array {
  PAIR.set(left, 0);
  PAIR.set(right, DIGEST_BYTES);
  return sha256(PAIR);
}

/** @throws RangeError without peaks: an empty tree has no root */
function foldPeaks(peaks: readonly Uint8Array[], sha256: Sha256): Uint8Array {
  const last = peaks.at(-1);
  if (!last) throw new RangeError('an empty tree has no root');
  let node = last;
  for (let at = peaks.length - 2; at >= 0; at--) node = parentOf(peaks[at] ?? node, node, sha256);
  return node;
}

/** The right edge of a growing tree: all that appending and the root need. O(log size) memory. */
export class MerkleFrontier {
  readonly #sha256: Sha256;
  #size: number;
  readonly #peaks: Uint8Array[];
  /** Of the root, where the tree is perfect: its peaks alone do not tell. */
  #children: readonly [Uint8Array, Uint8Array] | null;

  private constructor(
    sha256: Sha256,
    size: number,
    peaks: Uint8Array[],
    children: readonly [Uint8Array, Uint8Array] | null,
  ) {
    this.#sha256 = sha256;
    this.#size = size;
    this.#peaks = peaks;
    this.#children = children;
  }

  /** Size 0: not even leaf 0. */
  static empty(sha256: Sha256): MerkleFrontier {
    return new MerkleFrontier(sha256, 0, [], null);
  }

  /** The tree before the first entry: leaf 0 alone. */
  static start(sha256: Sha256): MerkleFrontier {
    return new MerkleFrontier(sha256, 1, [ZERO_DIGEST], null);
  }

  /**
   * @param peaks largest first; kept, so they must not change any more
   * @throws RangeError when they are not those of such a size
   */
  static of(size: number, peaks: readonly Uint8Array[], sha256: Sha256): MerkleFrontier {
    if (!Number.isSafeInteger(size) || size < 0) throw new RangeError('size must be a whole number');
    if (peaks.length !== ones(size))
      throw new RangeError(`${size} leaves have ${ones(size)} peaks, not ${peaks.length}`);
    if (peaks.some((peak) => peak.length !== DIGEST_BYTES)) throw new RangeError(`a peak has ${DIGEST_BYTES} bytes`);
    return new MerkleFrontier(sha256, size, [...peaks], null);
  }

  /** Leaves, leaf 0 included: the seqno that comes next. */
  get size(): number {
    return this.#size;
  }

  /**
   * @param leaf kept, so it must not change any more
   * @returns the nodes that it completes, in the order of their positions, which begin at `mmrPosition(size)`: the leaf first
   */
  append(leaf: Uint8Array): readonly Uint8Array[] {
    const nodes = [leaf];
    let node = leaf;
    let left = leaf;
    let right = leaf;
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) {
      left = this.#peaks.pop() ?? node;
      right = node;
      node = parentOf(left, right, this.#sha256);
      nodes.push(node);
    }
    this.#children = nodes.length > 1 && this.#peaks.length === 0 ? [left, right] : null;
    this.#peaks.push(node);
    this.#size += 1;
    return nodes;
  }

  /** @throws RangeError when empty */
  root(): Uint8Array {
    return foldPeaks(this.#peaks, this.#sha256);
  }

  /**
   * What the root is the SHA-256 of, for signers that hash by themselves. Null below two leaves, and for a perfect tree that
   * was made by `of`, until the next leaf.
   */
  rootChildren(): readonly [Uint8Array, Uint8Array] | null {
    const [first, ...rest] = this.#peaks;
    if (!first || rest.length === 0) return this.#children;
    return [first, foldPeaks(rest, this.#sha256)];
  }

  /** Largest first; do not change their bytes. */
  peaks(): readonly Uint8Array[] {
    return [...this.#peaks];
  }

  clone(): MerkleFrontier {
    return new MerkleFrontier(this.#sha256, this.#size, [...this.#peaks], this.#children);
  }
}

/** What a path is made of: `siblings` from the leaf up to its peak, then all other peaks. */
type PathPlan = Readonly<{
  siblings: readonly Readonly<{ side: 'left' | 'right'; position: number }>[];
  /** Peaks to the right of the leaf's, largest first; they fold into one step. */
  rightPeaks: readonly number[];
  /** Peaks to the left of the leaf's, nearest first; a step each. */
  leftPeaks: readonly number[];
}>;

function planPath(index: number, size: number): PathPlan {
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) {
    throw new RangeError(`leaf ${index} is not in a tree of ${size}`);
  }
  const peaks = peaksOf(size);
  const own = peaks.findIndex(({ firstLeaf, leaves }) => index < firstLeaf + leaves);
  const siblings: { side: 'left' | 'right'; position: number }[] = [];
  let first = index;
  for (let [height, leaves] = [0, 1]; leaves < (peaks[own]?.leaves ?? 0); height += 1, leaves *= 2) {
    // `first` begins a perfect tree of `leaves` leaves; it stands on the right where it is an odd multiple of them.
    const onTheRight = (first / leaves) % 2 === 1;
    const sibling = onTheRight ? first - leaves : first + leaves;
    siblings.push({ side: onTheRight ? 'left' : 'right', position: rootPosition(sibling + leaves - 1, height) });
    if (onTheRight) first = sibling;
  }
  return {
    siblings,
    rightPeaks: peaks.slice(own + 1).map(({ position }) => position),
    leftPeaks: peaks
      .slice(0, own)
      .reverse()
      .map(({ position }) => position),
  };
}

/** Positions of the nodes that `auditPath` reads, each once; at most 53 + 53. */
export function auditPathPositions(index: number, size: number): number[] {
  const { siblings, rightPeaks, leftPeaks } = planPath(index, size);
  return [...siblings.map(({ position }) => position), ...rightPeaks, ...leftPeaks];
}

/**
 * The way from leaf `index` up to the root of the tree of `size` leaves, from below.
 * @param nodeAt node by position, of a tree of at least `size` leaves
 * @throws RangeError for a leaf that is not in the tree
 */
export function auditPath(
  index: number,
  size: number,
  nodeAt: (mmrPosition: number) => Uint8Array,
  sha256: Sha256,
): PathStep[] {
  const { siblings, rightPeaks, leftPeaks } = planPath(index, size);
  const path: PathStep[] = siblings.map(({ side, position }) =>
    side === 'left' ? { left: nodeAt(position) } : { right: nodeAt(position) },
  );
  if (rightPeaks.length > 0) path.push({ right: foldPeaks(rightPeaks.map(nodeAt), sha256) });
  for (const position of leftPeaks) path.push({ left: nodeAt(position) });
  return path;
}

/**
 * `auditPath` over nodes that must be read first, all in one go.
 * @param readNodes the nodes at these positions, in the same order
 */
export async function readAuditPath(
  index: number,
  size: number,
  readNodes: (positions: readonly number[]) => Promise<readonly Uint8Array[]>,
  sha256: Sha256,
): Promise<PathStep[]> {
  const positions = auditPathPositions(index, size);
  const nodes = await readNodes(positions);
  const byPosition = new Map(positions.map((position, at) => [position, nodes[at]]));
  const nodeAt = (position: number): Uint8Array => {
    const node = byPosition.get(position);
    if (!node) throw new RangeError(`node ${position} was not read`);
    return node;
  };
  return auditPath(index, size, nodeAt, sha256);
}

/** The root that a path leads to from a leaf. */
export function foldPath(leaf: Uint8Array, path: readonly PathStep[], sha256: Sha256): Uint8Array {
  let node = leaf;
  for (const step of path) {
    node = 'left' in step ? parentOf(step.left, node, sha256) : parentOf(node, step.right, sha256);
  }
  return node;
}
