/** Payload of a frame: version u8, flags u8 (1 hard state, 2 installed snapshot), [hard state], [index u64, term u64], entries. */

import type { LogBatch } from '../ports.ts';
import { FrameReader, type FrameWriter } from '../raft-frames.ts';
import type { HardState } from '../raft-types.ts';

const VERSION = 1;
const HARD_STATE = 1;
const INSTALLED = 2;

/** A view that is valid until the writer starts again. */
export function encodeBatch(writer: FrameWriter, batch: LogBatch): Uint8Array {
  const flags = (batch.hardState ? HARD_STATE : 0) | (batch.installed ? INSTALLED : 0);
  const frame = writer.start().u8(VERSION).u8(flags);
  if (batch.hardState) frame.hardState(batch.hardState);
  if (batch.installed) frame.u64(batch.installed.index).u64(batch.installed.term);
  return frame.entries(batch.entries).finish();
}

/** @throws RangeError when the payload is of another version or inconsistent. */
export function decodeBatch(payload: Uint8Array): LogBatch {
  const reader = new FrameReader(payload);
  if (reader.u8() !== VERSION) throw new RangeError('the frame was written by another version');
  const flags = reader.u8();
  const hardState = flags & HARD_STATE ? reader.hardState() : null;
  const installed = flags & INSTALLED ? { index: reader.u64(), term: reader.u64() } : null;
  const entries = reader.entries();
  if (reader.remaining > 0 || flags > 3) throw new RangeError('the frame has contents that this version does not know');
  return { entries, hardState, installed };
}

/** Follows what a log holds while batches are read or written. */
export class LogPosition {
  hardState: HardState | null;
  /** Index that comes next unless something is overwritten. */
  nextIndex: number;
  installed: Readonly<{ index: number; term: number }> | null = null;

  constructor(start: Readonly<{ hardState: HardState | null; nextIndex: number }>) {
    this.hardState = start.hardState;
    this.nextIndex = start.nextIndex;
  }

  /** @throws RangeError when the batch leaves a gap or is not contiguous. */
  take(batch: LogBatch): void {
    let next = batch.installed ? batch.installed.index + 1 : this.nextIndex;
    const first = batch.entries[0];
    if (first) {
      if (first.index > next || first.index < 1) throw new RangeError(`entry ${first.index} follows entry ${next - 1}`);
      next = first.index;
      for (const entry of batch.entries) {
        if (entry.index !== next) throw new RangeError(`entry ${entry.index} stands where entry ${next} belongs`);
        next += 1;
      }
    }
    const commit = batch.hardState?.commit ?? 0;
    if (commit >= next) throw new RangeError(`commit ${commit} is beyond the last entry ${next - 1}`);
    this.installed = batch.installed ?? this.installed;
    this.hardState = batch.hardState ?? this.hardState;
    this.nextIndex = next;
  }
}
