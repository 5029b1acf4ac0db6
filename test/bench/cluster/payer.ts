/** Bank A, paying bank B over connections that stay open, with its certificate. Reads of an answer whether it settled. */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { BANK_B, type LocalService } from '@drawbridge/enclave-core/service/testing/local-service';
import { Pool } from 'undici';

/** Amounts go round, so that their digits do. */
const AMOUNTS = 90;

export type Load = Readonly<{
  /** Payments in a request; 1 is a single payment. */
  batch: number;
  /** Requests on their way at once. */
  atOnce: number;
  forMs: number;
}>;

export type Answered = Readonly<{ done: number; seconds: number; latenciesMs: number[] }>;

export class Payer {
  readonly #pool: Pool;
  readonly #prefix = randomBytes(4).toString('hex');
  #count = 0;

  constructor(url: string, { clients, identity }: LocalService, connections: number) {
    const { key, certificate } = clients.bankA;
    const connect = { ca: identity.serviceCertificate, cert: certificate, key };
    this.#pool = new Pool(url, { connections, connect });
  }

  /** Each of `atOnce` sends its next when its last was answered. */
  async closedLoop({ batch, atOnce, forMs }: Load): Promise<Answered> {
    const latenciesMs: number[] = [];
    const begin = performance.now();
    const end = begin + forMs;
    const loop = async (): Promise<void> => {
      while (performance.now() < end) {
        const sent = performance.now();
        await this.pay(batch);
        latenciesMs.push(performance.now() - sent);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, loop));
    return { done: latenciesMs.length * batch, seconds: (performance.now() - begin) / 1_000, latenciesMs };
  }

  /** Single payments at the times of a clock, answered or not; latency counts from when each was due. */
  async openLoop(perSecond: number, forMs: number): Promise<Answered> {
    const latenciesMs: number[] = [];
    const all: Promise<void>[] = [];
    const begin = performance.now();
    const total = Math.floor((perSecond * forMs) / 1_000);
    const one = async (dueMs: number): Promise<void> => {
      await this.pay(1);
      latenciesMs.push(performance.now() - dueMs);
    };
    while (all.length < total) {
      const dueMs = begin + (all.length * 1_000) / perSecond;
      const earlyMs = dueMs - performance.now();
      if (earlyMs > 0) await pause(earlyMs);
      all.push(one(dueMs));
    }
    await Promise.all(all);
    return { done: total, seconds: (performance.now() - begin) / 1_000, latenciesMs };
  }

  async pay(batch: number): Promise<void> {
    if (batch === 1) await this.#payOne();
    else await this.#payMany(batch);
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }

  /** The body of a single payment; also what the value of a put in etcd is as long as. */
  payment(): string {
    const n = ++this.#count;
    const id = `${this.#prefix}-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
    return `{"id":"${id}","asset":"EUR","amountMinor":"${10 + (n % AMOUNTS)}","creditor":"${BANK_B}"}`;
  }

  async #payOne(): Promise<void> {
    const { status, text } = await this.#post('/v1/transfers', this.payment());
    if (status !== 201 || !text.includes('"SETTLED"')) throw new Error(`a payment was answered ${status}: ${text}`);
  }

  async #payMany(count: number): Promise<void> {
    const items = Array.from({ length: count }, () => this.payment());
    const { status, text } = await this.#post('/v1/transfers:batch', `{"transfers":[${items.join(',')}]}`);
    const settled = text.split('"SETTLED"').length - 1;
    if (status !== 200 || settled !== count) {
      throw new Error(`${settled} of ${count} settled, status ${status}: ${text.slice(0, 300)}`);
    }
  }

  async #post(path: string, body: string): Promise<{ status: number; text: string }> {
    const headers = { 'content-type': 'application/json' };
    const answer = await this.#pool.request({ path, method: 'POST', headers, body });
    return { status: answer.statusCode, text: await answer.body.text() };
  }
}
