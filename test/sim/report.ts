/** What a run tells people: of all seeds together, and of the one that failed. */
import type { RunResult } from './run.ts';
import { FAULTS } from './scenario.ts';
import { Tally } from './tally.ts';

/** One seed, as one process tells another. */
export type SeedReport = Readonly<{
  seed: number;
  kind: string;
  steps: number;
  /** Of the process, for this seed. */
  cpuMs: number;
  simulatedMs: number;
  elections: number;
  entries: number;
  answered: number;
  counts: readonly (readonly [string, number])[];
  /** What was violated and how to see it again. */
  failure?: string;
}>;

type About = Readonly<{ commit: () => string; command: string; cpuMs: number }>;

export function seedReport(result: RunResult, about: About): SeedReport {
  const { scenario, step, simulatedMs, elections, entries, answered, tally, violation } = result;
  return {
    seed: scenario.seed,
    kind: `${scenario.assembly} ${scenario.nodes} ${scenario.platform}`,
    steps: step,
    cpuMs: about.cpuMs,
    simulatedMs,
    elections,
    entries,
    answered,
    counts: tally.entries(),
    ...(violation && { failure: failureText(result, about) }),
  };
}

function failureText(result: RunResult, about: About): string {
  const { scenario, violation, step, simulatedMs, trace } = result;
  const cause = violation?.cause instanceof Error ? (violation.cause.stack ?? '') : '';
  const lines = [
    `VIOLATED: ${violation?.checker}`,
    `  ${violation?.message}`,
    ...cause.split('\n').filter((line) => line !== ''),
    `seed ${scenario.seed}, step ${step}, ${simulatedMs} simulated ms, commit ${about.commit()}`,
    `again: ${about.command}`,
    `scenario: ${JSON.stringify(scenario)}`,
    `trace digest: ${trace.digest()}`,
    'last events (simulated µs):',
    ...trace.last().map((line) => `  ${line}`),
  ];
  return `${lines.join('\n')}\n`;
}

export class Summary {
  readonly #begunMs = Date.now();
  readonly #tally = new Tally();
  readonly #kinds = new Tally();
  #seeds = 0;
  #steps = 0;
  #cpuMs = 0;
  #simulatedMs = 0;
  #elections = 0;
  #entries = 0;
  #answered = 0;

  add({ kind, steps, cpuMs, simulatedMs, elections, entries, answered, counts }: SeedReport): void {
    this.#seeds += 1;
    this.#steps += steps;
    this.#cpuMs += cpuMs;
    this.#simulatedMs += simulatedMs;
    this.#elections += elections;
    this.#entries += entries;
    this.#answered += answered;
    for (const [what, times] of counts) this.#tally.count(what, times);
    this.#kinds.count(kind);
  }

  get seeds(): number {
    return this.#seeds;
  }

  text(): string {
    const seconds = (Date.now() - this.#begunMs) / 1000;
    const rate = (count: number): string => (count / seconds).toFixed(count / seconds < 10 ? 1 : 0);
    const kinds = this.#kinds.entries().map(([kind, count]) => `${count} × ${kind}`);
    const row = ([what, count]: readonly [string, number]): string => `  ${what.padEnd(30)} ${count}`;
    const lines = [
      `${this.#seeds} seeds: ${kinds.join('; ')}`,
      `${this.#steps} steps, ${rate(this.#steps)}/s (${Math.round(this.#steps / (this.#cpuMs / 1000))} per CPU second); ${rate(this.#simulatedMs / 1000)} simulated seconds per second`,
      `${this.#elections} elections, ${this.#entries} entries, ${this.#answered} answers explained`,
      'faults injected:',
      ...FAULTS.map((fault) => row([fault, this.#tally.get(`fault ${fault}`)])),
      'what happened:',
      ...this.#tally
        .entries()
        .filter(([what]) => !what.startsWith('fault '))
        .map(row),
    ];
    return `${lines.join('\n')}\n`;
  }
}
