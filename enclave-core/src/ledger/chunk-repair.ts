/**
 * Puts the records of a peer in the place of a damaged chunk, once it is proven that they are the ones that stood there: each by
 * its leaf, or, since leaves rot as chunks do, all of them by the tree that they lead to.
 */
import { Buffer } from 'node:buffer';
import { encodeChunkHeader } from '@drawbridge/protocol/ledger/chunk';
import { encodeRecord, type LedgerRecord, MAX_RECORD_BODY_BYTES } from '@drawbridge/protocol/ledger/ledger-record';
import { MerkleFrontier } from '@drawbridge/protocol/ledger/merkle-tree';
import type { Disk, DiskFile } from '../consensus/log/disk.ts';
import { sha256 } from '../sha256.ts';
import type { ChunkCheck, LedgerParts } from './chunk-check.ts';
import { type Derived, derive, writeDerived } from './chunk-contents.ts';
import type { Chunk } from './chunk-list.ts';
import { tryDecode } from './chunk-reader.ts';
import { sameBytes } from './closed-chunks.ts';
import { LedgerRepairError } from './ledger-errors.ts';
import { hashLeaf } from './record-encoder.ts';

/** Whole encoded records from a seqno on, about so many bytes, from some peer. */
export type FetchRecords = (from: number, maxBytes: number) => Promise<Uint8Array>;

const FETCH_BYTES: number = 1024 * 1024;
/** Bytes of records that are not those of their leaves, which are written before the whole chunk proves or refutes them. */
const MAX_UNPROVEN_BYTES: number = 2 * MAX_RECORD_BODY_BYTES;

type Fetched = Readonly<{ record: LedgerRecord; bytes: Uint8Array }>;

export type RepairUses = Readonly<{ disk: Disk; parts: LedgerParts; check: ChunkCheck }>;

/**
 * @param last seqno with which the chunk, a closed one, ends
 * @throws LedgerRepairError when the peer sends something else; nothing is changed then. Errors of `fetch` as they are
 */
export async function repairChunk(
  { disk, parts, check }: RepairUses,
  chunk: Chunk,
  last: number,
  fetch: FetchRecords,
): Promise<void> {
  const { chunks, files, derived, tree, serviceId } = parts;
  const { first, path } = chunk;
  const peaks = await tree.peaks(first);
  const header = encodeChunkHeader({ serviceId, first, peaks });
  const temporary = `${path}.tmp`;
  const frontier = MerkleFrontier.of(first, peaks, sha256);
  const made: Derived[] = [];
  const unproven = new UnprovenRecords();
  const file = await disk.open(temporary, 'create');
  try {
    await file.write(header, 0);
    let end = header.length;
    while (frontier.size <= last) {
      const fetched = await fetchSome(frontier.size, last, fetch);
      const stored = await parts.tree.leaves(frontier.size, frontier.size + fetched.length - 1);
      const leaves = fetched.map(({ record, bytes }) => {
        const offset = end;
        end += bytes.length;
        const leaf = hashLeaf(record);
        if (!sameBytes(leaf, stored(record.seqno))) unproven.add(record.seqno, bytes.length);
        return { record, offset, leaf };
      });
      await writeAll(file, fetched, leaves[0]?.offset ?? end);
      made.push(derive(frontier, leaves));
    }
    if (!(await check.isTrue(frontier))) throw unproven.refusal(`the records from ${first} on do not lead to the tree`);
    await file.sync();
  } catch (error) {
    await file.close();
    await disk.remove(temporary);
    throw error;
  }
  await file.close();
  await disk.rename(temporary, path);
  await disk.syncDirectory(chunks.directory);
  await files.forget(path);
  for (const part of made) await writeDerived(derived, part);
  tree.forget();
}

function writeAll(file: DiskFile, fetched: readonly Fetched[], offset: number): Promise<void> {
  return file.write(Buffer.concat(fetched.map(({ bytes }) => bytes)), offset);
}

/** Records that are not those of their leaves: either a leaf is damaged, too, or a peer sent something else. */
class UnprovenRecords {
  #first: number | null = null;
  #bytes = 0;

  /** @throws LedgerRepairError where there are too many of them */
  add(seqno: number, bytes: number): void {
    this.#first ??= seqno;
    this.#bytes += bytes;
    if (this.#bytes > MAX_UNPROVEN_BYTES) throw this.refusal('');
  }

  /** @param otherwise what to say where every record is that of its leaf */
  refusal(otherwise: string): LedgerRepairError {
    const other = `a peer sent another record of seqno ${this.#first} than the tree has`;
    return new LedgerRepairError(this.#first === null ? otherwise : other);
  }
}

/** Records from `from` on, at least one and none behind `last`. */
async function fetchSome(from: number, last: number, fetch: FetchRecords): Promise<Fetched[]> {
  const answer = await fetch(from, FETCH_BYTES);
  const fetched: Fetched[] = [];
  for (let offset = 0; offset < answer.length && from + fetched.length <= last; ) {
    const read = tryDecode(answer, offset);
    if (typeof read === 'string') throw new LedgerRepairError(`a peer sent something that is no record: ${read}`);
    if (read.record.seqno !== from + fetched.length)
      throw new LedgerRepairError('a peer sent other records than asked for');
    fetched.push({ record: read.record, bytes: encodeRecord(read.record) });
    offset = read.next;
  }
  if (fetched.length === 0) throw new LedgerRepairError(`a peer has no records from seqno ${from} on`);
  return fetched;
}
