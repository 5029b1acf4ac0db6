/**
 * Two copies of a ledger, each sound by itself: whether one goes on where the other ends, or nodes of the service signed two
 * histories.
 */

import { readEntryFrame } from '@drawbridge/protocol/ledger/entry-frame';
import type { LedgerKind } from '@drawbridge/protocol/ledger/ledger-kind';
import { type LedgerRecord, leafOf } from '@drawbridge/protocol/ledger/ledger-record';
import { decodeSignatureEntry } from '@drawbridge/protocol/ledger/signature-entry';
import { hexOf, sameBytes } from '../bytes.ts';
import type { FolderAudit } from './audit-folder.ts';
import type { ChunkFile } from './chunk-folder.ts';
import { ChunkReader } from './chunk-reader.ts';
import { sha256 } from './sha256.ts';

/** What one copy has at the seqno, and the first signature there that covers it. */
export type ForkSide = Readonly<{
  folder: string;
  view: number;
  kind: LedgerKind;
  leaf: string;
  signature: Readonly<{ seqno: number; view: number; nodeId: string; root: string }>;
}>;

export type Comparison =
  /** The same up to `seqno`, where the shorter of the two ends. */
  | Readonly<{ type: 'same'; seqno: number }>
  /** They differ from `seqno` on, where at least one of them is not yet signed. */
  | Readonly<{ type: 'unsigned'; seqno: number }>
  | Readonly<{ type: 'fork'; seqno: number; sides: readonly [ForkSide, ForkSide] }>;

export async function compareLedgers(a: FolderAudit, b: FolderAudit): Promise<Comparison> {
  const [ours, theirs] = [recordsOf(a.chunks), recordsOf(b.chunks)];
  try {
    for (let seqno = 0; ; ) {
      const [left, right] = [await ours.next(), await theirs.next()];
      if (left.done || right.done) return { type: 'same', seqno };
      seqno = left.value.seqno;
      if (sameRecord(left.value, right.value)) continue;
      const signed = (audit: FolderAudit): boolean => seqno < (audit.facts.signature?.size ?? 0);
      if (!signed(a) || !signed(b)) return { type: 'unsigned', seqno };
      return { type: 'fork', seqno, sides: [await side(a, left.value, ours), await side(b, right.value, theirs)] };
    }
  } finally {
    await ours.return(undefined);
    await theirs.return(undefined);
  }
}

const sameRecord = (a: LedgerRecord, b: LedgerRecord): boolean =>
  a.seqno === b.seqno &&
  a.view === b.view &&
  a.kind === b.kind &&
  a.epoch === b.epoch &&
  sameBytes(a.commitEvidenceDigest, b.commitEvidenceDigest) &&
  sameBytes(a.claimsDigest, b.claimsDigest) &&
  sameBytes(a.data, b.data);

/** @param rest what follows `record`; its signatures were verified before */
async function side(
  { folder }: FolderAudit,
  record: LedgerRecord,
  rest: AsyncGenerator<LedgerRecord>,
): Promise<ForkSide> {
  const found = { folder, view: record.view, kind: record.kind, leaf: hexOf(leafOf(record, sha256)) };
  for await (const { kind, view, seqno, data } of rest) {
    if (kind !== 'signature') continue;
    const { size, nodeId, root } = decodeSignatureEntry(readEntryFrame(data).payload);
    if (size > record.seqno) return { ...found, signature: { seqno, view, nodeId, root: hexOf(root) } };
  }
  throw new Error(`the signature that covers seqno ${record.seqno} of ${folder} is gone`);
}

async function* recordsOf(chunks: readonly ChunkFile[]): AsyncGenerator<LedgerRecord, undefined> {
  for (const { path } of chunks) {
    const reader = await ChunkReader.open(path);
    try {
      if ((await reader.header()) === 'torn') continue;
      for (;;) {
        const { records, end, refusal } = await reader.batch();
        for (const { record } of records) yield record;
        if (end || refusal) break;
      }
    } finally {
      await reader.close();
    }
  }
}
