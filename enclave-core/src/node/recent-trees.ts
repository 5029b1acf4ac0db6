/** The tree as it was after each of the latest entries, so that a signature over one of them can be compared. */
import type { MerkleFrontier } from '@drawbridge/protocol/ledger/merkle-tree';

/** A leader signs what it applied a moment ago; this is minutes of entries. */
const KEPT = 4_096;

export class RecentTrees {
  readonly #bySize: (MerkleFrontier | undefined)[] = Array.from({ length: KEPT });

  restart(frontier: MerkleFrontier): void {
    this.#bySize.fill(undefined);
    this.put(frontier);
  }

  /** @param frontier must not change any more */
  put(frontier: MerkleFrontier): void {
    this.#bySize[frontier.size % KEPT] = frontier;
  }

  /** Nothing for a size that is not known any more. */
  rootOf(size: number): Uint8Array | undefined {
    const frontier = this.#bySize[size % KEPT];
    return frontier?.size === size ? frontier.root() : undefined;
  }
}
