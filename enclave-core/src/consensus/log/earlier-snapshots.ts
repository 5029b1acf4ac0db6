/**
 * Snapshots that earlier lives of this node left: moved out of a log that goes, into a folder of their own, since the new log is
 * another's in Raft's eyes. Nothing here vouches for them; whoever reads one has to prove it.
 */
import type { StoredSnapshot } from '../ports.ts';
import type { Disk } from './disk.ts';
import { removeIfPresent } from './segment.ts';
import { readSnapshot, snapshotIndexes, snapshotName } from './snapshot-file.ts';

/** As many as a log keeps: the newest may be one whose proof a crash took. */
const KEPT = 2;

export class EarlierSnapshots {
  readonly #disk: Disk;
  readonly #directory: string;

  /** @param directory nothing else lives in it */
  constructor(disk: Disk, directory: string) {
    this.#disk = disk;
    this.#directory = directory;
  }

  /** Moves those of a log here, where it has any, and lets go of older ones. Durable when it resolves; may be done again after a crash. */
  async takeFrom(logDirectory: string): Promise<void> {
    const disk = this.#disk;
    const indexes = snapshotIndexes(await namesIn(disk, logDirectory));
    if (indexes.length === 0) return;
    await disk.makeDirectory(this.#directory);
    for (const index of indexes) await disk.rename(`${logDirectory}/${snapshotName(index)}`, this.#path(index));
    for (const index of (await this.#indexes()).slice(KEPT)) await removeIfPresent(disk, this.#path(index));
    await disk.syncDirectory(this.#directory);
    await disk.syncDirectory(logDirectory);
  }

  /** Those that can be read through as they were written, newest first. */
  async *whole(): AsyncGenerator<StoredSnapshot, void, void> {
    for (const index of await this.#indexes()) {
      const read = await readSnapshot(this.#disk, this.#path(index), null);
      if (typeof read !== 'string' && read.snapshot.index === index) yield read.snapshot;
    }
  }

  async discard(): Promise<void> {
    const indexes = await this.#indexes();
    for (const index of indexes) await removeIfPresent(this.#disk, this.#path(index));
    if (indexes.length > 0) await this.#disk.syncDirectory(this.#directory);
  }

  async #indexes(): Promise<number[]> {
    return snapshotIndexes(await namesIn(this.#disk, this.#directory));
  }

  #path(index: number): string {
    return `${this.#directory}/${snapshotName(index)}`;
  }
}

async function namesIn(disk: Disk, directory: string): Promise<string[]> {
  try {
    return await disk.list(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
