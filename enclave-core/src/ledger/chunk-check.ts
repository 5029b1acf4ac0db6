/**
 * Finds out whether a chunk or what was derived from it is damaged: a chunk is whole when its records lead from the tree in its
 * header to the tree in the next one's. Then tree and index are made again from it.
 */
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import { MerkleFrontier, mmrPosition } from '@drawbridge/protocol/ledger/merkle-tree';
import { sha256 } from '../sha256.ts';
import { type Derived, readRecords, writeDerived } from './chunk-contents.ts';
import type { ChunkFiles } from './chunk-files.ts';
import type { Chunk, ChunkList } from './chunk-list.ts';
import { readHeader } from './chunk-reader.ts';
import { demandHeader, sameBytes, samePeaks } from './closed-chunks.ts';
import type { DerivedFiles } from './derived-files.ts';
import { LedgerDamagedError } from './ledger-errors.ts';
import type { LedgerTape } from './ledger-tape.ts';
import type { LedgerWriter } from './ledger-writer.ts';
import type { NodeRing } from './node-ring.ts';
import type { TreeNodes } from './tree-nodes.ts';

/** All that a ledger has on disk and on its way there. */
export type LedgerParts = Readonly<{
  serviceId: Bytes32;
  chunks: ChunkList;
  files: ChunkFiles;
  derived: DerivedFiles;
  ring: NodeRing;
  tree: TreeNodes;
  writer: LedgerWriter;
  tape: LedgerTape;
}>;

export class ChunkCheck {
  readonly #parts: LedgerParts;
  readonly #running = new Map<number, Promise<void>>();

  constructor(parts: LedgerParts) {
    this.#parts = parts;
  }

  /** Resolves when tree and index are right for a chunk that is whole. @throws LedgerDamagedError for one that is not */
  heal(chunk: Chunk): Promise<void> {
    const running = this.#running.get(chunk.first);
    if (running) return running;
    const healing = this.#heal(chunk).finally(() => this.#running.delete(chunk.first));
    this.#running.set(chunk.first, healing);
    return healing;
  }

  async #heal(chunk: Chunk): Promise<void> {
    const { files, derived, tree, writer } = this.#parts;
    // The size of an open chunk's file is that of when it was opened.
    const [last, end] = chunk.last === null ? [writer.written, writer.end] : [chunk.last, null];
    const parts: Derived[] = [];
    let frontier = MerkleFrontier.empty(sha256);
    let firstOther: number | null = null;
    await files.use(chunk, async (file) => {
      const { header, bytes } = await demandHeader(file, this.#parts.serviceId, chunk);
      frontier = MerkleFrontier.of(chunk.first, header.peaks, sha256);
      const range = { headerBytes: bytes, end: end ?? file.size, last };
      await readRecords(file, chunk, range, frontier, async (made, leaves) => {
        parts.push(made);
        const stored = await derived.readLeaves(made.seqno, made.seqno + leaves.length - 1);
        firstOther ??= leaves.find(({ leaf }, at) => !sameBytes(leaf, stored(made.seqno + at)))?.offset ?? null;
      });
    });
    if (!(await this.isTrue(frontier))) {
      const reason = 'the records of the chunk do not lead to the tree that follows it';
      throw new LedgerDamagedError({ file: chunk.path, offset: firstOther ?? 0, reason });
    }
    for (const part of parts) await writeDerived(derived, part);
    tree.forget();
  }

  /** Whether a tree that ends with a record is the one that the ledger had there. */
  async isTrue(frontier: MerkleFrontier): Promise<boolean> {
    const { chunks, files, serviceId, tree, tape, ring } = this.#parts;
    const next = chunks.beginning(frontier.size);
    if (next) {
      const read = await files.use(next, (file) => readHeader(file, { serviceId, first: next.first }));
      if (!('reason' in read) && samePeaks(read.header.peaks, frontier.peaks())) return true;
    }
    const peaks = await tree.peaks(frontier.size);
    const grown = frontier.clone();
    while (grown.size < tape.frontier.size) {
      const leaf = ring.get(mmrPosition(grown.size));
      if (!leaf) return samePeaks(peaks, frontier.peaks());
      grown.append(leaf);
    }
    return samePeaks(grown.peaks(), tape.frontier.peaks());
  }
}
