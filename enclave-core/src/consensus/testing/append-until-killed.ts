/**
 * A process that appends to the log in a folder as fast as it can and writes each index to standard output once it is
 * durable, until it is killed. Arguments: folder, first seed of the sizes.
 */
import { randomFillSync } from 'node:crypto';
import { writeSync } from 'node:fs';
import { FILE_LOG_STORE_DEFAULTS, FileLogStore } from '../file-log-store.ts';
import type { Entry } from '../raft-types.ts';
import { killTestEntry } from './kill-test-entry.ts';

const [directory = '', seed = '1'] = process.argv.slice(2);
const store = await FileLogStore.open(
  { ...FILE_LOG_STORE_DEFAULTS, directory, segmentBytes: 256 * 1024 },
  { entropy: { fill: (target) => void randomFillSync(target) } },
);
const log = await store.load();
let next = (log.entries.at(-1)?.index ?? log.snapshot?.index ?? 0) + 1;
writeSync(1, `start ${next}\n`);
for (let round = Number(seed); ; round++) {
  const entries: Entry[] = [];
  for (let i = 0; i <= round % 7; i++) entries.push(killTestEntry(next + i));
  await store.append({ entries, hardState: { term: 1, vote: 1, commit: next - 1 }, installed: null });
  next += entries.length;
  writeSync(1, `durable ${next - 1}\n`);
}
