/** Log folders for tests: made under the system's temporary folder, removed after each test. */
import { Buffer } from 'node:buffer';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  FILE_LOG_STORE_DEFAULTS,
  FileLogStore,
  type FileLogStoreDependencies,
  type FileLogStoreOptions,
} from '../file-log-store.ts';
import type { StoredSnapshot } from '../ports.ts';
import { type Entry, entryType } from '../raft-types.ts';
import { seededEntropy } from './deterministic-host.ts';

export class TemporaryLogs {
  readonly #folders: string[] = [];
  readonly #stores: FileLogStore[] = [];

  folder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'drawbridge-log-'));
    this.#folders.push(folder);
    return folder;
  }

  async open(
    directory: string,
    options: Partial<FileLogStoreOptions> = {},
    dependencies: Partial<FileLogStoreDependencies> = {},
  ): Promise<FileLogStore> {
    const all = { ...FILE_LOG_STORE_DEFAULTS, segmentBytes: 16 * 1024, directory, ...options };
    const store = await FileLogStore.open(all, { entropy: seededEntropy(1), ...dependencies });
    this.#stores.push(store);
    return store;
  }

  async clean(): Promise<void> {
    for (const store of this.#stores.splice(0)) await store.close().catch(ignoreClosed);
    for (const folder of this.#folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  }
}

function ignoreClosed(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EBADF') throw error;
}

export function entry(index: number, term = 1, data: Uint8Array | string = `entry ${index} of term ${term}`): Entry {
  return { term, index, type: entryType.normal, data: typeof data === 'string' ? Buffer.from(data) : data };
}

/** With `bytes`, each entry has so many. */
export function range(from: number, to: number, term = 1, bytes?: number): Entry[] {
  const data = (index: number): Uint8Array | undefined => (bytes ? Buffer.alloc(bytes, index) : undefined);
  return Array.from({ length: to - from + 1 }, (_, at) => entry(from + at, term, data(from + at)));
}

/** In pieces of a few bytes. */
export function snapshotAt(index: number, term = 1, content = `state at ${index}`): StoredSnapshot {
  const confState = { voters: [1, 2], learners: [3], votersOutgoing: [], learnersNext: [], autoLeave: false };
  const bytes = Buffer.from(content);
  const pieces = function* (): Generator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += 5) yield bytes.subarray(at, at + 5);
  };
  return { index, term, confState, head: Buffer.from(`head at ${index}`), bytes: bytes.length, pieces };
}

/** With its pieces, read, in place of the way to them. */
export async function readOut(snapshot: StoredSnapshot | null): Promise<unknown> {
  if (!snapshot) return null;
  const pieces: string[] = [];
  for await (const piece of snapshot.pieces()) pieces.push(Buffer.from(piece).toString());
  return { ...snapshot, head: Buffer.from(snapshot.head).toString(), pieces };
}
