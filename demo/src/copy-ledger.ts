/** A copy of a node's ledger while the node runs: complete up to an entry, and a signature that covers it. */
import { copyFile, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeChunkHeader, parseChunkName } from '@drawbridge/protocol/ledger/chunk';
import { readEntryFrame } from '@drawbridge/protocol/ledger/entry-frame';
import { decodeRecord } from '@drawbridge/protocol/ledger/ledger-record';
import { decodeSignatureEntry } from '@drawbridge/protocol/ledger/signature-entry';

/** Records reach the disk a moment after they are answered. */
const PAUSE_MS = 50;
const LONGEST_WAIT_MS = 10_000;

export class LedgerCopyError extends Error {
  override readonly name = 'LedgerCopyError';
  readonly code = 'LEDGER_BEHIND';
}

/** Takes the place of what is in `to`. @throws LedgerCopyError where the disk does not have `covering` signed in time */
export async function copyLedger(
  from: string,
  to: string,
  covering: number,
  longestWaitMs: number = LONGEST_WAIT_MS,
): Promise<void> {
  const deadlineMs = performance.now() + longestWaitMs;
  for (;;) {
    await rm(to, { recursive: true, force: true });
    await mkdir(to, { recursive: true });
    if ((await copyOnce(from, to)) && (await signedLeaves(to)) > covering) return;
    if (performance.now() > deadlineMs) {
      throw new LedgerCopyError(`the ledger in ${from} has no signature over entry ${covering}`);
    }
    await delay(PAUSE_MS);
  }
}

/** False where a chunk was closed, and so got another name, meanwhile. */
async function copyOnce(from: string, to: string): Promise<boolean> {
  const names = (await readdir(from)).filter((name) => parseChunkName(name) !== undefined);
  try {
    for (const name of names) await copyFile(join(from, name), join(to, name));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** Leaves under the newest signature: entries below that seqno are covered. */
async function signedLeaves(dir: string): Promise<number> {
  const chunks = (await readdir(dir))
    .map((name) => ({ name, first: parseChunkName(name)?.first ?? 0 }))
    .sort((a, b) => b.first - a.first);
  for (const { name } of chunks) {
    const leaves = newestSignature(await readFile(join(dir, name)));
    if (leaves > 0) return leaves;
  }
  return 0;
}

/** Size of the tree that the last signature of a chunk is over; 0 without one. What is not whole at the end is left out. */
function newestSignature(chunk: Uint8Array): number {
  const header = decodeChunkHeader(chunk);
  let size = 0;
  for (let next = header === 'torn' ? chunk.length : header.next; next < chunk.length; ) {
    const decoded = decodeRecord(chunk, next);
    if (decoded === 'torn') break;
    const { kind, data } = decoded.record;
    if (kind === 'signature') ({ size } = decodeSignatureEntry(readEntryFrame(data).payload));
    next = decoded.next;
  }
  return size;
}
