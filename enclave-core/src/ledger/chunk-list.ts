/** Which chunk files there are, and which holds a seqno. */
import { chunkName, parseChunkName } from '@drawbridge/protocol/ledger/chunk';
import { LedgerDamagedError } from './ledger-errors.ts';

/** `last` null: the chunk is open. `path` changes when it is closed; `renaming` settles once it has. */
export type Chunk = { readonly first: number; last: number | null; path: string; renaming?: Promise<void> };

export class ChunkList {
  readonly directory: string;
  readonly #chunks: Chunk[];

  private constructor(directory: string, chunks: Chunk[]) {
    this.directory = directory;
    this.#chunks = chunks;
  }

  /**
   * @param names what is in the folder; files of other names are passed over
   * @throws LedgerDamagedError when a chunk is missing or two overlap
   */
  static of(directory: string, names: readonly string[]): ChunkList {
    const chunks: Chunk[] = [];
    for (const name of names) {
      const parsed = parseChunkName(name);
      if (parsed) chunks.push({ first: parsed.first, last: parsed.last ?? null, path: `${directory}/${name}` });
    }
    chunks.sort((a, b) => a.first - b.first);
    let next = 1;
    for (const chunk of chunks) {
      const damaged = (reason: string): LedgerDamagedError =>
        new LedgerDamagedError({ file: chunk.path, offset: 0, reason });
      if (chunk.first < next || next === 0) throw damaged('the chunk overlaps the one before it');
      if (chunk.first > next) throw damaged(`the chunk that begins with seqno ${next} is missing before this one`);
      next = chunk.last === null ? Number.POSITIVE_INFINITY : chunk.last + 1;
    }
    return new ChunkList(directory, chunks);
  }

  /** All, oldest first; the last may be open. */
  get all(): readonly Chunk[] {
    return this.#chunks;
  }

  get open(): Chunk | undefined {
    const newest = this.#chunks.at(-1);
    return newest?.last === null ? newest : undefined;
  }

  get lastClosed(): Chunk | undefined {
    return this.#chunks.at(this.open ? -2 : -1);
  }

  /** Where in the list the chunk stands that holds a seqno; −1 before the first. O(log chunks). */
  indexOf(seqno: number): number {
    let [low, high] = [0, this.#chunks.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#chunks[middle]?.first ?? 0) <= seqno) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** The chunk that holds a seqno, if any does; the open one counts as endless. */
  holding(seqno: number): Chunk | undefined {
    const chunk = this.#chunks[this.indexOf(seqno)];
    return chunk && (chunk.last === null || seqno <= chunk.last) ? chunk : undefined;
  }

  /** The one that begins with a seqno. */
  beginning(first: number): Chunk | undefined {
    const chunk = this.#chunks[this.indexOf(first)];
    return chunk?.first === first ? chunk : undefined;
  }

  /** Notes a new open chunk, whose file exists. */
  add(first: number): void {
    this.#chunks.push({ first, last: null, path: this.pathFor(first) });
  }

  /** Of a chunk while it is open. */
  pathFor(first: number): string {
    return `${this.directory}/${chunkName(first)}`;
  }

  closedPath(first: number, last: number): string {
    return `${this.directory}/${chunkName(first, last)}`;
  }

  /** Takes the open chunk out again, whose file is gone. */
  dropOpen(): void {
    if (this.open) this.#chunks.pop();
  }
}
