/**
 * A disk with a page cache, for tests: what was not synced may be lost in part when the machine stops, in any combination of
 * sectors, and names that were not synced with their folder likewise, the later ones first.
 */
import { Buffer } from 'node:buffer';
import type { Disk, DiskFile, OpenMode } from '../../consensus/log/disk.ts';

const SECTOR_BYTES = 512;

type Change = { kind: 'write'; position: number; bytes: Buffer } | { kind: 'truncate'; length: number };
type Inode = { bytes: Buffer; synced: Buffer; pending: Change[] };
type Naming =
  | { kind: 'create'; path: string; inode: Inode }
  | { kind: 'rename'; from: string; to: string }
  | { kind: 'remove'; path: string };

/** Whole number from 0 to before `below`. */
export type Random = (below: number) => number;

/** Xorshift: the same numbers for the same seed. */
export function randomOf(seed: number): Random {
  let state = (Math.imul(seed + 1, 0x9e3779b9) | 1) >>> 0;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

export class CrashDisk implements Disk {
  readonly #names = new Map<string, Inode>();
  #syncedNames = new Map<string, Inode>();
  #namings: Naming[] = [];
  /** Changes that it still takes; then it stops, in the middle of the last. */
  changesLeft: number = Number.POSITIVE_INFINITY;
  /** Bytes that fit. */
  capacity: number = Number.POSITIVE_INFINITY;
  /** Code with which a sync fails. */
  syncFailure: string | null = null;
  changes = 0;
  opened = 0;
  mostOpened = 0;
  /** Bytes that were read, and files that were opened, since it was made. */
  bytesRead = 0;
  readonly syncs: string[] = [];

  /** Contents of a file as the system sees it, to look at or to change. */
  file(path: string): Buffer {
    return this.#inode(path).bytes;
  }

  paths(): string[] {
    return [...this.#names.keys()].sort();
  }

  /** All contents, by path. */
  contents(): Map<string, string> {
    return new Map(this.paths().map((path) => [path, this.file(path).toString('hex')]));
  }

  /** Puts a file there, synced. */
  put(path: string, bytes: Uint8Array): void {
    const inode = { bytes: Buffer.from(bytes), synced: Buffer.from(bytes), pending: [] };
    this.#names.set(path, inode);
    this.#syncedNames.set(path, inode);
  }

  delete(path: string): void {
    this.#names.delete(path);
    this.#syncedNames.delete(path);
  }

  /** What a process finds that starts after this one was killed; `random` null: nothing in the page cache is lost. */
  after(random: Random | null): CrashDisk {
    const next = new CrashDisk();
    const names = random ? new Map(this.#syncedNames) : this.#names;
    const kept = random ? random(this.#namings.length + 1) : 0;
    for (const naming of random ? this.#namings.slice(0, kept) : []) applyNaming(names, naming);
    for (const [path, inode] of names) next.put(path, random ? survivor(inode, random) : inode.bytes);
    return next;
  }

  /** As `after(null)`, but what was not synced is in the page cache only, and the system takes it for written, as after a sync that failed. */
  afterFailedSync(): CrashDisk {
    const next = this.after(null);
    for (const [path, inode] of this.#names) next.#inode(path).synced = Buffer.from(inode.synced);
    return next;
  }

  async open(path: string, mode: OpenMode): Promise<DiskFile> {
    if (mode === 'create') {
      if (this.#names.has(path)) throw failure('EEXIST', path);
      this.#change();
      const inode: Inode = { bytes: Buffer.alloc(0), synced: Buffer.alloc(0), pending: [] };
      this.#names.set(path, inode);
      this.#namings.push({ kind: 'create', path, inode });
    }
    const inode = this.#inode(path);
    this.opened += 1;
    this.mostOpened = Math.max(this.mostOpened, this.opened);
    let isOpen = true;
    return {
      size: inode.bytes.length,
      read: async (position, length) => {
        const bytes = Buffer.from(inode.bytes.subarray(position, position + length));
        this.bytesRead += bytes.length;
        return bytes;
      },
      write: async (bytes, position) => this.#write(inode, Buffer.from(bytes), position),
      truncate: async (length) => {
        this.#change();
        record(inode, { kind: 'truncate', length });
      },
      sync: async () => {
        this.#change();
        if (this.syncFailure) throw failure(this.syncFailure, path);
        this.syncs.push(path);
        inode.synced = inode.pending.reduce(applyChange, inode.synced);
        inode.pending = [];
      },
      close: async () => {
        if (isOpen) this.opened -= 1;
        isOpen = false;
      },
    };
  }

  async list(directory: string): Promise<string[]> {
    const names = this.paths().filter((path) => path.startsWith(`${directory}/`));
    return names.map((path) => path.slice(directory.length + 1));
  }

  async makeDirectory(): Promise<void> {}

  async rename(from: string, to: string): Promise<void> {
    this.#change();
    this.#name({ kind: 'rename', from, to });
  }

  async remove(path: string): Promise<void> {
    this.#inode(path);
    this.#change();
    this.#name({ kind: 'remove', path });
  }

  async syncDirectory(): Promise<void> {
    this.#change();
    this.#syncedNames = new Map(this.#names);
    this.#namings = [];
  }

  async lock(): Promise<{ release: () => Promise<void> }> {
    return { release: async () => undefined };
  }

  #name(naming: Naming): void {
    applyNaming(this.#names, naming);
    this.#namings.push(naming);
  }

  #write(inode: Inode, bytes: Buffer, position: number): void {
    this.changes += 1;
    if (this.changesLeft <= 0) throw failure('EIO', 'stopped');
    this.changesLeft -= 1;
    // The last write before the end comes through in part.
    const part = this.changesLeft === 0 ? bytes.subarray(0, bytes.length >> 1) : bytes;
    const used = [...this.#names.values()].reduce((sum, file) => sum + file.bytes.length, 0);
    const more = Math.max(0, position + part.length - inode.bytes.length);
    if (used + more > this.capacity) throw failure('ENOSPC', 'full');
    if (part.length > 0) record(inode, { kind: 'write', position, bytes: part });
    if (part.length < bytes.length) throw failure('EIO', 'stopped');
  }

  #change(): void {
    this.changes += 1;
    if (this.changesLeft <= 0) throw failure('EIO', 'stopped');
    this.changesLeft -= 1;
  }

  #inode(path: string): Inode {
    const inode = this.#names.get(path);
    if (!inode) throw failure('ENOENT', path);
    return inode;
  }
}

function record(inode: Inode, change: Change): void {
  inode.bytes = applyChange(inode.bytes, change);
  inode.pending.push(change);
}

function applyChange(bytes: Buffer, change: Change): Buffer {
  const length =
    change.kind === 'truncate' ? change.length : Math.max(bytes.length, change.position + change.bytes.length);
  const next = Buffer.alloc(length);
  bytes.copy(next);
  if (change.kind === 'write') change.bytes.copy(next, change.position);
  return next;
}

/** What of a file is left: what was synced, and of the rest some sectors. */
function survivor({ synced, pending }: Inode, random: Random): Buffer {
  let bytes = synced;
  for (const change of pending) {
    if (change.kind === 'truncate') {
      if (random(2) === 0) bytes = applyChange(bytes, change);
      continue;
    }
    const fate = random(3);
    if (fate === 0) continue;
    const { position, bytes: written } = change;
    for (let at = 0; at < written.length; ) {
      const sectorEnd = Math.min(written.length, at + SECTOR_BYTES - ((position + at) % SECTOR_BYTES));
      if (fate === 1 || random(2) === 0) {
        bytes = applyChange(bytes, { kind: 'write', position: position + at, bytes: written.subarray(at, sectorEnd) });
      }
      at = sectorEnd;
    }
  }
  return bytes;
}

function applyNaming(names: Map<string, Inode>, naming: Naming): void {
  if (naming.kind === 'create') names.set(naming.path, naming.inode);
  else if (naming.kind === 'remove') names.delete(naming.path);
  else {
    const inode = names.get(naming.from);
    if (!inode) throw failure('ENOENT', naming.from);
    names.delete(naming.from);
    names.set(naming.to, inode);
  }
}

function failure(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code });
}
