/** The checks of a ledger, and how one fails. */
import { type Refusal, refusedBy } from '../refusal.ts';

/** What is looked at, from the folder down to the signatures, then what the ledger is held against. */
export const LEDGER_CHECKS = [
  'folder',
  'header',
  'record',
  'sequence',
  'tree',
  'entry',
  'signature',
  'closure',
  'validity',
  'export',
  'tip',
  'fork',
] as const;
export type LedgerCheck = (typeof LEDGER_CHECKS)[number];

export const refuseLedger = (check: LedgerCheck, code: string, detail: string): Refusal =>
  refusedBy(LEDGER_CHECKS, { ok: false, check, code, detail });

/** Says where, unless that is known more exactly already. */
export const at = (place: string, refusal: Refusal): Refusal => ({ place, ...refusal });
