/** All records of a folder of chunk files, in memory: for small, recorded ledgers. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeChunkHeader, parseChunkName } from '@drawbridge/protocol/ledger/chunk';
import { decodeRecord, type LedgerRecord } from '@drawbridge/protocol/ledger/ledger-record';

export function recordsIn(folder: string): LedgerRecord[] {
  const chunks = readdirSync(folder).flatMap((name) => {
    const parsed = parseChunkName(name);
    return parsed ? [{ name, first: parsed.first }] : [];
  });
  return chunks.sort((a, b) => a.first - b.first).flatMap(({ name }) => recordsOf(readFileSync(join(folder, name))));
}

function recordsOf(chunk: Uint8Array): LedgerRecord[] {
  const records: LedgerRecord[] = [];
  const header = decodeChunkHeader(chunk);
  if (header === 'torn') throw new Error('a chunk ends within its header');
  for (let offset = header.next; offset < chunk.length; ) {
    const read = decodeRecord(chunk, offset);
    if (read === 'torn') throw new Error('a chunk ends within a record');
    records.push(read.record);
    offset = read.next;
  }
  return records;
}
