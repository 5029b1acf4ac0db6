/**
 * Plays the banks: submits each payment with its debtor's certificate, locks with its debtor's wallet, and follows the
 * debtor's event stream until every payment has ended. Wave after wave.
 */
import type { EventResource } from '@drawbridge/protocol/api/event';
import type { TransferRequest, TransferResource, TransferStateName } from '@drawbridge/protocol/api/transfer';
import { parseAssetCode, parseNetworkId, parseParticipantId, type TransferId } from '@drawbridge/protocol/ids';
import { BANKS } from './cast.ts';
import type { Payment } from './payments-file.ts';
import type { ValueNetwork } from './value-network.ts';

/** What a wrong lock is off by, in minor units. */
const WRONG_BY_MINOR = 100n;

/** The part of the client that a bank's desk uses here. */
export interface BankClient {
  /** `created` is false where the same transfer was submitted before. */
  submitTransfer(request: TransferRequest): Promise<{ created: boolean; transfer: TransferResource }>;
  transfer(id: TransferId): Promise<TransferResource>;
  followEvents(options: { after: number; signal: AbortSignal }): AsyncIterable<EventResource>;
}

/** Where a payment stands. `duplicate` and `refused` come from the core's answer, the rest is the transfer's state. */
export type Standing = Readonly<{
  payment: Payment;
  state: TransferStateName | 'WAITING' | 'DUPLICATE' | 'REFUSED';
  detail: string;
  startedMs?: number;
  endedMs?: number;
}>;

const ENDED: ReadonlySet<Standing['state']> = new Set<Standing['state']>([
  'SETTLED',
  'REJECTED',
  'EXPIRED',
  'CANCELLED',
  'RETURNED',
  'REFUNDED',
  'DUPLICATE',
  'REFUSED',
]);
/** The way of a transfer while it is open. The core's answer can be ahead of the event stream, which then tells old news. */
const STAGES: readonly Standing['state'][] = [
  'WAITING',
  'AWAITING_FUNDS',
  'FUNDED',
  'RELAYING',
  'VOIDING',
  'REFUNDING',
];
const isOldNews = (before: Standing['state'], state: Standing['state']): boolean =>
  STAGES.includes(state) && STAGES.indexOf(state) < STAGES.indexOf(before);
export const hasEnded = (standing: Standing): boolean => ENDED.has(standing.state);

export type RunOptions = Readonly<{
  payments: readonly Payment[];
  clients: ReadonlyMap<string, BankClient>;
  network: (id: string) => ValueNetwork;
  now: () => number;
  onChange: (standings: readonly Standing[], changed: Standing) => void;
  /** Given when the program ends early. */
  signal: AbortSignal;
}>;

export async function runPayments(options: RunOptions): Promise<readonly Standing[]> {
  const run = new Run(options);
  const following = [...options.clients].map(([bank, client]) => run.follow(bank, client));
  try {
    for (const wave of new Set(options.payments.map((payment) => payment.wave).sort((a, b) => a - b))) {
      await run.wave(wave);
    }
  } finally {
    run.close();
    await Promise.allSettled(following);
  }
  return run.standings();
}

class Run {
  readonly #options: RunOptions;
  readonly #standings: Map<number, Standing>;
  /** First row of each id, with what was sent: a repeated row must send the same. */
  readonly #sent = new Map<string, { row: number; request: TransferRequest }>();
  readonly #closing = new AbortController();
  #wake: () => void = () => undefined;

  constructor(options: RunOptions) {
    this.#options = options;
    this.#standings = new Map(
      options.payments.map((payment) => [payment.row, { payment, state: 'WAITING', detail: '' }]),
    );
    options.signal.addEventListener('abort', () => this.#wake(), { once: true });
  }

