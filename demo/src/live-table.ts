/** Shows where each payment stands: a table that redraws itself on a terminal, a line per change elsewhere. */
import { formatAmount } from '@drawbridge/protocol/amount';
import Table from 'cli-table3';
import { ASSETS } from './cast.ts';
import { hasEnded, type Standing } from './run-payments.ts';

/** Redraws per second at most. */
const REDRAW_MS = 200;

export interface Output {
  readonly isTTY?: boolean;
  readonly rows?: number;
  write(text: string): unknown;
}

export class LiveTable {
  readonly #output: Output;
  readonly #now: () => number;
  #drawnLines = 0;
  #drawnMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(output: Output, now: () => number) {
    this.#output = output;
    this.#now = now;
  }

  show(standings: readonly Standing[], changed: Standing): void {
    // A table higher than the terminal cannot be redrawn in place.
    const fits = this.#output.isTTY === true && standings.length + 5 < (this.#output.rows ?? 0);
    if (!fits) {
      this.#output.write(`${this.#line(changed)}\n`);
      return;
    }
    const wait = REDRAW_MS - (this.#now() - this.#drawnMs);
    if (wait <= 0) this.#draw(standings);
    else this.#timer ??= setTimeout(() => this.#draw(standings), wait);
  }

  /** Draws the last state and leaves it standing. */
  end(standings: readonly Standing[]): void {
    clearTimeout(this.#timer);
    if (this.#drawnLines > 0) this.#draw(standings);
  }

  #draw(standings: readonly Standing[]): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#drawnMs = this.#now();
    const text = paymentsTable(standings, this.#now());
    const up = this.#drawnLines > 0 ? `\u001b[${this.#drawnLines}A\u001b[J` : '';
    this.#output.write(`${up}${text}\n`);
    this.#drawnLines = text.split('\n').length;
  }

  #line(standing: Standing): string {
    const { payment, state, detail } = standing;
    const seconds = hasEnded(standing) ? ` after ${seconds1(standing, this.#now())} s` : '';
    return `payment ${String(payment.row).padStart(2)}  ${state.padEnd(14)} ${route(standing)}${seconds}${detail ? ` (${detail})` : ''}`;
  }
}

/** One row a payment: who pays whom, how much, over which networks, its stage, the seconds so far. */
export function paymentsTable(standings: readonly Standing[], nowMs: number): string {
  const table = new Table({
    head: ['#', 'payment', 'amount', 'route', 'stage', 's', ''],
    style: { head: [], border: [], compact: true },
    colAligns: ['right', 'left', 'right', 'left', 'left', 'right', 'left'],
  });
  for (const standing of standings) {
    const { payment } = standing;
    const scale = ASSETS.find((asset) => asset.code === payment.asset)?.scale ?? 0;
    table.push([
      payment.row,
      `${payment.debtor} → ${payment.creditor}`,
      `${formatAmount(payment.amountMinor, scale)} ${payment.asset}`,
      route(standing),
      standing.state,
      standing.startedMs === undefined ? '' : seconds1(standing, nowMs),
      standing.detail,
    ]);
  }
  return table.toString();
}

const route = ({ payment }: Standing): string => `${payment.source ?? 'account'} → ${payment.destination ?? 'account'}`;
const seconds1 = (standing: Standing, nowMs: number): string =>
  (((standing.endedMs ?? nowMs) - (standing.startedMs ?? nowMs)) / 1_000).toFixed(1);
