/**
 * A disk in memory that fails as disks do. Writes of a durable file and what `sync` covers are on the platter when the
 * call resolves; all else may vanish when the power goes, sector by sector. Names follow their folder's sync likewise.
 * The disk outlives the processes that use it: each has a session, which ends with it.
 */
import type { Buffer } from 'node:buffer';
import type { Disk, DiskFile, OpenMode } from '@drawbridge/enclave-core/consensus/log/disk';
import { LogLockedError } from '@drawbridge/enclave-core/consensus/log/log-errors';
import { Inode, SECTOR_BYTES } from './inode.ts';
import type { ProcessGate } from './process-gate.ts';
import type { Random } from './random.ts';
import type { Cancel, VirtualClock } from './virtual-clock.ts';

type Names = Map<string, Inode>;
type NameChange = Readonly<{ directory: string; apply: (names: Names) => void }>;
type Flight = Readonly<{ inode: Inode; position: number; length: number; before: Buffer }>;

export type DiskCounts = { lostSectors: number; tornWrites: number; lostNames: number };

export type SimDiskOptions = Readonly<{
  /** Mean time of a durable write and of a sync, in µs. */
  writeUs: number;
  syncUs: number;
}>;

/** What the platter held at some time. */
export type DiskImage = ReadonlyMap<string, Inode>;

const directoryOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));

export class SimDisk {
  /** No file can be made or grow. */
  full = false;
  /** So many times slower than usual. */
  slowness = 1;
  /** Writes and syncs that fail from now on. */
  failures = 0;
  /** One that will fail, or has failed, of the process that runs: it is about to end, however slow the disk is. */
  failing = false;
  /** Called once, when the next write or sync has begun; whoever set it may let the process end before it ends. */
  ambush: ((durationUs: number) => void) | undefined;
  /** A disk that lies: µs between the answer to a durable write and the platter. For planted bugs. */
  lateByUs = 0;
  readonly counts: DiskCounts = { lostSectors: 0, tornWrites: 0, lostNames: 0 };
  readonly #options: SimDiskOptions;
  readonly #clock: VirtualClock;
  readonly #random: Random;
  #live: Names = new Map();
  #stable: Names = new Map();
  #changes: NameChange[] = [];
  readonly #flights = new Set<Flight>();
  readonly #late = new Set<Cancel>();
  #lastLateUs = 0;
  readonly #locks = new Set<string>();

  constructor(options: SimDiskOptions, clock: VirtualClock, random: Random) {
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
  }

  session(gate: ProcessGate): Disk {
    return new DiskSession(this, gate);
  }

  /** The process is killed: the page cache stays, but a write under way may have reached it in part. */
  kill(): void {
    this.failing = false;
    for (const { inode, position, length, before } of this.#flights) {
      const whole = Math.ceil(length / SECTOR_BYTES);
      const done = this.#random.chance(0.5) ? whole : this.#random.below(whole);
      if (done === whole) continue;
      const at = done * SECTOR_BYTES - (done === 0 ? 0 : position % SECTOR_BYTES);
      if (at < before.length) inode.write(before.subarray(at), position + at);
      if (done > 0) this.counts.tornWrites += 1;
    }
    this.#flights.clear();
    this.#locks.clear();
  }

