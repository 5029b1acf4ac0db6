/** In which view each entry was appended: the first seqno of every view, which is all that there is to know. */

/** The entries from `seqno` on are of `view`, up to the next start. Views rise, and with them seqnos. */
export type ViewStart = Readonly<{ view: number; seqno: number }>;

/** @returns the same list where the entry is of the last view */
export function withEntry(starts: readonly ViewStart[], entry: ViewStart): readonly ViewStart[] {
  return starts.at(-1)?.view === entry.view ? starts : [...starts, entry];
}

/** View of a committed entry; nothing for one before the first. */
export function viewAt(starts: readonly ViewStart[], seqno: number): number | undefined {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((starts[middle]?.seqno ?? 0) <= seqno) low = middle + 1;
    else high = middle;
  }
  return starts[low - 1]?.view;
}
