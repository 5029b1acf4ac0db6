/**
 * A disk in memory that tells what was written from what is durable, and loses power when a test says so: of writes that
 * were not synced some sectors reach the disk, of changes to folders some. It can also lie about its syncs.
 */
import { Buffer } from 'node:buffer';
import type { Disk, DiskFile, OpenMode } from '../log/disk.ts';
import { LogLockedError } from '../log/log-errors.ts';

const SECTOR = 512;

/** A change to what is durable, not yet made: by sectors, because a disk writes these as a whole. */
type Pending = Readonly<{ position: number; bytes: Buffer } | { length: number }>;

class Inode {
  /** As programs see it. */
  live: Buffer = Buffer.alloc(0);
  /** As it is after a loss of power. */
  durable: Buffer = Buffer.alloc(0);
  pending: Pending[] = [];

  write(bytes: Uint8Array, position: number): void {
    this.live = withBytes(this.live, bytes, position);
    this.pending.push({ position, bytes: Buffer.from(bytes) });
  }

  truncate(length: number): void {
    this.live = cut(this.live, length);
    this.pending.push({ length });
  }

  /** `keep` says of each sector whether it reached the disk. */
  settle(keep: () => boolean): void {
    for (const change of this.pending) {
      if ('length' in change) {
        if (keep()) this.durable = cut(this.durable, change.length);
        continue;
      }
      for (let at = 0; at < change.bytes.length; ) {
        const end = Math.min(change.bytes.length, at + SECTOR - ((change.position + at) % SECTOR));
        if (keep()) this.durable = withBytes(this.durable, change.bytes.subarray(at, end), change.position + at);
        at = end;
      }
    }
    this.pending = [];
  }
}

function withBytes(content: Buffer, bytes: Uint8Array, position: number): Buffer {
  const larger = Buffer.alloc(Math.max(content.length, position + bytes.length));
  content.copy(larger);
  larger.set(bytes, position);
  return larger;
}

function cut(content: Buffer, length: number): Buffer {
  const other = Buffer.alloc(length);
  content.copy(other);
  return other;
}

export class PowerLost extends Error {
  override readonly name = 'PowerLost';
  readonly code = 'EIO' as const;
}

export class CrashDisk implements Disk {
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  #pendingNames: ((names: Map<string, Inode>) => void)[] = [];
  #locked = new Set<string>();
  #operationsLeft = Infinity;
  /** Number of operations so far that changed something, or made it durable. */
  operations = 0;
  /** While true, synchronous writes and syncs say that they are done and are not. */
  lying = false;

  /** Power goes in the middle of the operation after so many. */
  losePowerAfter(operations: number): void {
    this.#operationsLeft = operations;
  }

  /** What is there after the loss of power. `random` gives numbers from 0 to below 1. */
  restart(random: () => number): void {
    for (const change of this.#pendingNames) if (random() < 0.5) change(this.#durableNames);
    for (const inode of new Set([...this.#durableNames.values()])) {
      inode.settle(() => random() < 0.5);
      inode.live = Buffer.from(inode.durable);
    }
    this.#names = new Map(this.#durableNames);
    this.#pendingNames = [];
    this.#locked = new Set();
    this.#operationsLeft = Infinity;
  }

  /** What a program would read. */
  contents(path: string): Buffer {
    return this.#inode(path).live;
  }

  /** Total of what a program would see, in bytes. */
  get bytes(): number {
    return [...this.#names.values()].reduce((sum, { live }) => sum + live.length, 0);
  }

  async open(path: string, mode: OpenMode): Promise<DiskFile> {
    if (mode === 'create') {
      if (this.#names.has(path)) throw failure('EEXIST', path);
      const made = new Inode();
      this.#change((names) => names.set(path, made));
    }
    const inode = this.#inode(path);
    const settle = (): void => {
      if (!this.lying) inode.settle(() => true);
    };
    return {
      size: inode.live.length,
      read: async (position, length) => Buffer.from(inode.live.subarray(position, position + length)),
      write: async (bytes, position) => {
        const goesOn = this.#operationGoesOn();
        inode.write(bytes, position);
        if (!goesOn) throw new PowerLost(path);
        if (mode === 'durable') settle();
      },
      truncate: async (length) => {
        if (!this.#operationGoesOn()) throw new PowerLost(path);
        inode.truncate(length);
      },
      sync: async () => {
        if (!this.#operationGoesOn()) throw new PowerLost(path);
        settle();
      },
      close: async () => undefined,
    };
  }

  async list(directory: string): Promise<string[]> {
    const names = [...this.#names.keys()].filter((path) => path.startsWith(`${directory}/`));
    return names.map((path) => path.slice(directory.length + 1)).sort();
  }

  async makeDirectory(): Promise<void> {}

  async rename(from: string, to: string): Promise<void> {
    const inode = this.#inode(from);
    this.#change((names) => {
      names.set(to, inode);
      names.delete(from);
    });
  }

  async remove(path: string): Promise<void> {
    this.#inode(path);
    this.#change((names) => names.delete(path));
  }

  async syncDirectory(): Promise<void> {
    if (!this.#operationGoesOn()) throw new PowerLost('folder');
    if (this.lying) return;
    for (const change of this.#pendingNames.splice(0)) change(this.#durableNames);
  }

  async lock(directory: string): Promise<{ release: () => Promise<void> }> {
    if (this.#locked.has(directory)) throw new LogLockedError(directory);
    this.#locked.add(directory);
    return { release: async () => void this.#locked.delete(directory) };
  }

  #change(change: (names: Map<string, Inode>) => unknown): void {
    if (!this.#operationGoesOn()) throw new PowerLost('folder');
    change(this.#names);
    this.#pendingNames.push(change);
  }

  /** False: power went. */
  #operationGoesOn(): boolean {
    if (this.#operationsLeft < 0) throw new PowerLost('no power');
    this.operations += 1;
    this.#operationsLeft -= 1;
    return this.#operationsLeft >= 0;
  }

  #inode(path: string): Inode {
    const inode = this.#names.get(path);
    if (!inode) throw failure('ENOENT', path);
    return inode;
  }
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
