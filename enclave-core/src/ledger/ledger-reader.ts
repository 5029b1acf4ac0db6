/** Reads the ledger back. Whatever comes from the disk is compared with the tree before anyone gets it. */
import { Buffer } from 'node:buffer';
import { readEntryFrame } from '@drawbridge/protocol/ledger/entry-frame';
import { ledgerKind } from '@drawbridge/protocol/ledger/ledger-kind';
import {
  decodeRecord,
  type LedgerRecord,
  MAX_RECORD_BODY_BYTES,
  RECORD_LENGTH_BYTES,
} from '@drawbridge/protocol/ledger/ledger-record';
import {
  auditPathPositions,
  foldPath,
  mmrPosition,
  type PathStep,
  readAuditPath,
} from '@drawbridge/protocol/ledger/merkle-tree';
import { decodeSignatureEntry, type SignatureEntry } from '@drawbridge/protocol/ledger/signature-entry';
import { sha256 } from '../sha256.ts';
import type { ChunkCheck, LedgerParts } from './chunk-check.ts';
import type { Chunk } from './chunk-list.ts';
import { tryDecode } from './chunk-reader.ts';
import { sameBytes } from './closed-chunks.ts';
import { decodeSlot, SLOT_BYTES, type Slot } from './derived-files.ts';
import { LedgerDamagedError } from './ledger-errors.ts';
import type { RecentRecords } from './recent-records.ts';
import { hashLeaf } from './record-encoder.ts';
import type { SignatureIndex } from './signature-index.ts';

/** Bytes that `records` gives at most, but for one record that is longer. */
export const MAX_RECORDS_BYTES: number = 8 * 1024 * 1024;
/** How far behind an entry its signature is looked for; a leader signs after 1,000 at the latest. */
const MAX_SIGNATURE_SEARCH = 50_000;
const SEARCH_SLOTS = 2_048;
/** Enough for most records. */
const PROBE_BYTES = 4_096;
const READ_BYTES: number = 1024 * 1024;

export type FoundSignature = Readonly<{ seqno: number; entry: SignatureEntry }>;

export type ReceiptParts = Readonly<{ record: LedgerRecord; path: PathStep[]; signature: SignatureEntry }>;

export type LedgerReaderDependencies = Readonly<{
  parts: LedgerParts;
  check: ChunkCheck;
  recent: RecentRecords;
  signatures: SignatureIndex;
  lastSeqno: () => number;
}>;

export class LedgerReader {
  readonly #uses: LedgerReaderDependencies;

  constructor(dependencies: LedgerReaderDependencies) {
    this.#uses = dependencies;
  }

  /** @throws LedgerDamagedError */
  async record(seqno: number): Promise<LedgerRecord | undefined> {
    if (!this.#has(seqno)) return undefined;
    const recent = this.#uses.recent.record(seqno);
    if (recent) return recent;
    const bytes = await this.#stored(seqno, (found) => this.#readOne(seqno, found));
    const read = decodeRecord(bytes, 0);
    if (read === 'torn') throw new RangeError(`record ${seqno} was read in part`);
    return read.record;
  }

  /** @throws LedgerDamagedError */
  async records(from: number, maxBytes: number): Promise<Uint8Array> {
    if (!this.#has(from)) return new Uint8Array();
    const most = Math.min(maxBytes, MAX_RECORDS_BYTES);
    if (!this.#uses.recent.has(from)) return this.#stored(from, (chunk) => this.#readMany(from, most, chunk));
    const parts: Uint8Array[] = [];
    let total = 0;
    for (let seqno = from; this.#has(seqno); seqno++) {
      const bytes = this.#uses.recent.get(seqno);
      if (!bytes || (parts.length > 0 && total + bytes.length > most)) break;
      parts.push(bytes);
      total += bytes.length;
    }
    return Buffer.concat(parts);
  }

  /** Up to what is the last record when it comes there. @throws LedgerDamagedError */
  async *readFrom(from: number): AsyncGenerator<LedgerRecord, void, undefined> {
    let seqno = from;
    for (;;) {
      const bytes = await this.records(seqno, READ_BYTES);
      if (bytes.length === 0) return;
      for (let offset = 0; offset < bytes.length; seqno++) {
        const read = decodeRecord(bytes, offset);
        if (read === 'torn') throw new RangeError(`record ${seqno} was read in part`);
        yield read.record;
        offset = read.next;
      }
    }
  }

  /** The first signature over a tree with that leaf. @throws LedgerDamagedError */
  async signatureCovering(seqno: number): Promise<FoundSignature | undefined> {
    if (!this.#has(seqno)) return undefined;
    const { signatures } = this.#uses;
    const found = seqno + 1 < signatures.from ? await this.#searchSignature(seqno) : undefined;
    if (found) return found;
    const known = signatures.covering(seqno);
    return known && this.#signatureAt(known.seqno);
  }

  /** @throws LedgerDamagedError */
  async receiptParts(seqno: number): Promise<ReceiptParts | undefined> {
    const record = await this.record(seqno);
    const found = record && (await this.signatureCovering(seqno));
    if (!record || !found) return undefined;
    const { entry: signature } = found;
    const leaf = hashLeaf(record);
    const path = await this.#path(seqno, signature, leaf);
    return { record, path, signature };
  }

  async #path(seqno: number, { size, root }: SignatureEntry, leaf: Uint8Array): Promise<PathStep[]> {
    const { tree, chunks, derived } = this.#uses.parts;
    const read = (): Promise<PathStep[]> => readAuditPath(seqno, size, (positions) => tree.read(positions), sha256);
    const leads = (path: PathStep[]): boolean => sameBytes(foldPath(leaf, path, sha256), root);
    const path = await read();
    if (leads(path)) return path;
    const positions = auditPathPositions(seqno, size);
    const damaged = new Set(positions.map((position) => chunks.holding(leafCompleting(position))));
    for (const chunk of damaged) if (chunk) await this.#uses.check.heal(chunk);
    const healed = await read();
    if (leads(healed)) return healed;
    const reason = `the tree does not lead from seqno ${seqno} to the root that was signed over ${size} leaves`;
    throw new LedgerDamagedError({ file: derived.treePath, offset: mmrPosition(seqno) * 32, reason });
  }

  #has(seqno: number): boolean {
    return Number.isSafeInteger(seqno) && seqno >= 1 && seqno <= this.#uses.lastSeqno();
  }

  /** Reads from the chunk that holds a record; when that fails, once more after tree and index were made again from it. */
  async #stored<T>(seqno: number, read: (chunk: Chunk) => Promise<T | null>): Promise<T> {
    const { chunks, writer } = this.#uses.parts;
    if (seqno > writer.written) await writer.wrote(seqno);
    const chunk = chunks.holding(seqno);
    if (!chunk) throw new RangeError(`no chunk holds seqno ${seqno}`);
    const found = await read(chunk);
    if (found !== null) return found;
    await this.#uses.check.heal(chunk);
    const healed = await read(chunk);
    if (healed !== null) return healed;
    const reason = `what was read of seqno ${seqno} differs from one time to the next`;
    throw new LedgerDamagedError({ file: chunk.path, offset: 0, reason });
  }

  /** Null where it is not the record of the tree. */
  async #readOne(seqno: number, chunk: Chunk): Promise<Uint8Array | null> {
    const { files, tree } = this.#uses.parts;
    const slot = await this.#slot(seqno);
    if (!slot) return null;
    let bytes = await files.read(chunk, slot.offset, PROBE_BYTES);
    const length = bytes.length < RECORD_LENGTH_BYTES ? 0 : RECORD_LENGTH_BYTES + bytes.readUInt32BE(0);
    if (length > MAX_RECORD_BODY_BYTES + RECORD_LENGTH_BYTES) return null;
    if (length > bytes.length) bytes = await files.read(chunk, slot.offset, length);
    const read = tryDecode(bytes, 0);
    if (typeof read === 'string' || read.record.seqno !== seqno) return null;
    const [leaf] = await tree.read([mmrPosition(seqno)]);
    return sameBytes(hashLeaf(read.record), leaf) ? bytes.subarray(0, read.next) : null;
  }

