/** Reads of chunk files over a bounded number of descriptors. */
import type { Buffer } from 'node:buffer';
import type { Disk, DiskFile } from '../consensus/log/disk.ts';
import type { Chunk } from './chunk-list.ts';
import { isMissing } from './ledger-errors.ts';

/** Files that are open for reading at a time, and readers that are at work at a time. */
export const MAX_OPEN_CHUNKS = 8;

type Handle = { readonly file: Promise<DiskFile>; users: number };

export class ChunkFiles {
  readonly #disk: Disk;
  /** By path, least recently used first. */
  readonly #handles = new Map<string, Handle>();
  readonly #closing = new Set<Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  #readers = 0;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** Up to `length` bytes from `position` on; fewer at the end of the file. */
  read(chunk: Chunk, position: number, length: number): Promise<Buffer> {
    return this.use(chunk, (file) => file.read(position, length));
  }

  /**
   * Lends the file of a chunk. Its size is that of when it was opened, so for an open chunk the caller must know better.
   * The chunk may be closed, and so renamed, meanwhile.
   */
  async use<T>(chunk: Chunk, work: (file: DiskFile) => Promise<T>): Promise<T> {
    while (this.#readers >= MAX_OPEN_CHUNKS) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#readers += 1;
    try {
      const { path } = chunk;
      try {
        return await this.#lend(path, work);
      } catch (error) {
        if (!isMissing(error)) throw error;
        await chunk.renaming;
        if (chunk.path === path) throw error;
        return await this.#lend(chunk.path, work);
      }
    } finally {
      this.#readers -= 1;
      this.#waiting.shift()?.();
    }
  }

  /** To be called when the file at a path is another now. */
  async forget(path: string): Promise<void> {
    const handle = this.#handles.get(path);
    if (!handle) return;
    this.#handles.delete(path);
    if (handle.users === 0) await this.#close(handle);
  }

  /** Readers must have ended. */
  async close(): Promise<void> {
    for (const path of [...this.#handles.keys()]) await this.forget(path);
    await Promise.all(this.#closing);
  }

  async #lend<T>(path: string, work: (file: DiskFile) => Promise<T>): Promise<T> {
    const handle = await this.#acquire(path);
    try {
      return await work(await handle.file);
    } catch (error) {
      if (isMissing(error) && this.#handles.get(path) === handle) this.#handles.delete(path);
      throw error;
    } finally {
      handle.users -= 1;
      if (handle.users === 0 && this.#handles.get(path) !== handle) await this.#close(handle);
    }
  }

  async #acquire(path: string): Promise<Handle> {
    for (;;) {
      const present = this.#handles.get(path);
      if (present) {
        present.users += 1;
        this.#handles.delete(path);
        this.#handles.set(path, present);
        return present;
      }
      if (this.#handles.size + this.#closing.size < MAX_OPEN_CHUNKS) {
        const handle = { file: this.#disk.open(path, 'read'), users: 1 };
        this.#handles.set(path, handle);
        return handle;
      }
      // Not more readers than files, and this one has none: one of them is idle, or is being closed.
      const idle = [...this.#handles].find(([, { users }]) => users === 0);
      if (idle) await this.forget(idle[0]);
      else await Promise.race(this.#closing);
    }
  }

  #close(handle: Handle): Promise<void> {
    // A file that was only read loses nothing when closing it fails, and one that never opened needs no closing.
    const closing = handle.file
      .then((file) => file.close())
      .catch(() => undefined)
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
    return closing;
  }
}
