/**
 * The bare engine: three replicas with the real log on the real disk in this one process and thread, fed the entries that a
 * cluster wrote, byte for byte. Left out: TLS and sockets between them, HTTP, making and sealing entries, applying them, ledger,
 * history. Run as a process of its own: `same-engine.ts FILE IN_FLIGHT MS`; FILE has entries, each behind its length (u32).
 * Prints {"entries","seconds"}; entries are fed in their order and again from the first.
 */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Replica } from '@drawbridge/enclave-core/consensus/replica';
import { BareGroup } from '@drawbridge/enclave-core/consensus/testing/bare-group';

const WARM_UP_MS = 1_000;

const [file = '', inFlight = 64, forMs = 5_000] = process.argv
  .slice(2)
  .map((text, n) => (n === 0 ? text : Number(text)));
const entries = entriesOf(await readFile(String(file)));
const folder = await mkdtemp(join(tmpdir(), 'drawbridge-engine-'));

function entriesOf(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    found.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return found;
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

let group: BareGroup | undefined;
try {
  group = await BareGroup.start(folder);
  const { leader } = group;
  await feed(leader, WARM_UP_MS);
  process.stdout.write(`${JSON.stringify(await feed(leader, Number(forMs)))}\n`);
} finally {
  await group?.stop();
  await rm(folder, { recursive: true, force: true });
}
