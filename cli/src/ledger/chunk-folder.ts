/** The chunk files of a folder: found by name, in order, without gap or overlap. What is in them is read elsewhere. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type ChunkName, parseChunkName } from '@drawbridge/protocol/ledger/chunk';
import { CliError } from '../cli-error.ts';
import { reasonOf } from '../input-file.ts';
import type { Refusal } from '../refusal.ts';
import { refuseLedger } from './ledger-refusal.ts';

export type ChunkFile = ChunkName & Readonly<{ name: string; path: string }>;

/** Files that are no chunks are passed over. @throws CliError where there is no ledger to judge */
export async function listChunks(folder: string): Promise<readonly ChunkFile[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (cause) {
    throw new CliError('FILE', `${folder} cannot be read: ${reasonOf(cause)}`, { cause });
  }
  const chunks = names.flatMap((name): ChunkFile[] => {
    const parsed = parseChunkName(name);
    return parsed ? [{ ...parsed, name, path: join(folder, name) }] : [];
  });
  if (chunks.length === 0) throw new CliError('FILE', `${folder} holds no chunk of a ledger`);
  return chunks.sort((a, b) => a.first - b.first || (a.last ?? 0) - (b.last ?? 0));
}

/** What is wrong with a folder of these files, in their order. */
export function judgeOrder(chunks: readonly ChunkFile[]): Refusal | undefined {
  const [begin] = chunks;
  if (begin && begin.first !== 1) {
    return refuseLedger(
      'folder',
      'CHUNK_MISSING',
      `the ledger begins at seqno 1, the first chunk here is ${begin.name}`,
    );
  }
  for (const [index, chunk] of chunks.entries()) {
    const next = chunks[index + 1];
    if (next === undefined) break;
    if (chunk.last === undefined) {
      return refuseLedger('folder', 'CHUNK_OVERLAP', `${chunk.name} is not closed, but ${next.name} follows`);
    }
    if (next.first <= chunk.last) {
      return refuseLedger('folder', 'CHUNK_OVERLAP', `${chunk.name} and ${next.name} overlap`);
    }
    if (next.first !== chunk.last + 1) {
      const missing = `seqnos ${chunk.last + 1} to ${next.first - 1} are missing`;
      return refuseLedger('folder', 'CHUNK_MISSING', `between ${chunk.name} and ${next.name} ${missing}`);
    }
  }
  return undefined;
}
