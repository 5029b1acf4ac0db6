/**
 * Three replicas in one process and thread, with the real log on the real disk and nothing else: no TLS and no sockets between
 * them, nothing sealed, applied or kept. The floor of the write path, for measuring.
 */
import { Buffer } from 'node:buffer';
import { join } from 'node:path';
import { FILE_LOG_STORE_DEFAULTS, FileLogStore } from '../file-log-store.ts';
import { type Disk, nodeDisk } from '../log/disk.ts';
import { immediateTurns, intervalTicker, systemClock, systemEntropy } from '../node-host.ts';
import type { PeerTransport, StateMachine } from '../ports.ts';
import { loadRaftModule } from '../raft-engine.ts';
import { Replica } from '../replica.ts';
import { REPLICA_DEFAULTS } from '../replica-options.ts';
import { headAlone, keepHeadSoon } from './head-alone.ts';

const IDS = [1, 2, 3];
const TICK_MS = 50;
/** Bytes of entries after which a replica keeps a snapshot, so that its cache is cut as in a node. */
const SNAPSHOT_EVERY_BYTES = 32 * 1024 * 1024;

export class BareGroup {
  readonly #folder: string;
  readonly #disk: Disk;
  readonly #module: Awaited<ReturnType<typeof loadRaftModule>>;
  readonly #replicas = new Map<number, Replica>();
  readonly #stores: FileLogStore[] = [];
  readonly #led: Promise<void>;
  #onLeading: () => void = () => undefined;

  private constructor(folder: string, disk: Disk, module: Awaited<ReturnType<typeof loadRaftModule>>) {
    this.#folder = folder;
    this.#disk = disk;
    this.#module = module;
    this.#led = new Promise((resolve) => {
      this.#onLeading = resolve;
    });
  }

  /** Logs go into folders of `folder`. Where it throws, nothing runs. */
  static async start(folder: string, disk: Disk = nodeDisk): Promise<BareGroup> {
    const group = new BareGroup(folder, disk, await loadRaftModule());
    try {
      for (const id of IDS) await group.#start(id);
      await group.#led;
      return group;
    } catch (error) {
      await group.stop();
      throw error;
    }
  }

  get replicas(): readonly Replica[] {
    return [...this.#replicas.values()];
  }

  get leader(): Replica {
    const found = this.replicas.find(({ leading }) => leading);
    if (!found) throw new Error('nobody leads');
    return found;
  }

  async stop(): Promise<void> {
    for (const replica of this.replicas) await replica.stop();
    for (const store of this.#stores) await store.close();
  }

  async #start(id: number): Promise<void> {
    const options = { ...FILE_LOG_STORE_DEFAULTS, directory: join(this.#folder, String(id)) };
    const store = await FileLogStore.open(options, { entropy: systemEntropy, disk: this.#disk });
    this.#stores.push(store);
    const replica: Replica = await Replica.start(
      { ...REPLICA_DEFAULTS, id, bootstrap: { voters: IDS, first: headAlone(Buffer.from('genesis')) } },
      {
        module: this.#module,
        store,
        transport: this.#transportOf(id),
        stateMachine: cutting(() => replica),
        clock: systemClock,
        entropy: systemEntropy,
        ticker: intervalTicker(TICK_MS),
        scheduler: immediateTurns,
        log: (level, text) => process.stderr.write(`${level} ${text}\n`),
        onFatal: (error) => {
          throw error;
        },
        onRoleChange: () => undefined,
        onLeading: (leading) => {
          if (leading) this.#onLeading();
        },
        onMembersChange: () => undefined,
        onRemoved: () => undefined,
        onSnapshotWanted: () => undefined,
      },
    );
    this.#replicas.set(id, replica);
  }

  #transportOf(from: number): PeerTransport {
    return {
      send: (messages) => {
        for (const { to, bytes } of messages) setImmediate(() => this.#replicas.get(to)?.receive(from, [bytes]));
      },
      sendSnapshot: () => Promise.reject(new Error('nobody is behind')),
    };
  }
}

/** Has the log cut every so often, and does nothing with entries. */
function cutting(replica: () => Replica): StateMachine {
  let bytesSince = 0;
  return {
    applyBatch(batch) {
      const last = batch.at(-1);
      for (const { data } of batch) bytesSince += data.length;
      if (!last || bytesSince < SNAPSHOT_EVERY_BYTES) return;
      bytesSince = 0;
      const { index, term } = last;
      keepHeadSoon(replica(), { index, term, confState: replica().members }, Buffer.from('state'));
    },
    restore: async () => undefined,
    install: async () => undefined,
  };
}
