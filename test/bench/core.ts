/**
 * How fast the core settles: a real node on a folder of its own, durable, over HTTPS with client certificates. The core is a
 * process of its own; this one is the client. Batched: requests of 1,000 payments, four at a time. Single: one payment a
 * request, 64 connections.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BANK_B,
  Client,
  depositToBankA,
  type LocalService,
  makeLocalService,
} from '@drawbridge/enclave-core/service/testing/local-service';

const MAIN = join(import.meta.dirname, '../../enclave-core/src/main.ts');
const BATCH = 1_000;
const BATCHES_AT_ONCE = 4;
const CONNECTIONS = 64;
const WARM_UP_MS = 1_500;
const MEASURED_MS = 7_000;
const READY_MS = 30_000;

export type CoreBench = Readonly<{
  name: 'core.batched' | 'core.single' | 'core.single.p50' | 'core.single.p99';
  value: number;
  unit: '1/s' | 'ms';
}>;

/** What one load did: payments settled per second, and how long each request took, sorted, in ms. */
type Measured = Readonly<{ paymentsPerSecond: number; latenciesMs: readonly number[] }>;

export async function benchCore(): Promise<readonly CoreBench[]> {
  const root = await mkdtemp(join(tmpdir(), 'drawbridge-bench-'));
  const service = await makeLocalService(join(root, 'core'), root);
  const core = startCore(service);
  try {
    const url = await readyUrl(core);
    await fund(url, service);
    const payer = new Payer(url, service);
    await payer.run({ payments: BATCH, atOnce: BATCHES_AT_ONCE, forMs: WARM_UP_MS });
    const batched = await payer.run({ payments: BATCH, atOnce: BATCHES_AT_ONCE, forMs: MEASURED_MS });
    await payer.run({ payments: 1, atOnce: CONNECTIONS, forMs: WARM_UP_MS });
    const single = await payer.run({ payments: 1, atOnce: CONNECTIONS, forMs: MEASURED_MS });
    payer.close();
    return [
      { name: 'core.batched', value: Math.round(batched.paymentsPerSecond), unit: '1/s' },
      { name: 'core.single', value: Math.round(single.paymentsPerSecond), unit: '1/s' },
      { name: 'core.single.p50', value: quantile(single.latenciesMs, 0.5), unit: 'ms' },
      { name: 'core.single.p99', value: quantile(single.latenciesMs, 0.99), unit: 'ms' },
    ];
  } finally {
    await stopCore(core);
    await rm(root, { recursive: true, force: true });
  }
}

function quantile(sorted: readonly number[], q: number): number {
  const at = Math.min(sorted.length - 1, Math.floor(sorted.length * q));
  return Math.round((sorted[at] ?? 0) * 100) / 100;
}

/** Extra flags for the core's Node come from `DRAWBRIDGE_BENCH_CORE_FLAGS`, for profiles. */
function startCore({ dir, genesisFile }: LocalService): ChildProcess {
  const flags = (process.env.DRAWBRIDGE_BENCH_CORE_FLAGS ?? '').split(' ').filter((flag) => flag !== '');
  const args = ['start', '--dir', dir, '--genesis', genesisFile, '--listen', '127.0.0.1:0', '--development'];
  return spawn(
    process.execPath,
    [...flags, '--conditions=drawbridge-source', '--import', import.meta.resolve('tsx'), MAIN, ...args],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
}

function readyUrl(core: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the core was not ready in time')), READY_MS);
    let text = '';
    core.once('exit', (code) => reject(new Error(`the core ended with ${code}`)));
    core.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (!text.includes('\n')) return;
      clearTimeout(timer);
      resolve((JSON.parse(text) as { url: string }).url);
    });
  });
}

function stopCore(core: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (core.exitCode !== null || core.signalCode !== null) {
      resolve();
      return;
    }
    core.once('exit', () => resolve());
    core.kill('SIGTERM');
  });
}

async function fund(url: string, service: LocalService): Promise<void> {
  const bank = new Client(url, service, 'bankA', 1);
  const relay = new Client(url, service, 'relay', 1);
  const id = 'ffffffff-0000-4000-8000-000000000000';
  await depositToBankA(service, { bank, relay }, { id, amountMinor: 500_000_000_000n, seq: 1 });
  bank.close();
  relay.close();
}

/** Bank A, paying bank B. Reads of an answer no more than whether each payment settled. */
class Payer {
  readonly #url: URL;
  readonly #agent: Agent;
  #count = 0;

  constructor(url: string, { clients, identity }: LocalService) {
    this.#url = new URL(url);
    const { key, certificate } = clients.bankA;
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: CONNECTIONS,
      ca: identity.serviceCertificate,
      cert: certificate,
      key,
    });
  }

  async run({ payments, atOnce, forMs }: { payments: number; atOnce: number; forMs: number }): Promise<Measured> {
    const latenciesMs: number[] = [];
    const begin = performance.now();
    const end = begin + forMs;
    const loop = async (): Promise<void> => {
      while (performance.now() < end) {
        const sent = performance.now();
        await (payments === 1 ? this.#payOne() : this.#payMany(payments));
        latenciesMs.push(performance.now() - sent);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, loop));
    const seconds = (performance.now() - begin) / 1_000;
    latenciesMs.sort((a, b) => a - b);
    return { paymentsPerSecond: (latenciesMs.length * payments) / seconds, latenciesMs };
  }

  close(): void {
    this.#agent.destroy();
  }

  #payment(): string {
    const id = `00000000-0000-4000-8000-${(++this.#count).toString(16).padStart(12, '0')}`;
    return `{"id":"${id}","asset":"EUR","amountMinor":"${1 + (this.#count % 90)}","creditor":"${BANK_B}"}`;
  }

  async #payOne(): Promise<void> {
    const { status, text } = await this.#post('/v1/transfers', this.#payment());
    if (status !== 201 || !text.includes('"SETTLED"')) throw new Error(`a payment was answered ${status}: ${text}`);
  }

  async #payMany(count: number): Promise<void> {
    const items = Array.from({ length: count }, () => this.#payment());
    const { status, text } = await this.#post('/v1/transfers:batch', `{"transfers":[${items.join(',')}]}`);
    const settled = text.split('"SETTLED"').length - 1;
    if (status !== 200 || settled !== count) throw new Error(`${settled} of ${count} settled, status ${status}`);
  }

  #post(path: string, body: string): Promise<{ status: number; text: string }> {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    return new Promise((resolve, reject) => {
      const call = request(new URL(path, this.#url), { method: 'POST', agent: this.#agent, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('latin1') }),
        );
      });
      call.on('error', reject);
      call.end(body);
    });
  }
}
