/** The first check that failed, by name, and what it looked at. */
import type { Line } from './output.ts';

export type Refusal = Readonly<{
  ok: false;
  check: string;
  /** All checks of its kind, in their order. */
  checks: readonly string[];
  code: string;
  detail: string;
  /** What was looked at, where there is more than one thing. */
  place?: string;
}>;

type Failed = Pick<Refusal, 'ok' | 'check' | 'code' | 'detail'>;

export const refusedBy = (checks: readonly string[], failed: Failed, place?: string): Refusal => ({
  ok: false,
  check: failed.check,
  checks,
  code: failed.code,
  detail: failed.detail,
  ...(place !== undefined && { place }),
});

/** `what` was refused: evidence, a receipt, a ledger. */
export const refusalLines = ({ check, checks, code, detail, place }: Refusal, what = 'evidence'): Line[] => [
  [what, 'REFUSED'],
  ['check', `${check} (${checks.indexOf(check) + 1} of ${checks.length})`],
  ...(place === undefined ? [] : [['in', place] as const]),
  ['code', code],
  ['why', detail],
];

export const refusalJson = ({ check, code, detail, place }: Refusal): object => ({
  proven: false,
  check,
  code,
  detail,
  ...(place !== undefined && { place }),
});
