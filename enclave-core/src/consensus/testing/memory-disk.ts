/** A disk in memory. Tests look into `files` and change them as a crash or rot would. */
import { Buffer } from 'node:buffer';
import type { Disk, DiskFile, OpenMode } from '../log/disk.ts';
import { LogLockedError } from '../log/log-errors.ts';

export class MemoryDisk implements Disk {
  /** Contents by path. */
  readonly files = new Map<string, Buffer>();
  readonly #locked = new Set<string>();

  async open(path: string, mode: OpenMode): Promise<DiskFile> {
    const exists = this.files.has(path);
    if (mode === 'create' && exists) throw failure('EEXIST', path);
    if (mode !== 'create' && !exists) throw failure('ENOENT', path);
    if (mode === 'create') this.files.set(path, Buffer.alloc(0));
    // As with a descriptor, a rename does not matter to who has the file open.
    let held = this.#contents(path);
    let name = path;
    const locate = (): string => {
      if (this.files.get(name) === held) return name;
      for (const [other, bytes] of this.files) if (bytes === held) name = other;
      // Otherwise another descriptor made it longer or shorter.
      held = this.files.get(name) ?? held;
      return name;
    };
    const resize = (at: string, length: number): void => {
      const other = Buffer.alloc(length);
      held.copy(other);
      this.files.set(at, other);
      held = other;
    };
    return {
      size: held.length,
      read: async (position, length) => {
        locate();
        return Buffer.from(held.subarray(position, position + length));
      },
      write: async (bytes, position) => {
        const at = locate();
        if (position + bytes.length > held.length) resize(at, position + bytes.length);
        held.set(bytes, position);
      },
      truncate: async (length) => resize(locate(), length),
      sync: async () => undefined,
      close: async () => undefined,
    };
  }

  async list(directory: string): Promise<string[]> {
    const names = [...this.files.keys()].filter((path) => path.startsWith(`${directory}/`));
    return names.map((path) => path.slice(directory.length + 1)).sort();
  }

  async makeDirectory(): Promise<void> {}

  async rename(from: string, to: string): Promise<void> {
    this.files.set(to, this.#contents(from));
    this.files.delete(from);
  }

  async remove(path: string): Promise<void> {
    if (!this.files.delete(path)) throw failure('ENOENT', path);
  }

  async syncDirectory(): Promise<void> {}

  async lock(directory: string): Promise<{ release: () => Promise<void> }> {
    if (this.#locked.has(directory)) throw new LogLockedError(directory);
    this.#locked.add(directory);
    return { release: async () => void this.#locked.delete(directory) };
  }

  #contents(path: string): Buffer {
    const bytes = this.files.get(path);
    if (!bytes) throw failure('ENOENT', path);
    return bytes;
  }
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
