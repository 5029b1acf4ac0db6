/** What one load did, and the figures that are printed of it. */
import type { Usage } from './process-usage.ts';

/** One object a line with `--json`. */
export type Figure = Readonly<{ name: string; value: number; unit: string }>;

/** One round. `done`: payments or puts that were answered as settled. Latencies of requests, in ms, in any order. */
export type Round = Readonly<{ done: number; seconds: number; latenciesMs: readonly number[]; used: Usage }>;

export const rateOf = ({ done, seconds }: Round): number => done / seconds;

/** @param values in any order, at least one */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

const rounded = (value: number): number => (value < 100 ? Math.round(value * 100) / 100 : Math.round(value));

export const figure = (name: string, value: number, unit: string): Figure => ({ name, value: rounded(value), unit });

/** Median rate; latencies and usage over all rounds. */
export function figuresOf(name: string, rounds: readonly Round[]): Figure[] {
  const latencies = rounds.flatMap(({ latenciesMs }) => latenciesMs);
  const sum = (of: (round: Round) => number): number => rounds.reduce((total, round) => total + of(round), 0);
  const done = sum((round) => round.done);
  return [
    figure(name, quantile(rounds.map(rateOf), 0.5), '1/s'),
    figure(`${name}.p50`, quantile(latencies, 0.5), 'ms'),
    figure(`${name}.p99`, quantile(latencies, 0.99), 'ms'),
    figure(`${name}.p99.9`, quantile(latencies, 0.999), 'ms'),
    figure(`${name}.cpu`, sum(({ used }) => used.cpuMicros) / done, 'µs'),
    figure(`${name}.written`, sum(({ used }) => used.writtenBytes) / done, 'bytes'),
  ];
}

export function valueNamed(figures: readonly Figure[], name: string): number {
  const found = figures.find((item) => item.name === name);
  if (!found) throw new RangeError(`there is no figure ${name}`);
  return found.value;
}
