/** Reads the log back, for replay and audit: committed entries only, each once, segment by segment. */
import type { LogBatch } from '../ports.ts';
import type { Entry } from '../raft-types.ts';
import { LogPosition } from './batch-payload.ts';
import type { Disk } from './disk.ts';
import { LogDamagedError } from './log-errors.ts';
import { segmentName } from './segment.ts';
import { outlineSegments, readFrames, readSegment, sameChain } from './segment-reader.ts';

/**
 * An entry counts once a hard state in the log commits it: until then a later batch could replace it.
 * @param numbers of the segments that there are, oldest first; those that are dropped meanwhile cannot be read
 * @param end segment number and offset up to which everything is durable; what is written beyond is not looked at
 * @throws LogDamagedError
 */
export async function* readCommitted(
  disk: Disk,
  directory: string,
  numbers: readonly number[],
  fromIndex: number,
  end: Readonly<{ number: number; offset: number }>,
): AsyncGenerator<Entry, void, undefined> {
  const outlines = await outlineSegments(disk, directory, numbers.map(segmentName), 'growing');
  const first = Math.max(
    0,
    outlines.findLastIndex(({ head }) => head.nextIndex <= fromIndex),
  );
  const window = new UncommittedWindow();
  let position: LogPosition | null = null;
  let chain = outlines[first]?.head.chain;
  for (const outline of outlines.slice(first)) {
    position ??= new LogPosition(outline.head);
    if (chain && !sameChain(chain, outline.head.chain)) {
      throw new LogDamagedError({
        file: outline.path,
        offset: 0,
        reason: 'the segment does not continue the one before it',
      });
    }
    const bytes = await readSegment(disk, outline);
    const durable = outline.head.number === end.number ? bytes.subarray(0, end.offset) : bytes;
    const committed: Entry[] = [];
    const read = readFrames({ ...outline, bytes: durable }, position, (batch) => committed.push(...window.take(batch)));
    if (read.torn)
      throw new LogDamagedError({ file: outline.path, offset: read.offset, reason: 'a frame is incomplete' });
    chain = read.chain;
    for (const entry of committed) if (entry.index >= fromIndex) yield entry;
  }
}

/** Entries that are not committed yet; bounded by what a leader may have in flight. */
class UncommittedWindow {
  #waiting: Entry[] = [];

  /** What the batch commits, in index order. */
  take(batch: LogBatch): Entry[] {
    const cut = batch.entries[0]?.index;
    if (batch.installed) this.#waiting = [];
    const held = this.#waiting[0]?.index;
    if (cut !== undefined && held !== undefined)
      this.#waiting.length = Math.min(this.#waiting.length, Math.max(0, cut - held));
    for (const entry of batch.entries) this.#waiting.push(entry);
    const from = this.#waiting[0]?.index;
    if (!batch.hardState || from === undefined) return [];
    return this.#waiting.splice(0, Math.max(0, batch.hardState.commit - from + 1));
  }
}