  /** The power goes: what no sync covered is there, gone or half there. */
  losePower(): void {
    this.failing = false;
    for (const cancel of this.#late) cancel();
    this.#late.clear();
    this.#flights.clear();
    this.#locks.clear();
    for (const change of this.#changes) {
      if (this.#random.chance(0.5)) change.apply(this.#stable);
      else this.counts.lostNames += 1;
    }
    this.#changes = [];
    this.#live = new Map(this.#stable);
    for (const inode of new Set(this.#live.values())) {
      if (!inode.isDirty) continue;
      // A disk that lies has a cache that it writes in order; from it nothing comes back.
      const share = this.lateByUs > 0 ? 0 : this.#random.pick([0, 0.1, 0.5, 0.9]);
      const { kept, lost } = inode.losePower(this.#random, share);
      this.counts.lostSectors += lost;
      if (kept > 0 && lost > 0) this.counts.tornWrites += 1;
    }
  }

  /** The folder is emptied, as an operator does for a node that joins anew. */
  wipe(): void {
    this.ambush = undefined;
    this.#live = new Map();
    this.#stable = new Map();
    this.#changes = [];
    this.#flights.clear();
    this.#locks.clear();
  }

  image(): DiskImage {
    return copied(this.#stable);
  }

  /** The host puts an old image back, while no process runs. */
  rollBack(image: DiskImage): void {
    this.wipe();
    this.#stable = copied(image);
    this.#live = new Map(this.#stable);
  }

  /** One to three bits of one sector; the frame format promises to see so many. Says where. */
  rot(): string | null {
    const files = [...this.#stable].filter(([path]) => !path.endsWith('.tmp')).sort(([a], [b]) => (a < b ? -1 : 1));
    if (files.length === 0) return null;
    const [path, inode] = this.#random.pick(files);
    const at = inode.rot(this.#random, this.#random.between(1, 3));
    return at === null ? null : `${path} at ${at}`;
  }

  get isEmpty(): boolean {
    return this.#live.size === 0;
  }

  /** @internal */
  lookUp(path: string): Inode {
    const inode = this.#live.get(path);
    if (!inode) throw failure('ENOENT', path);
    return inode;
  }

  /** @internal */
  create(path: string): Inode {
    if (this.#live.has(path)) throw failure('EEXIST', path);
    if (this.full) throw failure('ENOSPC', path);
    const inode = new Inode();
    this.#change(directoryOf(path), (names) => names.set(path, inode));
    return inode;
  }

  /** @internal */
  remove(path: string): void {
    this.lookUp(path);
    this.#change(directoryOf(path), (names) => names.delete(path));
  }

  /** @internal */
  rename(from: string, to: string): void {
    const inode = this.lookUp(from);
    this.#change(directoryOf(to), (names) => {
      if (names.get(from) === inode) names.delete(from);
      names.set(to, inode);
    });
  }

  /** @internal */
  syncNames(directory: string): void {
    const rest: NameChange[] = [];
    for (const change of this.#changes) {
      if (change.directory === directory) change.apply(this.#stable);
      else rest.push(change);
    }
    this.#changes = rest;
  }

  /** @internal */
  namesIn(directory: string): string[] {
    const prefix = `${directory}/`;
    const inside = [...this.#live.keys()].filter((path) => path.startsWith(prefix));
    return inside.map((path) => path.slice(prefix.length)).sort();
  }

  /** @internal */
  lock(directory: string): () => void {
    if (this.#locks.has(directory)) throw new LogLockedError(directory);
    this.#locks.add(directory);
    return () => this.#locks.delete(directory);
  }

  /** @internal Seen at once; on the platter when `arrived` is called. */
  launch(inode: Inode, bytes: Uint8Array, position: number): { arrived: () => void; dropped: () => void } {
    const flight = { inode, position, length: bytes.length, before: inode.read(position, bytes.length) };
    inode.write(bytes, position);
    this.#flights.add(flight);
    const arrive = (): void => inode.flush({ position, length: bytes.length });
    return {
      arrived: () => {
        this.#flights.delete(flight);
        if (this.lateByUs > 0) this.#later(arrive);
        else arrive();
      },
      dropped: () => this.#flights.delete(flight),
    };
  }

  #later(arrive: () => void): void {
    // In order: what is lost with the power is the end.
    const atUs = Math.max(this.#lastLateUs, this.#clock.nowUs + this.#random.exponential(this.lateByUs));
    this.#lastLateUs = atUs;
    const cancel = this.#clock.after(atUs - this.#clock.nowUs, 'platter', () => {
      this.#late.delete(cancel);
      arrive();
    });
    this.#late.add(cancel);
  }

  /** @internal Calls back through the gate; never when the process has ended. */
  wait(gate: ProcessGate, kind: 'write' | 'sync', done: () => void): void {
    const mean = kind === 'write' ? this.#options.writeUs : this.#options.syncUs;
    const delay = (mean / 4 + this.#random.exponential(mean)) * this.slowness;
    const { ambush } = this;
    this.ambush = undefined;
    ambush?.(delay);
    this.#clock.after(delay, `disk ${kind}`, () => gate.enter(done));
  }

  /** @internal */
  takeFailure(): boolean {
    if (this.failures === 0) return false;
    this.failures -= 1;
    this.failing = true;
    return true;
  }

  #change(directory: string, apply: (names: Names) => void): void {
    apply(this.#live);
    this.#changes.push({ directory, apply });
  }
}

class DiskSession implements Disk {
  readonly #disk: SimDisk;
  readonly #gate: ProcessGate;

  constructor(disk: SimDisk, gate: ProcessGate) {
    this.#disk = disk;
    this.#gate = gate;
  }

  async open(path: string, mode: OpenMode): Promise<DiskFile> {
    this.#live();
    const inode = mode === 'create' ? this.#disk.create(path) : this.#disk.lookUp(path);
    return new SimFile(this.#disk, this.#gate, inode, { path, durable: mode === 'durable' });
  }

  async list(directory: string): Promise<string[]> {
    this.#live();
    return this.#disk.namesIn(directory);
  }

  async makeDirectory(): Promise<void> {
    this.#live();
  }

  async rename(from: string, to: string): Promise<void> {
    this.#live();
    this.#disk.rename(from, to);
  }

  async remove(path: string): Promise<void> {
    this.#live();
    this.#disk.remove(path);
  }

  syncDirectory(directory: string): Promise<void> {
    this.#live();
    return new Promise((resolve) => {
      this.#disk.wait(this.#gate, 'sync', () => {
        this.#disk.syncNames(directory);
        resolve();
      });
    });
  }

  async lock(directory: string): Promise<{ release: () => Promise<void> }> {
    this.#live();
    const release = this.#disk.lock(directory);
    return { release: async () => release() };
  }

  #live(): void {
    if (!this.#gate.alive) throw new ProcessEndedError();
  }
}

class SimFile implements DiskFile {
  readonly size: number;
  readonly #disk: SimDisk;
  readonly #gate: ProcessGate;
  readonly #inode: Inode;
  readonly #path: string;
  readonly #durable: boolean;

  constructor(disk: SimDisk, gate: ProcessGate, inode: Inode, about: Readonly<{ path: string; durable: boolean }>) {
    this.#disk = disk;
    this.#gate = gate;
    this.#inode = inode;
    this.#path = about.path;
    this.#durable = about.durable;
    this.size = inode.size;
  }

  async read(position: number, length: number): Promise<Buffer> {
    return this.#inode.read(position, length);
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    if (!this.#gate.alive) throw new ProcessEndedError();
    if (this.#disk.full && position + bytes.length > this.#inode.size) throw failure('ENOSPC', this.#path);
    if (!this.#durable) {
      this.#inode.write(bytes, position);
      return;
    }
    const fails = this.#disk.takeFailure();
    const { arrived, dropped } = this.#disk.launch(this.#inode, bytes, position);
    await this.#wait('write');
    if (fails) {
      dropped();
      throw failure('EIO', this.#path);
    }
    arrived();
  }

  async sync(): Promise<void> {
    const fails = this.#disk.takeFailure();
    await this.#wait('sync');
    if (fails) throw failure('EIO', this.#path);
    this.#inode.flush();
  }

  async truncate(size: number): Promise<void> {
    if (!this.#gate.alive) throw new ProcessEndedError();
    this.#inode.truncate(size);
  }

  async close(): Promise<void> {}

  #wait(kind: 'write' | 'sync'): Promise<void> {
    return new Promise((resolve) => this.#disk.wait(this.#gate, kind, resolve));
  }
}

/** A process that has ended asked for something; nobody is left to hear of it. */
export class ProcessEndedError extends Error {
  override readonly name = 'ProcessEndedError';
  readonly code = 'PROCESS_ENDED' as const;
}

function copied(names: ReadonlyMap<string, Inode>): Names {
  return new Map([...names].map(([path, inode]) => [path, inode.copy()]));
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
