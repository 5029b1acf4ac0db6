/** How many entries there are, of each kind: apart for those that a signature covers and those that anybody could have written. */
import type { LedgerKind } from '@drawbridge/protocol/ledger/ledger-kind';

export type EntryCounts = Readonly<{
  entries: number;
  /** Of the last of them; 0 where there are none. */
  lastView: number;
  kinds: Readonly<Record<LedgerKind, number>>;
}>;

type Counted = Readonly<{ kind: LedgerKind; view: number }>;

export function countEntries(entries: readonly Counted[], before: EntryCounts = NONE): EntryCounts {
  const kinds = { ...before.kinds };
  for (const { kind } of entries) kinds[kind] += 1;
  return {
    entries: before.entries + entries.length,
    lastView: entries.at(-1)?.view ?? before.lastView,
    kinds,
  };
}

const NONE: EntryCounts = {
  entries: 0,
  lastView: 0,
  kinds: { empty: 0, settlement: 0, governance: 0, service: 0, signature: 0, members: 0, genesis: 0 },
};
