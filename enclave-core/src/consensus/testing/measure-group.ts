/**
 * CPU of three replicas in one process, with their logs in a temporary folder, per entry of a steady number in flight.
 * Arguments: in flight, entries, bytes of an entry. Prints one line of JSON. Everything but Raft and the log is left out, so
 * what it shows is the floor of the write path.
 */

import { Buffer } from 'node:buffer';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FILE_LOG_STORE_DEFAULTS, FileLogStore } from '../file-log-store.ts';
import { type Disk, nodeDisk } from '../log/disk.ts';
import { immediateTurns, intervalTicker, systemClock, systemEntropy } from '../node-host.ts';
import type { PeerTransport } from '../ports.ts';
import { loadRaftModule } from '../raft-engine.ts';
import { Replica } from '../replica.ts';
import { REPLICA_DEFAULTS } from '../replica-options.ts';
import { headAlone, keepHeadSoon } from './head-alone.ts';

const [inFlight = 64, entries = 100_000, entryBytes = 256] = process.argv.slice(2).map(Number);
const IDS = [1, 2, 3];
/** Bytes of entries after which a replica keeps a snapshot. */
const SNAPSHOT_EVERY_BYTES = 32 * 1024 * 1024;

const folder = mkdtempSync(join(tmpdir(), 'drawbridge-measure-'));
const module = await loadRaftModule();
const replicas = new Map<number, Replica>();
const stores: FileLogStore[] = [];
let logBytes = 0;
let writes = 0;
let otherBytes = 0;

const countingDisk: Disk = {
  ...nodeDisk,
  async open(path, mode) {
    const file = await nodeDisk.open(path, mode);
    const write = file.write.bind(file);
    file.write = (bytes, at) => {
      if (mode === 'durable') {
        logBytes += bytes.length;
        writes += 1;
      } else otherBytes += bytes.length;
      return write(bytes, at);
    };
    return file;
  },
};

function transportOf(from: number): PeerTransport {
  return {
    send: (messages) => {
      for (const { to, bytes } of messages) setImmediate(() => replicas.get(to)?.receive(from, [bytes]));
    },
    sendSnapshot: () => Promise.reject(new Error('none is needed')),
  };
}

/** CPU time of the thread that runs JavaScript, in µs: without the compiler's and the disk's threads. */
function mainThreadMicros(): number {
  const [nanoseconds] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
  return Number(nanoseconds) / 1000;
}

let onLeading: () => void = () => undefined;
const led = new Promise<void>((resolve) => {
  onLeading = resolve;
});

async function start(id: number): Promise<void> {
  const options = { ...FILE_LOG_STORE_DEFAULTS, directory: join(folder, String(id)) };
  const store = await FileLogStore.open(options, { entropy: systemEntropy, disk: countingDisk });
  stores.push(store);
  let bytesSince = 0;
  const replica: Replica = await Replica.start(
    { ...REPLICA_DEFAULTS, id, bootstrap: { voters: IDS, first: headAlone(Buffer.from('genesis')) } },
    {
      module,
      store,
      transport: transportOf(id),
      stateMachine: {
        applyBatch(batch) {
          const last = batch.at(-1);
          for (const { data } of batch) bytesSince += data.length;
          if (!last || bytesSince < SNAPSHOT_EVERY_BYTES) return;
          bytesSince = 0;
          const { index, term } = last;
          const confState = replica.members;
          keepHeadSoon(replica, { index, term, confState }, Buffer.from('state'));
        },
        restore: async () => undefined,
        install: async () => undefined,
      },
      clock: systemClock,
      entropy: systemEntropy,
      ticker: intervalTicker(50),
      scheduler: immediateTurns,
      log: (level, text) => process.stderr.write(`${level} ${text}\n`),
      onFatal: (error) => {
        throw error;
      },
      onRoleChange: () => undefined,
      onLeading: (leading) => {
        if (leading) onLeading();
      },
      onMembersChange: () => undefined,
      onRemoved: () => undefined,
      onSnapshotWanted: () => undefined,
    },
  );
  replicas.set(id, replica);
}

async function proposeInARow(leader: Replica, count: number, latencies: number[]): Promise<void> {
  for (let i = 0; i < count; i++) {
    const begin = performance.now();
    await leader.propose(Buffer.alloc(entryBytes, i));
    latencies.push(performance.now() - begin);
  }
}

try {
  for (const id of IDS) await start(id);
  await led;
  const leader = [...replicas.values()].find(({ leading }) => leading);
  if (!leader) throw new Error('no leader');
  await Promise.all(
    Array.from({ length: inFlight }, () => proposeInARow(leader, Math.ceil(entries / 4 / inFlight), [])),
  );
  const latencies: number[] = [];
  const before = {
    cpu: process.cpuUsage(),
    main: mainThreadMicros(),
    at: performance.now(),
    logBytes,
    writes,
    otherBytes,
  };
  const each = Math.ceil(entries / inFlight);
  await Promise.all(Array.from({ length: inFlight }, () => proposeInARow(leader, each, latencies)));
  const cpu = process.cpuUsage(before.cpu);
  const seconds = (performance.now() - before.at) / 1000;
  const done = each * inFlight;
  latencies.sort((a, b) => a - b);
  const round = (value: number): number => Math.round(value * 100) / 100;
  const result = {
    inFlight,
    cpuMicrosPerEntry: round((cpu.user + cpu.system) / done),
    mainThreadMicrosPerEntry: round((mainThreadMicros() - before.main) / done),
    entriesPerSecond: Math.round(done / seconds),
    p50Ms: round(latencies[Math.floor(done * 0.5)] ?? 0),
    p99Ms: round(latencies[Math.floor(done * 0.99)] ?? 0),
    entriesPerWrite: round((3 * done) / (writes - before.writes)),
    logBytesPerEntry: round((logBytes - before.logBytes) / (3 * done)),
    otherBytesPerEntry: round((otherBytes - before.otherBytes) / (3 * done)),
    wasmMiB: [...replicas.values()].map((replica) => round(replica.status().engineMemoryBytes / 2 ** 20)),
    rssMiB: round(process.memoryUsage.rss() / 2 ** 20),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
} finally {
  for (const replica of replicas.values()) await replica.stop();
  for (const store of stores) await store.close();
  rmSync(folder, { recursive: true, force: true });
}
