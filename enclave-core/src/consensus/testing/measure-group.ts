/**
 * CPU of three replicas in one process, with their logs in a temporary folder, per entry of a steady number in flight.
 * Arguments: in flight, entries, bytes of an entry. Prints one line of JSON. Everything but Raft and the log is left out, so
 * what it shows is the floor of the write path.
 */

import { Buffer } from 'node:buffer';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Disk, nodeDisk } from '../log/disk.ts';
import type { Replica } from '../replica.ts';
import { BareGroup } from './bare-group.ts';

const [inFlight = 64, entries = 100_000, entryBytes = 256] = process.argv.slice(2).map(Number);

const folder = mkdtempSync(join(tmpdir(), 'drawbridge-measure-'));
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

/** CPU time of the thread that runs JavaScript, in µs: without the compiler's and the disk's threads. */
function mainThreadMicros(): number {
  const [nanoseconds] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
  return Number(nanoseconds) / 1000;
}

async function proposeInARow(leader: Replica, count: number, latencies: number[]): Promise<void> {
  for (let i = 0; i < count; i++) {
    const begin = performance.now();
    await leader.propose(Buffer.alloc(entryBytes, i));
    latencies.push(performance.now() - begin);
  }
}

let group: BareGroup | undefined;
try {
  group = await BareGroup.start(folder, countingDisk);
  const { leader } = group;
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
    wasmMiB: group.replicas.map((replica) => round(replica.status().engineMemoryBytes / 2 ** 20)),
    rssMiB: round(process.memoryUsage.rss() / 2 ** 20),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
} finally {
  await group?.stop();
  rmSync(folder, { recursive: true, force: true });
}
