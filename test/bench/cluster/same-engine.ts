/**
 * The bare engine: three replicas with the real log on the real disk in this one process and thread, fed the entries that a
 * cluster wrote, byte for byte. Left out: TLS and sockets between them, HTTP, making and sealing entries, applying them, ledger,
 * history. Run as a process of its own: `same-engine.ts FILE IN_FLIGHT MS`; FILE has entries, each behind its length (u32).
 * Prints {"entries","seconds"}; entries are fed in their order and again from the first.
 */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FILE_LOG_STORE_DEFAULTS, FileLogStore } from '@drawbridge/enclave-core/consensus/file-log-store';
import { nodeDisk } from '@drawbridge/enclave-core/consensus/log/disk';
import {
  immediateTurns,
  intervalTicker,
  systemClock,
  systemEntropy,
} from '@drawbridge/enclave-core/consensus/node-host';
import { loadRaftModule } from '@drawbridge/enclave-core/consensus/raft-engine';
import { Replica } from '@drawbridge/enclave-core/consensus/replica';
import { REPLICA_DEFAULTS } from '@drawbridge/enclave-core/consensus/replica-options';
import { headAlone, keepHeadSoon } from '@drawbridge/enclave-core/consensus/testing/head-alone';

const IDS = [1, 2, 3];
const TICK_MS = 50;
/** Bytes of entries after which a replica keeps a snapshot, so that its cache is cut as in a node. */
const SNAPSHOT_EVERY_BYTES = 32 * 1024 * 1024;
const WARM_UP_MS = 1_000;

const [file = '', inFlight = 64, forMs = 5_000] = process.argv
  .slice(2)
  .map((text, n) => (n === 0 ? text : Number(text)));
const entries = entriesOf(await readFile(String(file)));
const folder = await mkdtemp(join(tmpdir(), 'drawbridge-engine-'));
const module = await loadRaftModule();
const replicas = new Map<number, Replica>();
const stores: FileLogStore[] = [];
let onLeading: () => void = () => undefined;
const led = new Promise<void>((resolve) => {
  onLeading = resolve;
});

function entriesOf(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    found.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return found;
}

async function start(id: number): Promise<void> {
  const options = { ...FILE_LOG_STORE_DEFAULTS, directory: join(folder, String(id)) };
  const store = await FileLogStore.open(options, { entropy: systemEntropy, disk: nodeDisk });
  stores.push(store);
  let bytesSince = 0;
  const replica: Replica = await Replica.start(
    { ...REPLICA_DEFAULTS, id, bootstrap: { voters: IDS, first: headAlone(Buffer.from('genesis')) } },
    {
      module,
      store,
      transport: {
        send: (messages) => {
          for (const { to, bytes } of messages) setImmediate(() => replicas.get(to)?.receive(id, [bytes]));
        },
        sendSnapshot: () => Promise.reject(new Error('nobody is behind')),
      },
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
      ticker: intervalTicker(TICK_MS),
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

async function feed(leader: Replica, ms: number): Promise<{ entries: number; seconds: number }> {
  const begin = performance.now();
  let [next, done] = [0, 0];
  const loop = async (): Promise<void> => {
    while (performance.now() - begin < ms) {
      const entry = entries[next++ % entries.length];
      if (!entry) throw new RangeError('there is no entry to feed');
      await leader.propose(entry);
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: Number(inFlight) }, loop));
  return { entries: done, seconds: (performance.now() - begin) / 1_000 };
}

try {
  for (const id of IDS) await start(id);
  await led;
  const leader = [...replicas.values()].find(({ leading }) => leading);
  if (!leader) throw new Error('nobody leads');
  await feed(leader, WARM_UP_MS);
  process.stdout.write(`${JSON.stringify(await feed(leader, Number(forMs)))}\n`);
} finally {
  for (const replica of replicas.values()) await replica.stop();
  for (const store of stores) await store.close();
  await rm(folder, { recursive: true, force: true });
}