  standings(): readonly Standing[] {
    return [...this.#standings.values()];
  }

  close(): void {
    this.#closing.abort();
  }

  /** Rows of a wave start together; the same row twice must find the first already submitted, so submission is in order. */
  async wave(wave: number): Promise<void> {
    const rows = this.#options.payments.filter((payment) => payment.wave === wave);
    const locks: Promise<void>[] = [];
    for (const payment of rows) {
      const transfer = await this.#submit(payment);
      if (transfer?.lock && payment.lock !== 'none') locks.push(this.#lock(payment, transfer));
    }
    await Promise.all(locks);
    await this.#until(() => rows.every((payment) => hasEnded(this.#standing(payment.row))));
  }

  /** Reads the bank's events until the run closes; each one about a row of ours refreshes that row. */
  async follow(bank: string, client: BankClient): Promise<void> {
    const signal = AbortSignal.any([this.#closing.signal, this.#options.signal]);
    for await (const { transfer } of client.followEvents({ after: 0, signal })) {
      const row = transfer && transfer.bank === leiOf(bank) ? this.#sent.get(`${bank}/${transfer.id}`)?.row : undefined;
      if (transfer && row !== undefined) this.#update(row, transfer.state, reasonText(transfer.reason));
    }
  }

  async #submit(payment: Payment): Promise<TransferResource | undefined> {
    const client = this.#options.clients.get(payment.debtor);
    if (!client) throw new RangeError(`${payment.debtor} has no client`);
    const key = `${payment.debtor}/${payment.id}`;
    const before = this.#sent.get(key);
    const request =
      before && sameRow(this.#standing(before.row).payment, payment) ? before.request : this.#request(payment);
    if (!before) this.#sent.set(key, { row: payment.row, request });
    try {
      const { created, transfer } = await client.submitTransfer(request);
      if (!created) {
        this.#update(payment.row, 'DUPLICATE', `same as row ${before?.row ?? '?'}: one transfer, one answer`);
        return undefined;
      }
      this.#update(payment.row, transfer.state, reasonText(transfer.reason));
      return transfer;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      if (code === '') throw error;
      this.#update(payment.row, 'REFUSED', code);
      return undefined;
    }
  }

  #request(payment: Payment): TransferRequest {
    const { network, now } = this.#options;
    const time = (seconds: number): string => new Date(now() + seconds * 1_000).toISOString();
    const destination = payment.destination ? network(payment.destination) : undefined;
    const beneficiary =
      payment.beneficiary === 'refuses' ? destination?.refusedAddress : destination?.wallet(payment.creditor);
    return {
      id: payment.id,
      asset: parseAssetCode(payment.asset),
      amountMinor: payment.amountMinor.toString(),
      creditor: parseParticipantId(leiOf(payment.creditor)),
      onVoid: payment.onVoid,
      ...(payment.source
        ? {
            source: {
              network: parseNetworkId(payment.source),
              depositor: network(payment.source).wallet(payment.debtor),
            },
            fundBy: time(payment.fundBySeconds),
          }
        : {}),
      ...(payment.destination && beneficiary
        ? {
            destination: { network: parseNetworkId(payment.destination), beneficiary },
            deliverBy: time(payment.deliverBySeconds),
          }
        : {}),
    };
  }

  async #lock(payment: Payment, transfer: TransferResource): Promise<void> {
    const { lock } = transfer;
    if (!lock) return;
    const amountMinor = BigInt(lock.amountMinor) + (payment.lock === 'wrong-amount' ? WRONG_BY_MINOR : 0n);
    await this.#options.network(lock.network).lock(payment.debtor, payment.asset, lock.reference, amountMinor);
  }

  #standing(row: number): Standing {
    const found = this.#standings.get(row);
    if (!found) throw new RangeError(`there is no row ${row}`);
    return found;
  }

  #update(row: number, state: Standing['state'], detail: string): void {
    const before = this.#standing(row);
    if (hasEnded(before) || isOldNews(before.state, state)) return;
    if (before.state === state && before.detail === detail) return;
    const nowMs = this.#options.now();
    const after: Standing = { ...before, state, detail, startedMs: before.startedMs ?? nowMs };
    const standing = hasEnded(after) ? { ...after, endedMs: nowMs } : after;
    this.#standings.set(row, standing);
    this.#options.onChange(this.standings(), standing);
    this.#wake();
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      this.#options.signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

const reasonText = (reason: string | undefined): string => (reason ? `reason ${reason}` : '');

function leiOf(bank: string): string {
  return BANKS.find((known) => known.short === bank)?.lei ?? '';
}

/** Equal in everything but its place in the file. */
function sameRow(a: Payment, b: Payment): boolean {
  const text = (payment: Payment) =>
    JSON.stringify({ ...payment, row: 0, amountMinor: payment.amountMinor.toString() });
  return text(a) === text(b);
}
