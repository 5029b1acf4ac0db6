/** One machine of the world: a disk that lasts, a clock that is wrong, and the process that runs on it, if one does. */
import { WORLD_START_MS } from './ledger-genesis.ts';
import { ProcessGate } from './process-gate.ts';
import type { DiskImage, SimDisk } from './sim-disk.ts';
import type { SimProcess } from './sim-process.ts';
import { FIRST_SECRETS } from './sim-service.ts';

/** `lost`: its log is damaged or was discarded; it can only join anew. `empty`: not part of the service. */
export type MachineState = 'empty' | 'off' | 'starting' | 'on' | 'lost';

export class Machine {
  readonly slot: number;
  readonly disk: SimDisk;
  state: MachineState = 'empty';
  /** Raft id that its log belongs to; 0 while it has none. */
  raftId = 0;
  /** It is to be made a member under `raftId`, in the place of `replaces` where that is given. */
  joining: Readonly<{ replaces?: number }> | undefined;
  gate: ProcessGate = new ProcessGate();
  process: SimProcess | undefined;
  /** It was admitted, rather than one of those that began the service. */
  joined = false;
  /** Ledger secrets on its disk. */
  secrets: ReadonlyMap<number, Uint8Array> = FIRST_SECRETS;
  /** Damage was done to its disk and was not found yet. */
  rotten = false;
  /** Its disk was rolled back or lies: what was durable may be gone. */
  excused = false;
  /** Error of this clock: a fixed part, and one that grows. */
  skewMs = 0;
  driftPpm = 0;
  /** Older contents of the disk, that a host could put back. */
  image: Readonly<{ raftId: number; content: DiskImage }> | undefined;

  constructor(slot: number, disk: SimDisk) {
    this.slot = slot;
    this.disk = disk;
  }

  get running(): SimProcess | undefined {
    return this.state === 'on' && this.gate.alive ? this.process : undefined;
  }

  /** As `running`, and not stopped. */
  get responsive(): SimProcess | undefined {
    return this.gate.paused ? undefined : this.running;
  }

  wallMs(nowUs: number): number {
    return Math.floor(WORLD_START_MS + (nowUs * (1 + this.driftPpm / 1e6)) / 1000 + this.skewMs);
  }

  /** Nothing that the process does from now on has any effect. */
  endProcess(how: 'kill' | 'power'): void {
    this.gate.end();
    if (how === 'kill') this.disk.kill();
    else this.disk.losePower();
    this.process = undefined;
  }

  /** An empty disk, and no Raft id. */
  clear(): void {
    this.disk.wipe();
    this.forgetPlace();
  }

  /** No Raft id; what is on the disk stays there. */
  forgetPlace(): void {
    this.raftId = 0;
    this.joining = undefined;
    this.joined = false;
    this.secrets = FIRST_SECRETS;
    this.rotten = false;
    this.excused = false;
    this.image = undefined;
    this.state = 'empty';
  }
}
