/**
 * How fast the core settles: a real node on a folder of its own, durable, over HTTPS with client certificates. The core is a
 * process of its own; this one is the client. Batched: requests of 1,000 payments, four at a time. Single: one payment a
 * request, 64 connections, in rounds that take turns with a bare HTTPS server, since the speed of a shared machine moves
 * within seconds: the ratio of both says more than either.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BANK_B,
  Client,
  depositToBankA,
  type LocalService,
  makeLocalService,
} from '@drawbridge/enclave-core/service/testing/local-service';
import { Pool } from 'undici';

const MAIN = join(import.meta.dirname, '../../enclave-core/src/main.ts');
const BARE = join(import.meta.dirname, 'bare-https.ts');
const BATCH = 1_000;
const BATCHES_AT_ONCE = 4;
const CONNECTIONS = 64;
const WARM_UP_MS = 1_500;
const MEASURED_MS = 7_000;
const ROUNDS = 5;
const ROUND_MS = 2_000;
const READY_MS = 30_000;

export type CoreBench = Readonly<{
  name:
    | 'core.batched'
    | 'core.single'
    | 'core.single.p50'
    | 'core.single.p99'
    | 'core.single.bare'
    | 'core.single.ratio';
  value: number;
  unit: '1/s' | 'ms' | 'of bare HTTPS';
}>;

/** What one load did: payments settled per second, and how long each request took, sorted, in ms. */
type Measured = Readonly<{ paymentsPerSecond: number; latenciesMs: readonly number[] }>;

export async function benchCore(): Promise<readonly CoreBench[]> {
  const root = await mkdtemp(join(tmpdir(), 'drawbridge-bench-'));
  const service = await makeLocalService(join(root, 'core'), root);
  const core = startCore(service);
  const bare = await startBare(service, root);
  try {
    const url = await readyUrl(core);
    await fund(url, service);
    const payer = new Payer(url, service);
    await payer.run({ payments: BATCH, atOnce: BATCHES_AT_ONCE, forMs: WARM_UP_MS });
    const batched = await payer.run({ payments: BATCH, atOnce: BATCHES_AT_ONCE, forMs: MEASURED_MS });
    const ceiling = new Payer(await readyUrl(bare), service);
    const { single, ofBare } = await takeTurns(payer, ceiling);
    await Promise.all([payer.close(), ceiling.close()]);
    const perSecond = median(single.map(({ paymentsPerSecond }) => paymentsPerSecond));
    const barePerSecond = median(ofBare.map(({ paymentsPerSecond }) => paymentsPerSecond));
    const latenciesMs = single.flatMap((round) => round.latenciesMs).sort((a, b) => a - b);
    return [
      { name: 'core.batched', value: Math.round(batched.paymentsPerSecond), unit: '1/s' },
      { name: 'core.single', value: Math.round(perSecond), unit: '1/s' },
      { name: 'core.single.p50', value: quantile(latenciesMs, 0.5), unit: 'ms' },
      { name: 'core.single.p99', value: quantile(latenciesMs, 0.99), unit: 'ms' },
      { name: 'core.single.bare', value: Math.round(barePerSecond), unit: '1/s' },
      { name: 'core.single.ratio', value: Math.round((perSecond / barePerSecond) * 100) / 100, unit: 'of bare HTTPS' },
    ];
  } finally {
    await Promise.all([stop(core), stop(bare)]);
    await rm(root, { recursive: true, force: true });
  }
}

/** Rounds of single payments to the core and to the bare server, one after the other. */
async function takeTurns(core: Payer, bare: Payer): Promise<{ single: Measured[]; ofBare: Measured[] }> {
  const load = { payments: 1, atOnce: CONNECTIONS };
  for (const payer of [core, bare]) await payer.run({ ...load, forMs: WARM_UP_MS });
  const single: Measured[] = [];
  const ofBare: Measured[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    single.push(await core.run({ ...load, forMs: ROUND_MS }));
    ofBare.push(await bare.run({ ...load, forMs: ROUND_MS }));
  }
  return { single, ofBare };
}

function median(values: readonly number[]): number {
  return quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}

function quantile(sorted: readonly number[], q: number): number {
  const at = Math.min(sorted.length - 1, Math.floor(sorted.length * q));
  return Math.round((sorted[at] ?? 0) * 100) / 100;
}

/** As the container image starts it. */
const MEMORY = '--max-semi-space-size=64';

/** Extra flags for the core's Node come from `DRAWBRIDGE_BENCH_CORE_FLAGS`, for profiles. */
function startCore({ dir, genesisFile }: LocalService): ChildProcess {
  const flags = (process.env.DRAWBRIDGE_BENCH_CORE_FLAGS ?? '').split(' ').filter((flag) => flag !== '');
  const args = ['start', '--dir', dir, '--genesis', genesisFile, '--listen', '127.0.0.1:0', '--development'];
  return spawn(
    process.execPath,
    [MEMORY, ...flags, '--conditions=drawbridge-source', '--import', import.meta.resolve('tsx'), MAIN, ...args],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
}

async function startBare({ clients }: LocalService, root: string): Promise<ChildProcess> {
  const files = { key: join(root, 'bare.key'), certificate: join(root, 'bare.pem') };
  await writeFile(files.key, clients.relay.key);
  await writeFile(files.certificate, clients.relay.certificate);
  return spawn(process.execPath, ['--import', import.meta.resolve('tsx'), BARE, files.key, files.certificate], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

function readyUrl(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the server was not ready in time')), READY_MS);
    let text = '';
    server.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
    server.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (!text.includes('\n')) return;
      clearTimeout(timer);
      resolve((JSON.parse(text) as { url: string }).url);
    });
  });
}

function stop(server: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (server.exitCode !== null || server.signalCode !== null) {
      resolve();
      return;
    }
    server.once('exit', () => resolve());
    server.kill('SIGTERM');
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
  readonly #pool: Pool;
  #count = 0;

  constructor(url: string, { clients, identity }: LocalService) {
    const { key, certificate } = clients.bankA;
    const connect = { ca: [identity.serviceCertificate, clients.relay.certificate], cert: certificate, key };
    this.#pool = new Pool(url, { connections: CONNECTIONS, connect });
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

  close(): Promise<void> {
    return this.#pool.close();
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

  async #post(path: string, body: string): Promise<{ status: number; text: string }> {
    const headers = { 'content-type': 'application/json' };
    const answer = await this.#pool.request({ path, method: 'POST', headers, body });
    return { status: answer.statusCode, text: await answer.body.text() };
  }
}
