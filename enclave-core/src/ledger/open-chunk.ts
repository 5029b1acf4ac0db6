/**
 * The newest chunk at start: how much of it is what was written. Records have no checksum of their own; what vouches for one is
 * the root in a later signature, or the leaf that was put into `tree.mmr` when it was written. What nothing vouches for beyond the
 * mark was never promised to be durable: it is cut, and comes again from the log. What is wrong before the mark is damage. Without
 * a mark the records count as durable, but for one that ends too early.
 */
import { readEntryFrame } from '@drawbridge/protocol/ledger/entry-frame';
import { MerkleFrontier } from '@drawbridge/protocol/ledger/merkle-tree';
import { decodeSignatureEntry } from '@drawbridge/protocol/ledger/signature-entry';
import { isProtocolError } from '@drawbridge/protocol/protocol-error';
import type { DiskFile } from '../consensus/log/disk.ts';
import { sha256 } from '../sha256.ts';
import { INCOMPLETE, type ReadHeader, type StoredRecord, scanRecords } from './chunk-reader.ts';
import { sameBytes } from './closed-chunks.ts';
import type { DerivedFiles } from './derived-files.ts';
import { LedgerDamagedError } from './ledger-errors.ts';
import { hashLeaf } from './record-encoder.ts';

/** `unknown`: nothing vouches for it. `doubtful`: `tree.mmr` says otherwise. */
type Standing = 'sound' | 'unknown' | 'doubtful';

/** A record without its data. */
export type OutlinedRecord = Readonly<{
  record: Pick<StoredRecord['record'], 'kind' | 'view' | 'seqno'>;
  offset: number;
  next: number;
  leaf: Uint8Array;
  /** The tree that a signature signs; null for other kinds, and for a signature that cannot be read. */
  signed: Readonly<{ size: number; root: Uint8Array }> | null;
}> & { standing: Standing };

/** Records that stay, and where they end. */
export type OpenChunkContents = Readonly<{ records: readonly OutlinedRecord[]; end: number }>;

type Opened = Readonly<{
  file: DiskFile;
  path: string;
  header: ReadHeader;
  derived: DerivedFiles;
  mark: number | null;
}>;

/** @throws LedgerDamagedError when something up to the mark is not what was written */
export async function readOpenChunk(opened: Opened): Promise<OpenChunkContents> {
  const { file, path, header, mark } = opened;
  const damaged = (offset: number, reason: string): LedgerDamagedError =>
    new LedgerDamagedError({ file: path, offset, reason });
  const { records, stop } = await outline(opened);
  const { first } = header.header;
  // In this order: a signature that is right settles what nothing else vouches for.
  const wrong = [stop, wrongSignature(records, header), unvouched(records, mark)];
  const earliest = wrong.filter((found) => found !== null).toSorted((a, b) => a.seqno - b.seqno)[0];
  if (earliest && !mayBeCut(earliest, mark)) throw damaged(earliest.offset, earliest.reason);
  const kept = earliest ? records.slice(0, earliest.seqno - first) : records;
  const last = first + kept.length - 1;
  if (mark !== null && last < mark) {
    throw damaged(file.size, `the chunk ends with seqno ${last}, but had been synced up to ${mark}`);
  }
  return { records: kept, end: kept.at(-1)?.next ?? header.bytes };
}

function mayBeCut({ seqno, reason }: Wrong, mark: number | null): boolean {
  return mark === null ? reason === INCOMPLETE : seqno > mark;
}

/** The first thing that is wrong. */
type Wrong = Readonly<{ seqno: number; offset: number; reason: string }>;

async function outline(opened: Opened): Promise<{ records: OutlinedRecord[]; stop: Wrong | null }> {
  const { file, header, derived } = opened;
  const { first } = header.header;
  const records: OutlinedRecord[] = [];
  const scan = scanRecords(file, { offset: header.bytes, end: file.size, seqno: first });
  for (;;) {
    const step = await scan.next();
    if (step.done) {
      const { offset, reason } = step.value;
      return { records, stop: reason === null ? null : { seqno: first + records.length, offset, reason } };
    }
    const seqno = first + records.length;
    const written = await derived.readLeaves(seqno, seqno + step.value.length - 1);
    for (const found of step.value) records.push(outlineOf(found, written(found.record.seqno)));
  }
}

function outlineOf({ record, offset, next }: StoredRecord, written: Uint8Array | undefined): OutlinedRecord {
  const { kind, view, seqno } = record;
  const leaf = hashLeaf(record);
  const standing = written === undefined ? 'unknown' : sameBytes(leaf, written) ? 'sound' : 'doubtful';
  const signed = kind === 'signature' ? signedTree(record.data) : null;
  return { record: { kind, view, seqno }, offset, next, leaf, signed, standing };
}

function signedTree(data: Uint8Array): OutlinedRecord['signed'] {
  try {
    const { size, root } = decodeSignatureEntry(readEntryFrame(data).payload);
    return { size, root };
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    return null;
  }
}

/** Compares each root that was signed with the tree of the records before it; those that a right one covers are sound. */
function wrongSignature(records: readonly OutlinedRecord[], { header }: ReadHeader): Wrong | null {
  const { first } = header;
  const covered = MerkleFrontier.of(first, header.peaks, sha256);
  for (const signature of records) {
    if (signature.record.kind !== 'signature') continue;
    const { signed } = signature;
    if (!signed || signed.size > signature.record.seqno) return wrongAt(signature, 'the signature cannot be read');
    if (signed.size <= covered.size) continue;
    const from = covered.size;
    const range = records.slice(from - first, signed.size - first);
    for (const { leaf } of range) covered.append(leaf);
    if (!sameBytes(covered.root(), signed.root)) {
      const reason = `the records do not lead to the root that was signed at seqno ${signature.record.seqno}`;
      return wrongAt(suspectOf([...range, signature]), reason);
    }
    for (const record of range) record.standing = 'sound';
  }
  return null;
}

/** Which of them is most likely the one that is wrong. */
function suspectOf(records: readonly OutlinedRecord[]): OutlinedRecord {
  const suspect =
    records.find(({ standing }) => standing === 'doubtful') ??
    records.find(({ standing }) => standing === 'unknown') ??
    records[0];
  if (!suspect) throw new RangeError('there is no record to suspect');
  return suspect;
}

/** The first record that is not known to be what was written. */
function unvouched(records: readonly OutlinedRecord[], mark: number | null): Wrong | null {
  const found = records.find(({ standing, record }) => {
    return standing === 'doubtful' || (standing === 'unknown' && mark !== null && record.seqno > mark);
  });
  return found ? wrongAt(found, 'the record is not the one of its leaf in tree.mmr, one of the two is damaged') : null;
}

function wrongAt({ record, offset }: OutlinedRecord, reason: string): Wrong {
  return { seqno: record.seqno, offset, reason };
}
