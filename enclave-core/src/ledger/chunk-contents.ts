/** What the records of a chunk come to: nodes of the tree and slots of the index, from its peaks on. */
import { Buffer } from 'node:buffer';
import type { LedgerRecord } from '@drawbridge/protocol/ledger/ledger-record';
import { type MerkleFrontier, mmrSize } from '@drawbridge/protocol/ledger/merkle-tree';
import type { DiskFile } from '../consensus/log/disk.ts';
import type { Chunk } from './chunk-list.ts';
import { scanRecords } from './chunk-reader.ts';
import { type DerivedFiles, encodeSlot, SLOT_BYTES } from './derived-files.ts';
import { LedgerDamagedError } from './ledger-errors.ts';
import { hashLeaf } from './record-encoder.ts';

export type Derived = Readonly<{ seqno: number; nodes: Buffer; slots: Buffer }>;

/** A record's place, and its leaf. */
export type Leaf = Readonly<{ record: Pick<LedgerRecord, 'view' | 'kind'>; offset: number; leaf: Uint8Array }>;

/** Appends the leaves to `frontier`. */
export function derive(frontier: MerkleFrontier, leaves: readonly Leaf[]): Derived {
  const seqno = frontier.size;
  const nodes: Uint8Array[] = [];
  const slots = Buffer.alloc(leaves.length * SLOT_BYTES);
  for (const [at, { record, offset, leaf }] of leaves.entries()) {
    nodes.push(...frontier.append(leaf));
    encodeSlot(slots, at * SLOT_BYTES, { view: record.view, kind: record.kind, offset });
  }
  return { seqno, nodes: Buffer.concat(nodes), slots };
}

export async function writeDerived(files: DerivedFiles, { seqno, nodes, slots }: Derived): Promise<void> {
  await files.writeNodes(mmrSize(seqno), nodes);
  await files.writeSlots(seqno, slots);
}

/**
 * Reads the records of a chunk up to `last`, which must end at `end`, and appends every leaf to `frontier`.
 * @param take gets what each piece comes to
 * @throws LedgerDamagedError when it is not so
 */
export async function readRecords(
  file: DiskFile,
  chunk: Chunk,
  range: Readonly<{ headerBytes: number; end: number; last: number }>,
  frontier: MerkleFrontier,
  take: (derived: Derived, leaves: readonly Leaf[]) => Promise<void>,
): Promise<void> {
  const scan = scanRecords(file, { offset: range.headerBytes, end: range.end, seqno: chunk.first });
  for (;;) {
    const step = await scan.next();
    if (!step.done) {
      const leaves = step.value.map(({ record, offset }) => ({ record, offset, leaf: hashLeaf(record) }));
      await take(derive(frontier, leaves), leaves);
      continue;
    }
    const { offset, reason } = step.value;
    if (reason === null && frontier.size - 1 === range.last) return;
    const found = reason ?? `the chunk ends with seqno ${frontier.size - 1} instead of ${range.last}`;
    throw new LedgerDamagedError({ file: chunk.path, offset, reason: found });
  }
}
