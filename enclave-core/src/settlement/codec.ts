/** Canonical bytes of log entries. */
import type { Entry } from './command.ts';
import { InvariantError } from './invariant-error.ts';

export function encodeEntry(entry: Entry): Uint8Array {
  throw new InvariantError(`entry version ${entry.version}`);
}
export function decodeEntry(bytes: Uint8Array): Entry {
  throw new InvariantError(`entry of ${bytes.length} bytes`);
}