  async #readMany(from: number, maxBytes: number, chunk: Chunk): Promise<Uint8Array | null> {
    const { files, tree, writer } = this.#uses.parts;
    const slot = await this.#slot(from);
    if (!slot) return null;
    const last = Math.min(chunk.last ?? writer.written, this.#uses.lastSeqno());
    const bytes = await files.read(chunk, slot.offset, Math.max(maxBytes, PROBE_BYTES));
    const found: LedgerRecord[] = [];
    let end = 0;
    while (from + found.length <= last) {
      const read = tryDecode(bytes, end);
      if (read === 'torn' || (typeof read !== 'string' && found.length > 0 && read.next > maxBytes)) break;
      if (typeof read === 'string' || read.record.seqno !== from + found.length) return null;
      found.push(read.record);
      end = read.next;
    }
    if (found.length === 0) return this.#readOne(from, chunk);
    const leaf = await tree.leaves(from, from + found.length - 1);
    const isTrue = found.every((record) => sameBytes(hashLeaf(record), leaf(record.seqno)));
    return isTrue ? bytes.subarray(0, end) : null;
  }

  async #slot(seqno: number): Promise<Slot | null> {
    return decodeSlot(await this.#uses.parts.derived.readSlots(seqno, 1), 0);
  }

  /** Slots of one chunk from a seqno on. */
  async #slots(from: number, end: number, chunk: Chunk): Promise<{ slots: Buffer; held: number } | null> {
    const held = Math.min(SEARCH_SLOTS, end - from, (chunk.last ?? Number.POSITIVE_INFINITY) - from + 1);
    const slots = await this.#uses.parts.derived.readSlots(from, held);
    for (let at = 0; at < held; at++) if (!decodeSlot(slots, at * SLOT_BYTES)) return null;
    return { slots, held };
  }

  /** Among those that are on disk only. */
  async #searchSignature(leaf: number): Promise<FoundSignature | undefined> {
    const { signatures } = this.#uses;
    const end = Math.min(signatures.from, leaf + 1 + MAX_SIGNATURE_SEARCH, this.#uses.lastSeqno() + 1);
    for (let from = leaf + 1, count = 0; from < end; from += count) {
      const { slots, held } = await this.#stored(from, (chunk) => this.#slots(from, end, chunk));
      count = held;
      for (let at = 0; at < count; at++) {
        if (decodeSlot(slots, at * SLOT_BYTES)?.kindNumber !== ledgerKind.signature) continue;
        const found = await this.#signatureAt(from + at);
        if (found && found.entry.size > leaf) return found;
      }
    }
    return undefined;
  }

  async #signatureAt(seqno: number): Promise<FoundSignature | undefined> {
    const record = await this.record(seqno);
    if (record?.kind !== 'signature') return undefined;
    return { seqno, entry: decodeSignatureEntry(readEntryFrame(record.data).payload) };
  }
}

/** The leaf whose appending completed a node. */
function leafCompleting(position: number): number {
  let [low, high] = [0, position + 1];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (mmrPosition(middle) <= position) low = middle;
    else high = middle;
  }
  return low;
}
