/** Reads one chunk file piece by piece, however large it is: the header, then batches of records. */
import { type FileHandle, open } from 'node:fs/promises';
import { type ChunkHeader, decodeChunkHeader, MAX_CHUNK_HEADER_BYTES } from '@drawbridge/protocol/ledger/chunk';
import {
  decodeRecord,
  type LedgerRecord,
  MAX_RECORD_BODY_BYTES,
  RECORD_LENGTH_BYTES,
} from '@drawbridge/protocol/ledger/ledger-record';
import { isProtocolError } from '@drawbridge/protocol/protocol-error';
import { CliError } from '../cli-error.ts';
import { reasonOf } from '../input-file.ts';
import type { Refusal } from '../refusal.ts';
import { refuseLedger } from './ledger-refusal.ts';

/** Bytes read at once; more where one record has more. */
const READ_BYTES: number = 2 ** 20;

/** Digests and data are views of what was read: whoever keeps one keeps a megabyte. */
export type PlacedRecord = Readonly<{ record: LedgerRecord; offset: number }>;

export type Batch = Readonly<{
  records: readonly PlacedRecord[];
  /** The file ended: `torn` bytes of a last record that is not whole. */
  end?: Readonly<{ torn: number }>;
  /** Here is no record; nothing after `records` can be read. */
  refusal?: Refusal;
  /** Behind the last record. */
  offset: number;
}>;

export class ChunkReader {
  readonly #file: FileHandle;
  readonly #name: string;
  #kept: Uint8Array = new Uint8Array(0);
  /** Of `#kept` in the file. */
  #offset = 0;
  #ended = false;

  private constructor(file: FileHandle, name: string) {
    this.#file = file;
    this.#name = name;
  }

  /** @throws CliError where it cannot be opened */
  static async open(path: string): Promise<ChunkReader> {
    try {
      return new ChunkReader(await open(path, 'r'), path);
    } catch (cause) {
      const moved = 'a running node closes and renames its chunks, so verify a copy';
      throw new CliError('FILE', `${path} cannot be read: ${reasonOf(cause)} (${moved})`, { cause });
    }
  }

  /** First, and once. `torn`: the file ends before its header does. */
  async header(): Promise<ChunkHeader | 'torn' | Refusal> {
    await this.#fill(MAX_CHUNK_HEADER_BYTES);
    try {
      const decoded = decodeChunkHeader(this.#kept);
      if (decoded === 'torn') return 'torn';
      this.#drop(decoded.next);
      return decoded.header;
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      return refuseLedger('header', 'HEADER_INVALID', error.message);
    }
  }

  /** The next records, at least one unless the file ends or is damaged. */
  async batch(): Promise<Batch> {
    await this.#fill(READ_BYTES);
    for (;;) {
      const batch = this.#decode();
      if (batch.records.length > 0 || batch.refusal || batch.end) return batch;
      await this.#fill(this.#wanted());
    }
  }

  /** Bytes read and not yet understood. */
  get keptBytes(): number {
    return this.#kept.length;
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  #decode(): Batch {
    const bytes = this.#kept;
    const records: PlacedRecord[] = [];
    const start = this.#offset;
    let at = 0;
    let refusal: Refusal | undefined;
    try {
      for (;;) {
        const decoded = decodeRecord(bytes, at);
        if (decoded === 'torn') break;
        records.push({ record: decoded.record, offset: start + at });
        at = decoded.next;
      }
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      refusal = refuseLedger('record', 'RECORD_INVALID', error.message);
    }
    this.#drop(at);
    const torn = this.#kept.length;
    const ended = this.#ended && refusal === undefined;
    return { records, offset: this.#offset, ...(refusal && { refusal }), ...(ended && { end: { torn } }) };
  }

  /** Bytes of the record that is not here whole. */
  #wanted(): number {
    const { buffer, byteOffset, length } = this.#kept;
    if (length < RECORD_LENGTH_BYTES) return READ_BYTES;
    const body = new DataView(buffer, byteOffset).getUint32(0);
    return RECORD_LENGTH_BYTES + Math.min(body, MAX_RECORD_BODY_BYTES);
  }

  #drop(bytes: number): void {
    this.#kept = this.#kept.subarray(bytes);
    this.#offset += bytes;
  }

  /** Reads until `bytes` are kept or the file ends. */
  async #fill(bytes: number): Promise<void> {
    if (this.#ended || this.#kept.length >= bytes) return;
    const next = new Uint8Array(bytes);
    next.set(this.#kept, 0);
    let filled = this.#kept.length;
    while (filled < bytes) {
      const { bytesRead } = await this.#read(next, filled);
      if (bytesRead === 0) {
        this.#ended = true;
        break;
      }
      filled += bytesRead;
    }
    this.#kept = next.subarray(0, filled);
  }

  async #read(into: Uint8Array, from: number): Promise<{ bytesRead: number }> {
    const position = this.#offset + from;
    try {
      return await this.#file.read(into, from, into.length - from, position);
    } catch (cause) {
      throw new CliError('FILE', `${this.#name} cannot be read: ${reasonOf(cause)}`, { cause });
    }
  }
}
