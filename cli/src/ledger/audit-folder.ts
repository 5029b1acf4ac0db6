/** One folder of a ledger from genesis to its end: files in order, each record through the audit and whoever else looks on. */
import type { LedgerRecord } from '@drawbridge/protocol/ledger/ledger-record';
import type { Refusal } from '../refusal.ts';
import type { ServiceCertificate } from './certificates.ts';
import { type ChunkFile, judgeOrder, listChunks } from './chunk-folder.ts';
import { ChunkReader } from './chunk-reader.ts';
import { type Audited, LedgerAudit, type LedgerFacts } from './ledger-audit.ts';
import { at, refuseLedger } from './ledger-refusal.ts';

/** Looks at each record once the audit took it. A refusal ends all. */
export type Watcher = (record: LedgerRecord, audited: Audited) => Refusal | undefined | Promise<Refusal | undefined>;

export type FolderAudit = Readonly<{
  folder: string;
  chunks: readonly ChunkFile[];
  facts: LedgerFacts;
  audit: LedgerAudit;
  /** Bytes of a last record that is not whole, at the end of the open chunk: cut off while it was written, or copied. */
  tornBytes: number;
  refusal?: Refusal;
}>;

/** @throws CliError where there is no ledger or it cannot be read */
export async function auditFolder(
  folder: string,
  service: ServiceCertificate,
  watchers: readonly Watcher[] = [],
): Promise<FolderAudit> {
  const chunks = await listChunks(folder);
  const audit = new LedgerAudit(service);
  let refusal = judgeOrder(chunks);
  let tornBytes = 0;
  for (const chunk of refusal ? [] : chunks) {
    const end = await auditChunk(chunk, audit, watchers);
    tornBytes = end.tornBytes;
    if (end.refusal) {
      refusal = at(chunk.name, end.refusal);
      break;
    }
  }
  return { folder, chunks, facts: audit.facts(), audit, tornBytes, ...(refusal && { refusal }) };
}

type ChunkEnd = Readonly<{ refusal?: Refusal; tornBytes: number }>;

async function auditChunk(chunk: ChunkFile, audit: LedgerAudit, watchers: readonly Watcher[]): Promise<ChunkEnd> {
  const reader = await ChunkReader.open(chunk.path);
  const refused = (refusal: Refusal): ChunkEnd => ({ refusal, tornBytes: 0 });
  try {
    const header = await reader.header();
    if (header === 'torn') {
      return chunk.last === undefined
        ? { tornBytes: reader.keptBytes }
        : refused(refuseLedger('closure', 'CHUNK_TORN', 'a closed chunk ends within its header'));
    }
    if ('ok' in header) return refused(header);
    if (header.first !== chunk.first) {
      return refused(refuseLedger('header', 'HEADER_NAME', `its header says that it begins at ${header.first}`));
    }
    const wrong = audit.beginChunk(header);
    if (wrong) return refused(wrong);
    return await auditRecords(reader, chunk, { audit, watchers });
  } finally {
    await reader.close();
  }
}

type Auditors = Readonly<{ audit: LedgerAudit; watchers: readonly Watcher[] }>;

async function auditRecords(reader: ChunkReader, chunk: ChunkFile, { audit, watchers }: Auditors): Promise<ChunkEnd> {
  for (;;) {
    const batch = await reader.batch();
    for (const { record, offset } of batch.records) {
      const place = `${chunk.name}, byte ${offset}, seqno ${record.seqno}`;
      const audited = audit.take(record);
      if ('ok' in audited) return { refusal: at(place, audited), tornBytes: 0 };
      for (const watch of watchers) {
        const answer = watch(record, audited);
        const refusal = answer instanceof Promise ? await answer : answer;
        if (refusal) return { refusal: at(place, refusal), tornBytes: 0 };
      }
    }
    if (batch.refusal) return { refusal: at(`${chunk.name}, byte ${batch.offset}`, batch.refusal), tornBytes: 0 };
    if (batch.end) return endChunk(chunk, batch.end.torn, audit);
  }
}

function endChunk({ last }: ChunkFile, tornBytes: number, audit: LedgerAudit): ChunkEnd {
  if (last === undefined) return { tornBytes };
  const refusal =
    tornBytes > 0
      ? refuseLedger('closure', 'CHUNK_TORN', `a closed chunk ends within a record, ${tornBytes} bytes after the last`)
      : audit.closeChunk(last);
  return { tornBytes: 0, ...(refusal && { refusal }) };
}
