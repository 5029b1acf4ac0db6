/**
 * The ledger: every committed entry, for ever, in chunk files that are the same on every node, with the Merkle tree over them.
 * Entries come from the Raft log, where they are durable already; here they are hashed at once and written in the background.
 * After a restart the log gives some of them again: those that are on disk are compared and not written twice.
 */
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import { CHUNK_BYTES } from '@drawbridge/protocol/ledger/chunk';
import { readEntryFrame } from '@drawbridge/protocol/ledger/entry-frame';
import type { LedgerRecord } from '@drawbridge/protocol/ledger/ledger-record';
import { MerkleFrontier, mmrSize } from '@drawbridge/protocol/ledger/merkle-tree';
import { decodeSignatureEntry } from '@drawbridge/protocol/ledger/signature-entry';
import type { Disk } from '../consensus/log/disk.ts';
import type { Timers } from '../node/timers.ts';
import { sha256 } from '../sha256.ts';
import { ChunkCheck, type LedgerParts } from './chunk-check.ts';
import { ChunkFiles } from './chunk-files.ts';
import { type FetchRecords, repairChunk } from './chunk-repair.ts';
import { sameBytes, samePeaks } from './closed-chunks.ts';
import { LedgerConflictError, LedgerDamagedError, type LedgerWriteError } from './ledger-errors.ts';
import { type FoundSignature, LedgerReader, type ReceiptParts } from './ledger-reader.ts';
import { LedgerTape } from './ledger-tape.ts';
import { LedgerWriter } from './ledger-writer.ts';
import { NodeRing } from './node-ring.ts';
import { RecentRecords } from './recent-records.ts';
import { hashLeaf, RecordEncoder } from './record-encoder.ts';
import { type RecoveredChunk, type RecoveredLedger, recoverLedger, type TornTail } from './recovery.ts';
import { SignatureIndex } from './signature-index.ts';
import { TreeNodes } from './tree-nodes.ts';

export type LedgerOptions = Readonly<{
  /** Made with mode 0700 when it is not there; nothing else may live in it. Kept from other processes by whoever opens it. */
  directory: string;
  serviceId: Bytes32;
  /** Size from which on a chunk is closed at the next signature. Must be the same on all nodes. Default 4 MiB. */
  chunkBytes?: number;
  /** How long entries gather before they are written, in ms. Default 50. */
  flushMs?: number;
  /** Bytes waiting to be written from which on `drained` waits. Default 32 MiB. */
  maxQueuedBytes?: number;
}>;

export type LedgerDependencies = Readonly<{
  disk: Disk;
  timers: Timers;
  /** Called once, when a write failed: nothing is taken any more, and the node must stop. */
  onFailure: (error: LedgerWriteError) => void;
}>;

/** An entry as the log has it, with the digests that stand beside it. */
export type LedgerEntry = LedgerRecord;

const FLUSH_MS = 50;
const MAX_QUEUED_BYTES: number = 32 * 1024 * 1024;

export class Ledger {
  /** Newest record that was on disk when it was opened; 0 for none. */
  readonly storedSeqno: number;
  /** What a crash left of a write and was cut off when it was opened. */
  readonly tornTail: TornTail | null;
  readonly #disk: Disk;
  readonly #parts: LedgerParts;
  readonly #reader: LedgerReader;
  readonly #check: ChunkCheck;
  readonly #recent = new RecentRecords();
  readonly #encoder = new RecordEncoder();
  readonly #signatures: SignatureIndex;
  /** Over what was appended. The tape's own, but while entries come again that are on disk. */
  #tree: MerkleFrontier;
  /** The chunk that was open at the start, as long as entries are compared with it. */
  #stored: RecoveredChunk | null;

