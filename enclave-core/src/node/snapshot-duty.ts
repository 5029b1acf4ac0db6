/**
 * Snapshots that can be believed. The leader puts a mark into the ledger; every node captures its state exactly there and writes
 * it to its disk; the leader puts the digest of that into the ledger; a node whose own is another stops. Only when a signature
 * covers that, too, is the snapshot kept and the log behind it dropped: who is sent it asks for the receipt, and what is
 * committed may have to wait for just that node.
 */
import type { ServiceEntry } from '@drawbridge/protocol/ledger/service-entry';
import type { MarkedImage } from './marked-image.ts';
import type { AppliedEntry } from './replicated-machine.ts';
import { type MarkedState, StateDivergedError } from './replicated-machine.ts';

export type SnapshotDutyOptions = Readonly<{
  /** A mark is due when so many entries were applied since the last one. Default 50,000. */
  snapshotEveryEntries?: number;
  /** Or so many bytes of them: the engine caches them all, twice over. Default 64 MiB. */
  snapshotEveryBytes?: number;
}>;

export type SnapshotDutyDependencies = Readonly<{
  leads: () => boolean;
  propose: (entry: ServiceEntry) => Promise<unknown>;
  /** Captures the state at once, and writes it in the background. */
  write: (marked: MarkedState) => Pick<MarkedImage, 'digest' | 'index' | 'keep' | 'letGo'>;
  failed: (error: unknown) => void;
}>;

type Evidence = Readonly<{ seqno: number; digest: Uint8Array; evidenceSeqno: number; isSigned: boolean }>;
type Image = ReturnType<SnapshotDutyDependencies['write']>;

export class SnapshotDuty {
  readonly #options: Required<SnapshotDutyOptions>;
  readonly #uses: SnapshotDutyDependencies;
  #entriesSince = 0;
  #bytesSince = 0;
  #wanted = false;
  #proposing = false;
  /** Mark that the ledger holds and no evidence answers yet; 0 for none. */
  #openMark = 0;
  /** Of the newest mark, until it is kept. */
  #image: Image | undefined;
  /** Of that image, once it is written. */
  #digest: Buffer | undefined;
  #keeping: Image | undefined;
  #evidence: Evidence | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: SnapshotDutyOptions, dependencies: SnapshotDutyDependencies) {
    this.#options = {
      snapshotEveryEntries: options.snapshotEveryEntries ?? 50_000,
      snapshotEveryBytes: options.snapshotEveryBytes ?? 64 * 2 ** 20,
    };
    this.#uses = dependencies;
  }

  /** Members changed, or one of them needs a snapshot that there is not. */
  want(): void {
    this.#wanted = true;
    this.#consider();
  }

  /** What was written of the mark before, and is not kept yet, gives way. */
  marked(marked: MarkedState): void {
    this.#entriesSince = 0;
    this.#bytesSince = 0;
    this.#wanted = false;
    this.#openMark = marked.index;
    this.#letGo();
    const image = this.#uses.write(marked);
    this.#image = image;
    this.#follow(
      image.digest.then((digest) => {
        if (this.#image !== image) return;
        this.#digest = digest;
        return this.#match();
      }),
    );
  }

  #letGo(): void {
    const image = this.#image;
    this.#image = undefined;
    this.#digest = undefined;
    if (image) this.#follow(image.letGo());
  }

  applied(entries: readonly AppliedEntry[]): void {
    this.#entriesSince += entries.length;
    for (const { index, service, signature, bytes } of entries) {
      this.#bytesSince += bytes;
      if (signature) this.#signed(signature.size - 1);
      if (service?.entry.type !== 'snapshotEvidence' || !service.outcome.ok) continue;
      const { seqno, digest } = service.entry;
      if (this.#openMark === seqno) this.#openMark = 0;
      this.#evidence = { seqno, digest, evidenceSeqno: index, isSigned: false };
      this.#follow(this.#match());
    }
    this.#consider();
  }

  #signed(through: number): void {
    const evidence = this.#evidence;
    if (!evidence || evidence.isSigned || evidence.evidenceSeqno > through) return;
    this.#evidence = { ...evidence, isSigned: true };
    this.#follow(this.#match());
  }

  /** This node began to lead: a mark whose evidence is missing becomes its own to answer. */
  began(): void {
    this.#proposing = false;
    this.#consider();
  }

  /** Begins nothing more, gives up what is not kept yet; resolves when nothing is being written. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#letGo();
    if (this.#keeping) this.#follow(this.#keeping.letGo());
    await this.#running;
  }

  /** Compares, and keeps what the ledger vouches for. */
  async #match(): Promise<void> {
    const [image, digest, evidence] = [this.#image, this.#digest, this.#evidence];
    if (!image || !digest || image.index !== evidence?.seqno) {
      this.#consider();
      return;
    }
    if (!digest.equals(evidence.digest)) {
      this.#letGo();
      throw new StateDivergedError(
        `this node's state at ${evidence.seqno} is another than the one that the ledger vouches for at ${evidence.evidenceSeqno}`,
      );
    }
    if (!evidence.isSigned) return;
    this.#image = undefined;
    this.#keeping = image;
    try {
      await image.keep(evidence.evidenceSeqno);
    } finally {
      if (this.#keeping === image) this.#keeping = undefined;
    }
  }

  #consider(): void {
    if (this.#stopped || this.#proposing || !this.#uses.leads()) return;
    const { snapshotEveryEntries, snapshotEveryBytes } = this.#options;
    if (this.#openMark > 0) {
      if (this.#image?.index === this.#openMark) {
        // Until then it is being written.
        if (this.#digest) this.#propose({ type: 'snapshotEvidence', seqno: this.#openMark, digest: this.#digest });
        return;
      }
      // The mark is of before this process and nobody here can answer it.
    }
    const due = this.#wanted || this.#entriesSince >= snapshotEveryEntries || this.#bytesSince >= snapshotEveryBytes;
    if (due) this.#propose({ type: 'snapshotMark' });
  }

  #propose(entry: ServiceEntry): void {
    this.#proposing = true;
    this.#uses.propose(entry).then(
      () => {
        this.#proposing = false;
        this.#consider();
      },
      () => {
        // Whoever leads next, this node included, considers again.
        this.#proposing = false;
      },
    );
  }

  #follow(work: Promise<void>): void {
    const settled = work.catch((error: unknown) => {
      if (!this.#stopped) this.#uses.failed(error);
    });
    this.#running = Promise.all([this.#running, settled]).then(() => undefined);
  }
}
