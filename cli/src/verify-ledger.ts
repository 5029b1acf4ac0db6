/**
 * `drawbridge verify ledger DIR`: whether the chunk files are one whole ledger of the pinned service, and what that says; with
 * more to hold it against, whether something was left out, cut off, or told differently elsewhere.
 */
import { ledgerJson, ledgerLines, listedLines } from './ledger/ledger-report.ts';
import { type HeldAgainst, judgeLedger } from './ledger/ledger-verdict.ts';
import type { JudgedEntry } from './ledger/signed-listing.ts';
import { aligned, json, type Output } from './output.ts';
import { atMsOf, readPinned } from './verify-receipt.ts';

export type VerifyLedgerFlags = HeldAgainst &
  Readonly<{
    serviceCert?: string;
    list?: boolean;
    /** When certificates must be valid; now when absent. */
    at?: string;
    json?: boolean;
  }>;

/** Most entries that `--list --json` keeps for its one object. */
const MAX_LISTED = 100_000;

/**
 * Prints the verdict. @returns 0 for verified, 1 for refused.
 * @throws CliError where there is nothing to judge
 */
export async function verifyLedgerCommand(
  folder: string,
  flags: VerifyLedgerFlags,
  { output, nowMs }: Readonly<{ output: Output; nowMs: number }>,
): Promise<0 | 1> {
  const service = await readPinned(flags.serviceCert);
  const atMs = atMsOf(flags.at, nowMs);
  const entries: JudgedEntry[] = [];
  const list = (entry: JudgedEntry): void => {
    if (!flags.json) output.out(listedLines(entry));
    else if (entries.length < MAX_LISTED) entries.push(entry);
  };
  const verdict = await judgeLedger(folder, flags, { service, atMs, ...(flags.list && { list }) });
  const listed = flags.list && flags.json ? { entries } : {};
  output.out(flags.json ? json({ ...ledgerJson(verdict), ...listed }) : aligned(ledgerLines(verdict)));
  return verdict.refusal ? 1 : 0;
}
