/** What a run tells people: of all seeds together, and of the one that failed. */
import type { RunResult } from './run.ts';
import { FAULTS } from './scenario.ts';
import { Tally } from './tally.ts';

export class Summary {
  readonly #begunMs = Date.now();
  readonly #tally = new Tally();
  readonly #platforms = new Tally();
  #seeds = 0;
  #steps = 0;
  #simulatedMs = 0;
  #elections = 0;
  #entries = 0;
  #answered = 0;

  add({ scenario, step, simulatedMs, elections, entries, answered, tally }: RunResult): void {
    this.#seeds += 1;
    this.#steps += step;
    this.#simulatedMs += simulatedMs;
    this.#elections += elections;
    this.#entries += entries;
    this.#answered += answered;
    this.#tally.add(tally);
    this.#platforms.count(`${scenario.nodes} nodes, ${scenario.platform}`);
  }

  text(): string {
    const seconds = (Date.now() - this.#begunMs) / 1000;
    const rate = (count: number): string => (count / seconds).toFixed(count / seconds < 10 ? 1 : 0);
    const lines = [
      `${this.#seeds} seeds (${this.#platforms
        .entries()
        .map(([kind, count]) => `${count} × ${kind}`)
        .join('; ')})`,
      `${this.#steps} steps, ${rate(this.#steps)}/s; ${rate(this.#simulatedMs / 1000)} simulated seconds per second`,
      `${this.#elections} elections, ${this.#entries} entries, ${this.#answered} answers explained`,
      'faults injected:',
      ...FAULTS.map((fault) => `  ${fault.padEnd(28)} ${this.#tally.get(`fault ${fault}`)}`),
      'what happened:',
      ...this.#tally
        .entries()
        .filter(([what]) => !what.startsWith('fault '))
        .map(([what, count]) => `  ${what.padEnd(28)} ${count}`),
    ];
    return `${lines.join('\n')}\n`;
  }
}

export function failureReport(
  result: RunResult,
  { commit, command }: Readonly<{ commit: string; command: string }>,
): string {
  const { scenario, violation, step, simulatedMs, trace } = result;
  const lines = [
    `VIOLATED: ${violation?.checker}`,
    `  ${violation?.message}`,
    `seed ${scenario.seed}, step ${step}, ${simulatedMs} simulated ms, commit ${commit}`,
    `again: ${command}`,
    `scenario: ${JSON.stringify(scenario)}`,
    `trace digest: ${trace.digest()}`,
    'last events (simulated µs):',
    ...trace.last().map((line) => `  ${line}`),
  ];
  return `${lines.join('\n')}\n`;
}
