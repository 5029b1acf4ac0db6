/** Nodes of the tree by position, from memory or from `tree.mmr`, whose pages that are asked for again and again stay in memory. */
import type { Buffer } from 'node:buffer';
import { DIGEST_BYTES } from '@drawbridge/protocol/ledger/hash';
import { mmrPosition, peakPositions } from '@drawbridge/protocol/ledger/merkle-tree';
import type { DerivedFiles } from './derived-files.ts';
import type { NodeRing } from './node-ring.ts';

const PAGE_NODES = 128;
/** 2 MiB. */
const MAX_PAGES = 512;
const NO_NODE = new Uint8Array(DIGEST_BYTES);

export class TreeNodes {
  readonly #files: DerivedFiles;
  readonly #ring: NodeRing;
  /** Pages that are on disk as a whole, least recently used first. */
  readonly #pages = new Map<number, Buffer>();
  /** Grows when the file was changed, so that what was read before is not kept. */
  #generation = 0;

  constructor(files: DerivedFiles, ring: NodeRing) {
    this.#files = files;
    this.#ring = ring;
  }

  /** In the order asked for. What the file lacks comes as zero bytes, and so leads to no root. */
  async read(positions: readonly number[]): Promise<Uint8Array[]> {
    const nodes: (Uint8Array | undefined)[] = [];
    const missing = new Set<number>();
    for (const position of positions) {
      const number = Math.floor(position / PAGE_NODES);
      const node = this.#ring.get(position) ?? nodeOf(this.#cached(number), position);
      nodes.push(node);
      if (!node) missing.add(number);
    }
    if (missing.size === 0) return nodes.map((node) => node ?? NO_NODE);
    const numbers = [...missing];
    const pages = await Promise.all(numbers.map((number) => this.#page(number)));
    const read = new Map(numbers.map((number, at) => [number, pages[at]]));
    return positions.map((position, at) => {
      return nodes[at] ?? nodeOf(read.get(Math.floor(position / PAGE_NODES)), position) ?? NO_NODE;
    });
  }

  peaks(size: number): Promise<Uint8Array[]> {
    return this.read(peakPositions(size));
  }

  /** Leaves from one seqno through another; some thousands at most. Undefined where the file has none. */
  async leaves(from: number, to: number): Promise<(seqno: number) => Uint8Array | undefined> {
    const held = new Map<number, Uint8Array>();
    let onDisk = to;
    for (; onDisk >= from; onDisk--) {
      const leaf = this.#ring.get(mmrPosition(onDisk));
      if (!leaf) break;
      held.set(onDisk, leaf);
    }
    const stored = onDisk < from ? () => undefined : await this.#files.readLeaves(from, onDisk);
    return (seqno) => held.get(seqno) ?? stored(seqno);
  }

  /** To be called when the file was changed. */
  forget(): void {
    this.#generation += 1;
    this.#pages.clear();
  }

  #cached(number: number): Buffer | undefined {
    const page = this.#pages.get(number);
    if (!page) return undefined;
    this.#pages.delete(number);
    this.#pages.set(number, page);
    return page;
  }

  async #page(number: number): Promise<Buffer> {
    const isWhole = (number + 1) * PAGE_NODES <= this.#ring.written;
    const generation = this.#generation;
    const page = await this.#files.readNodes(number * PAGE_NODES, PAGE_NODES);
    if (!isWhole || generation !== this.#generation) return page;
    this.#pages.set(number, page);
    const oldest = this.#pages.size > MAX_PAGES ? this.#pages.keys().next() : undefined;
    if (oldest && !oldest.done) this.#pages.delete(oldest.value);
    return page;
  }
}

function nodeOf(page: Buffer | undefined, position: number): Uint8Array | undefined {
  const offset = (position % PAGE_NODES) * DIGEST_BYTES;
  const node = page?.subarray(offset, offset + DIGEST_BYTES);
  return node?.length === DIGEST_BYTES ? node : undefined;
}
