/**
 * What `apply` does, by protocol version. A version is switched on by governance, never by a restart: a node that runs a newer
 * program behaves as before until the entry that switches, and one that lacks a version stops there.
 */
import type { Applied } from './apply.ts';
import { applyEntry } from './apply.ts';
import type { Entry } from './command.ts';
import type { Overlay } from './overlay.ts';

export type Rules = (overlay: Overlay, entry: Entry) => Applied;
export type Rulebook = ReadonlyMap<number, Rules>;

export const RELEASED_RULES: Rulebook = new Map([[1, applyEntry]]);

/** The ledger was switched to a version that this program does not have. */
export class VersionUnknownError extends Error {
  override readonly name = 'VersionUnknownError';
  readonly code = 'VERSION_UNKNOWN' as const;
}
