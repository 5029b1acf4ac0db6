/** What a node's ledger says that a run wrote: the entries of settlement, as Raft had them. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeChunkHeader, parseChunkName } from '@drawbridge/protocol/ledger/chunk';
import { decodeRecord, type LedgerRecord } from '@drawbridge/protocol/ledger/ledger-record';

/** Bytes of entries that are kept; a run that wrote more is known by its first. */
const MAX_BYTES = 64 * 2 ** 20;

/** `all`: in the run. `kept`: those in the file, which are the first. */
export type Written = Readonly<{ all: number; allBytes: number; kept: number; keptBytes: number }>;

/**
 * Writes entries of settlement with `after` < seqno ≤ `last` to `file`, each behind its length (u32, big-endian).
 * @throws where the disk does not have `last` yet: the ledger is written behind
 */
export async function keepWritten(
  dir: string,
  { after, last }: Readonly<{ after: number; last: number }>,
  file: string,
): Promise<Written> {
  const ledger = join(dir, 'ledger');
  const parts: Uint8Array[] = [];
  let [all, allBytes, kept, keptBytes, newest] = [0, 0, 0, 0, 0];
  const chunks = (await readdir(ledger)).flatMap((name) => {
    const parsed = parseChunkName(name);
    return parsed && parsed.first <= last && (parsed.last ?? last) > after ? [{ name, first: parsed.first }] : [];
  });
  for (const { name } of chunks.sort((a, b) => a.first - b.first)) {
    for (const { kind, seqno, data } of recordsOf(await readFile(join(ledger, name)))) {
      newest = Math.max(newest, seqno);
      if (kind !== 'settlement' || seqno <= after || seqno > last) continue;
      all += 1;
      allBytes += data.length;
      if (keptBytes + data.length > MAX_BYTES) continue;
      kept += 1;
      keptBytes += data.length;
      const length = Buffer.alloc(4);
      length.writeUInt32BE(data.length);
      parts.push(length, data);
    }
  }
  if (newest < last) throw new Error(`the ledger on the disk ends at ${newest}`);
  await writeFile(file, Buffer.concat(parts));
  return { all, allBytes, kept, keptBytes };
}

function* recordsOf(bytes: Uint8Array): Generator<LedgerRecord> {
  const head = decodeChunkHeader(bytes);
  if (head === 'torn') return;
  for (let at = head.next; ; ) {
    const decoded = decodeRecord(bytes, at);
    if (decoded === 'torn') return;
    at = decoded.next;
    yield decoded.record;
  }
}