  private constructor(options: LedgerOptions, dependencies: LedgerDependencies, recovered: RecoveredLedger) {
    const { disk, timers, onFailure } = dependencies;
    const { chunks, derived, frontier, open } = recovered;
    const { serviceId, chunkBytes = CHUNK_BYTES, flushMs = FLUSH_MS, maxQueuedBytes = MAX_QUEUED_BYTES } = options;
    const ring = new NodeRing(mmrSize(frontier.size));
    const start = { written: frontier.size - 1, end: open?.end ?? 0, file: open?.file ?? null };
    const writer = new LedgerWriter(
      { flushMs, maxQueuedBytes },
      { disk, chunks, derived, ring, timers, onFailure },
      start,
    );
    const tape = new LedgerTape({ serviceId, chunkBytes }, { writer, ring }, { frontier, end: open?.end ?? null });
    const tree = new TreeNodes(derived, ring);
    this.#disk = disk;
    this.#parts = { serviceId, chunks, files: new ChunkFiles(disk), derived, ring, tree, writer, tape };
    this.#check = new ChunkCheck(this.#parts);
    this.#tree = frontier;
    this.#stored = open;
    this.#signatures = new SignatureIndex(frontier.size);
    this.#reader = new LedgerReader({
      parts: this.#parts,
      check: this.#check,
      recent: this.#recent,
      signatures: this.#signatures,
      lastSeqno: () => this.lastSeqno,
    });
    this.storedSeqno = frontier.size - 1;
    this.tornTail = recovered.tornTail;
  }

  /**
   * Makes what is there whole, or begins a new ledger. How long it takes does not depend on how much there is.
   * @throws LedgerDamagedError; errors of the disk as they are
   */
  static async open(options: LedgerOptions, dependencies: LedgerDependencies): Promise<Ledger> {
    const { directory, serviceId, chunkBytes = CHUNK_BYTES } = options;
    const recovered = await recoverLedger({ directory, serviceId, chunkBytes }, dependencies.disk);
    return new Ledger(options, dependencies, recovered);
  }

  /** Seqno of the newest entry appended; 0 for none. */
  get lastSeqno(): number {
    return this.#tree.size - 1;
  }

  /**
   * Goes on from a state of before: the next entry is `frontier.size`. What is on disk from there on is compared as it comes.
   * @param frontier of that state; not kept
   * @throws LedgerConflictError, LedgerDamagedError when the ledger on disk has another tree there, or ends before
   */
  resumeAt(frontier: MerkleFrontier): void {
    const { tape, chunks } = this.#parts;
    const { size } = frontier;
    if (size > tape.frontier.size) {
      const reason = `the ledger ends with seqno ${tape.lastSeqno}, the state to go on from is of ${size - 1}`;
      throw new LedgerDamagedError({ file: chunks.all.at(-1)?.path ?? chunks.directory, offset: 0, reason });
    }
    const own = this.#storedTree(size);
    if (own && !samePeaks(own.peaks(), frontier.peaks())) throw this.#differs({ from: 1, to: size - 1 });
    this.#tree = size === tape.frontier.size ? tape.frontier : frontier.clone();
    this.#signatures.restart(size);
  }

  /**
   * Takes the next committed entry. Its bytes are copied.
   * @throws LedgerConflictError, LedgerDamagedError when another one is on disk; LedgerWriteError after a failed write
   */
  append(entry: LedgerEntry): void {
    const { tape, writer } = this.#parts;
    if (writer.failure) throw writer.failure;
    const { seqno } = entry;
    if (seqno !== this.#tree.size) throw new RangeError(`seqno ${this.#tree.size} comes next, not ${seqno}`);
    const signed = entry.kind === 'signature' ? decodeSignatureEntry(readEntryFrame(entry.data).payload) : null;
    const leaf = hashLeaf(entry);
    if (this.#tree === tape.frontier) {
      const bytes = this.#encoder.encode(entry);
      tape.put(entry, bytes, leaf);
      this.#recent.put(seqno, bytes);
    } else this.#compare(seqno, leaf);
    if (signed) this.#signatures.note({ seqno, size: signed.size });
  }

  /** Of the tree over all that was appended. */
  root(): Uint8Array {
    return this.#tree.root();
  }

  /** What the root is the SHA-256 of. @throws RangeError before the first entry, and right after `resumeAt` to a perfect tree */
  rootChildren(): readonly [Uint8Array, Uint8Array] {
    const children = this.#tree.rootChildren();
    if (!children) throw new RangeError(`the children of the root of ${this.#tree.size} leaves are not known`);
    return children;
  }

  /** Does not change with what is appended later. */
  frontier(): MerkleFrontier {
    return this.#tree.clone();
  }

  /** Resolves when all that was appended is durable. @throws LedgerWriteError */
  flush(): Promise<void> {
    return this.#parts.writer.flush();
  }

  /** Resolves when what waits to be written is below its bound; whoever appends a lot must ask. @throws LedgerWriteError */
  drained(): Promise<void> {
    return this.#parts.writer.drained();
  }

  /** Undefined for what was not appended. @throws LedgerDamagedError */
  record(seqno: number): Promise<LedgerRecord | undefined> {
    return this.#reader.record(seqno);
  }

  /**
   * Encoded records from `from` on, whole ones, for a peer: at most `maxBytes` and at most 8 MiB of them, but one at least.
   * Empty when there is none. @throws LedgerDamagedError
   */
  records(from: number, maxBytes: number): Promise<Uint8Array> {
    return this.#reader.records(from, maxBytes);
  }

  /** All records from `from` on, up to what is the newest when it comes there. @throws LedgerDamagedError */
  readFrom(from: number): AsyncIterable<LedgerRecord> {
    return this.#reader.readFrom(from);
  }

  /** The first signature over a tree that holds the entry. @throws LedgerDamagedError */
  signatureCovering(seqno: number): Promise<FoundSignature | undefined> {
    return this.#reader.signatureCovering(seqno);
  }

  /** Undefined for what was not appended, and while no signature covers it. @throws LedgerDamagedError */
  receiptParts(seqno: number): Promise<ReceiptParts | undefined> {
    return this.#reader.receiptParts(seqno);
  }

  /**
   * Replaces a closed chunk, named by its first seqno, by the records of a peer, and puts right what is damaged of its
   * part of the tree. They must lead to the tree that follows.
   * @throws LedgerRepairError when the peer sends something else; then nothing is changed
   */
  async repair(first: number, fetch: FetchRecords): Promise<void> {
    const chunk = this.#parts.chunks.beginning(first);
    if (!chunk || chunk.last === null) throw new RangeError(`no closed chunk begins with seqno ${first}`);
    await repairChunk({ disk: this.#disk, parts: this.#parts, check: this.#check }, chunk, chunk.last, fetch);
  }

  /** Writes and syncs what is left. Readers must have ended. */
  async close(): Promise<void> {
    const { writer, files, derived } = this.#parts;
    await writer.close();
    await files.close();
    await derived.close();
  }

  #compare(seqno: number, leaf: Uint8Array): void {
    const { tape } = this.#parts;
    const first = this.#stored?.header.header.first ?? Number.POSITIVE_INFINITY;
    const known = this.#stored?.records[seqno - first];
    if (known && !sameBytes(known.leaf, leaf)) throw this.#differs({ from: seqno, to: seqno });
    this.#tree.append(leaf);
    const { size } = this.#tree;
    const own = size === first || size === tape.frontier.size ? this.#storedTree(size) : null;
    if (own && !samePeaks(own.peaks(), this.#tree.peaks())) throw this.#differs({ from: 1, to: size - 1 });
    if (size !== tape.frontier.size) return;
    this.#tree = tape.frontier;
    this.#stored = null;
  }

  /** The tree on disk as it was with so many leaves; null where that is not in memory. */
  #storedTree(size: number): MerkleFrontier | null {
    if (size === this.#parts.tape.frontier.size) return this.#parts.tape.frontier;
    if (!this.#stored || size < this.#stored.header.header.first) return null;
    const { header, records } = this.#stored;
    const tree = MerkleFrontier.of(header.header.first, header.header.peaks, sha256);
    for (const { leaf } of records.slice(0, size - tree.size)) tree.append(leaf);
    return tree.size === size ? tree : null;
  }

  /** What was written is there, but is something else than the log has; or what is there was never vouched for. */
  #differs(range: Readonly<{ from: number; to: number }>): LedgerConflictError | LedgerDamagedError {
    const unvouched = this.#stored?.records.find(({ standing, record }) => {
      return standing !== 'sound' && record.seqno >= range.from && record.seqno <= range.to;
    });
    if (!unvouched) return new LedgerConflictError(range, 'the ledger on disk has other entries than the log');
    const file = this.#parts.chunks.holding(unvouched.record.seqno)?.path ?? this.#parts.chunks.directory;
    const reason = `the record of seqno ${unvouched.record.seqno} is not what the log has`;
    return new LedgerDamagedError({ file, offset: unvouched.offset, reason });
  }
}
