/** The image of a state at a mark, on its way into a snapshot file before anyone vouches for it. */
import type { SnapshotWriter } from '../consensus/ports.ts';
import type { Replica } from '../consensus/replica.ts';
import type { LedgerKeys } from '../keys/ledger-keys.ts';
import type { MarkedState } from './replicated-machine.ts';
import { headOfImage, sealImage } from './state-image.ts';

export type MarkedImageDependencies = Readonly<{
  keys: LedgerKeys;
  replica: Pick<Replica, 'beginSnapshot' | 'keepSnapshot'>;
  /** What the image stands on (history, ledger, the secrets that it is sealed with) is durable. */
  durable: (index: number, digest: Uint8Array) => Promise<void>;
  /** It is the newest that is kept. */
  kept: () => Promise<void>;
}>;

export class MarkedImage {
  /** Of the mark. */
  readonly index: number;
  /** SHA-256 of the state, once all of it is written; undefined where it was let go before. */
  readonly digest: Promise<Buffer | undefined>;
  readonly #uses: MarkedImageDependencies;
  readonly #writer: Promise<SnapshotWriter>;
  #isLetGo = false;

  /** Captures the state. */
  constructor({ state, index, term, members }: MarkedState, dependencies: MarkedImageDependencies) {
    this.index = index;
    this.#uses = dependencies;
    this.#writer = dependencies.replica.beginSnapshot({ index, term, confState: members });
    const sealing = sealImage(dependencies.keys, state, async (piece) => (await this.#writer).add(piece));
    this.digest = sealing.catch((error: unknown) => {
      if (this.#isLetGo) return undefined;
      throw error;
    });
    // Looked at with the first piece.
    this.#writer.catch(() => undefined);
  }

  /** After its digest. An entry of the ledger vouches for it. */
  async keep(evidenceSeqno: number): Promise<void> {
    const writer = await this.#writer;
    const digest = await this.digest;
    if (!digest) return;
    await this.#uses.durable(this.index, digest);
    if (this.#isLetGo) return;
    await this.#uses.replica.keepSnapshot(writer, headOfImage(evidenceSeqno));
    await this.#uses.kept();
  }

  /** Ends it, unless it is kept. Resolves when nothing of it is left on the disk. */
  async letGo(): Promise<void> {
    this.#isLetGo = true;
    const writer = await this.#writer.catch(() => undefined);
    await writer?.discard();
    await this.digest;
  }
}
