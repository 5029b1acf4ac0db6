/**
 * Gives each record its place: its leaf in the tree, its offset in a chunk. Which chunk follows from the records alone, so every
 * node writes the same bytes whatever was gathered into one write.
 */
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import { encodeChunkHeader } from '@drawbridge/protocol/ledger/chunk';
import type { LedgerKind } from '@drawbridge/protocol/ledger/ledger-kind';
import type { MerkleFrontier } from '@drawbridge/protocol/ledger/merkle-tree';
import type { LedgerWriter } from './ledger-writer.ts';
import type { NodeRing } from './node-ring.ts';

export type TapeOptions = Readonly<{ serviceId: Bytes32; chunkBytes: number }>;

export type TapeDependencies = Readonly<{ writer: LedgerWriter; ring: NodeRing }>;

/** `end`: offset at which the open chunk ends, null where the next record begins a chunk. */
export type TapeStart = Readonly<{ frontier: MerkleFrontier; end: number | null }>;

/** Whether a chunk ends with a record of this kind that ends at `end`. */
export function closesChunk(kind: LedgerKind, end: number, chunkBytes: number): boolean {
  return kind === 'signature' && end >= chunkBytes;
}

export class LedgerTape {
  readonly #options: TapeOptions;
  readonly #uses: TapeDependencies;
  /** The tree over all that was put; changes with the next. */
  readonly frontier: MerkleFrontier;
  #end: number | null;

  constructor(options: TapeOptions, dependencies: TapeDependencies, start: TapeStart) {
    this.#options = options;
    this.#uses = dependencies;
    this.frontier = start.frontier;
    this.#end = start.end;
  }

  get lastSeqno(): number {
    return this.frontier.size - 1;
  }

  /** @param leaf of the record; its seqno must be the size of the tree */
  put(record: Readonly<{ kind: LedgerKind; view: number; seqno: number }>, bytes: Uint8Array, leaf: Uint8Array): void {
    const { serviceId, chunkBytes } = this.#options;
    const { kind, view, seqno } = record;
    const header =
      this.#end === null ? encodeChunkHeader({ serviceId, first: seqno, peaks: this.frontier.peaks() }) : null;
    const offset = this.#end ?? header?.length ?? 0;
    const end = offset + bytes.length;
    const closes = closesChunk(kind, end, chunkBytes);
    for (const node of this.frontier.append(leaf)) this.#uses.ring.put(node);
    this.#end = closes ? null : end;
    this.#uses.writer.put({ seqno, view, kind, bytes, offset, header, closes });
  }
}
