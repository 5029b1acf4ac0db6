/** Deadlines as people write them: a time (`2031-05-01T12:00:00Z`) or a span from now (`+90s`, `+30m`, `+2h`, `+1d`). */
import { CliError } from './cli-error.ts';

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** RFC 3339 in UTC. @throws CliError `USAGE` */
export function parseMoment(text: string, nowMs: number): string {
  const [, count, unit] = /^\+([1-9][0-9]{0,6})([smhd])$/.exec(text) ?? [];
  if (count !== undefined) return new Date(nowMs + Number(count) * (UNIT_MS[unit ?? ''] ?? 0)).toISOString();
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:\d\d)$/.test(text);
  const timeMs = isTime ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(timeMs)) throw new CliError('USAGE', `${text} is no time; write 2031-05-01T12:00:00Z or +30m`);
  return new Date(timeMs).toISOString();
}
