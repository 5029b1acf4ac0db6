/** Nodes of the tree by position, from memory or from `tree.mmr`, whose pages that are asked for again and again stay in memory. */
import { Buffer } from 'node:buffer';
import { DIGEST_BYTES } from '@drawbridge/protocol/ledger/hash';
import { mmrPosition, peakPositions } from '@drawbridge/protocol/ledger/merkle-tree';
import type { DerivedFiles } from './derived-files.ts';
import type { NodeRing } from './node-ring.ts';

const PAGE_NODES = 128;
/** 2 MiB. */
const MAX_PAGES = 512;

export class TreeNodes {
  readonly #files: DerivedFiles;
  readonly #ring: NodeRing;
  /** Pages that are on disk as a whole, least recently used first. */
  readonly #pages = new Map<number, Buffer>();

  constructor(files: DerivedFiles, ring: NodeRing) {
    this.#files = files;
    this.#ring = ring;
  }

  /** In the order asked for. What the file lacks comes as zero bytes, and so leads to no root. */
  async read(positions: readonly number[]): Promise<Uint8Array[]> {
    const nodes = positions.map((position) => this.#ring.get(position));
    const pages = new Map<number, Promise<Buffer>>();
    return Promise.all(
      positions.map(async (position, at) => {
        const node = nodes[at];
        if (node) return node;
        const number = Math.floor(position / PAGE_NODES);
        const page = pages.get(number) ?? this.#page(number);
        pages.set(number, page);
        const offset = (position % PAGE_NODES) * DIGEST_BYTES;
        const found = (await page).subarray(offset, offset + DIGEST_BYTES);
        return found.length === DIGEST_BYTES ? found : Buffer.alloc(DIGEST_BYTES);
      }),
    );
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
    this.#pages.clear();
  }

  async #page(number: number): Promise<Buffer> {
    const known = this.#pages.get(number);
    const isWhole = (number + 1) * PAGE_NODES <= this.#ring.written;
    const page = known ?? (await this.#files.readNodes(number * PAGE_NODES, PAGE_NODES));
    if (!isWhole) return page;
    this.#pages.delete(number);
    this.#pages.set(number, page);
    const oldest = this.#pages.size > MAX_PAGES ? this.#pages.keys().next() : undefined;
    if (oldest && !oldest.done) this.#pages.delete(oldest.value);
    return page;
  }
}
