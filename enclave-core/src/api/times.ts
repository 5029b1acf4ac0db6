/** Times on the wire: RFC 3339 text outside, Unix milliseconds inside. */

/**
 * Unix ms, or `undefined` for a day or hour that no calendar has, or before 1970: the ledger writes no times below zero.
 * The form has been checked by the schema.
 */
export function parseTime(text: string): number | undefined {
  const atMs = Date.parse(text);
  // Written so that a time that did not parse (NaN) is refused.
  if (!(atMs >= 0)) return undefined;
  // `Date.parse` takes 31 February for 3 March: the day must survive the way there and back.
  const day = Date.parse(`${text.slice(0, 10)}T00:00:00Z`);
  return new Date(day).toISOString().slice(0, 10) === text.slice(0, 10) ? atMs : undefined;
}

let lastMs = Number.NaN;
let lastText = '';

/** Remembers the last time written: all transfers of one ledger entry share its stamp. */
export function formatTime(atMs: number): string {
  if (atMs !== lastMs) {
    lastText = new Date(atMs).toISOString();
    lastMs = atMs;
  }
  return lastText;
}
