import { Buffer } from 'node:buffer';
import { type Entry, entryType } from '../raft-types.ts';

/** The one entry that the kill test has at an index: its size and content follow from the index. */
export function killTestEntry(index: number): Entry {
  return { term: 1, index, type: entryType.normal, data: Buffer.alloc(1 + ((index * 7919) % 5000), index) };
}
