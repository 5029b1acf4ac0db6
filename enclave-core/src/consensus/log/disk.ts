/** The few file operations that log and ledger need, as a port, so that tests can make them fail. */
import { Buffer } from 'node:buffer';
import { constants, type PathLike } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import { type DirectoryLock, lockDirectory } from './directory-lock.ts';

export interface DiskFile {
  /** Bytes when it was opened. */
  readonly size: number;
  /** All bytes from `position`, up to `length` or the end of the file. */
  read(position: number, length: number): Promise<Buffer>;
  /** Writes all bytes. In a `durable` file they are on disk when it resolves. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Cuts the file off at `length`, or fills it up to there with zeros. */
  truncate(length: number): Promise<void>;
  /** fsync. Must never be tried again after it failed: the kernel may have dropped the pages. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export type OpenMode = 'read' | 'create' | 'update' | 'durable';

export interface Disk {
  /**
   * `create`: new, empty, must not exist; `update`: exists, for reading and writing; `durable`: the same, and each write is
   * synchronous (O_DSYNC). Files have mode 0600.
   */
  open(path: string, mode: OpenMode): Promise<DiskFile>;
  /** Names in a folder, sorted. */
  list(directory: string): Promise<string[]>;
  /** With mode 0700; parents too. */
  makeDirectory(directory: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Makes creations, renames and removals in a folder durable. */
  syncDirectory(directory: string): Promise<void>;
  /** Keeps every other process out of the folder. @throws LogLockedError */
  lock(directory: string): Promise<DirectoryLock>;
}

const FLAGS: Readonly<Record<OpenMode, number>> = {
  read: constants.O_RDONLY,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
  update: constants.O_RDWR,
  durable: constants.O_RDWR | constants.O_DSYNC,
};

/** Bytes of one call: Node takes none of 2 GiB, and Linux never does more at once. */
const CALL_BYTES = 2 ** 30;

class NodeFile implements DiskFile {
  readonly #handle: FileHandle;
  readonly size: number;

  constructor(handle: FileHandle, size: number) {
    this.#handle = handle;
    this.size = size;
  }

  async read(position: number, length: number): Promise<Buffer> {
    const target = Buffer.alloc(length);
    let done = 0;
    while (done < length) {
      const wanted = Math.min(CALL_BYTES, length - done);
      const { bytesRead } = await this.#handle.read(target, done, wanted, position + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return target.subarray(0, done);
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const wanted = Math.min(CALL_BYTES, bytes.length - done);
      const { bytesWritten } = await this.#handle.write(bytes, done, wanted, position + done);
      done += bytesWritten;
    }
  }

  truncate(length: number): Promise<void> {
    return this.#handle.truncate(length);
  }

  sync(): Promise<void> {
    return this.#handle.sync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

export const nodeDisk: Disk = {
  async open(path, mode) {
    const handle = await open(path, FLAGS[mode], 0o600);
    return new NodeFile(handle, (await handle.stat()).size);
  },
  async list(directory) {
    return (await readdir(directory)).sort();
  },
  async makeDirectory(directory) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  },
  rename: (from: PathLike, to: PathLike) => rename(from, to),
  remove: (path: PathLike) => unlink(path),
  async syncDirectory(directory) {
    const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  lock: lockDirectory,
};
