/**
 * Three nodes of etcd from the Debian package, and our client for them: TLS with certificates on every hop, defaults otherwise,
 * but for the size of transactions and of the database.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type ManagedProcess, startProcess } from '@drawbridge/devnets/child-process';
import { DebianUnpackError, type RunnableProgram, unpackDebianProgram } from '@drawbridge/devnets/debian-unpack';
import { freePorts } from '@drawbridge/devnets/free-port';
import { clientCertificate } from '@drawbridge/enclave-core/service/testing/client-certificate';
import type { Round } from './measured.ts';
import { usageOf, usedBetween } from './process-usage.ts';

const NODES = 3;
const CLIENT = join(import.meta.dirname, 'etcd-load');
const BUILD_TIMEOUT_MS = 300_000;
const READY_MS = 30_000;
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;
/** Above the 100 puts of a transaction; the default is 128. */
const MAX_TXN_OPS = '1000';
const QUOTA_BYTES = String(8 * 2 ** 30);

const run = promisify(execFile);

/** Why there is no etcd to compare with, in words. */
export class NoEtcdError extends Error {
  override readonly name = 'NoEtcdError';
  readonly code = 'NO_ETCD' as const;
}

export type Puts = Readonly<{ clients: number; perTransaction: number; valueBytes: number; forMs: number }>;

type Made = Readonly<{ root: string; client: string; certificate: string; key: string; endpoints: string }>;

export class EtcdNodes {
  readonly #made: Made;
  readonly #processes: ManagedProcess[] = [];

  private constructor(made: Made) {
    this.#made = made;
  }

  /** @throws NoEtcdError where Go or the package cannot be had */
  static async start(log: (sentence: string) => void): Promise<EtcdNodes> {
    const env = process.env;
    const cacheDir = join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'drawbridge');
    const wanted = { name: 'etcd', packages: ['etcd-server'], program: 'usr/bin/etcd' };
    const program = await unpackDebianProgram(wanted, { cacheDir, env, log }).catch((cause: unknown) => {
      if (cause instanceof DebianUnpackError) throw new NoEtcdError(cause.message, { cause });
      throw cause;
    });
    const client = join(cacheDir, 'etcd-load');
    await run('go', ['build', '-o', client, '.'], {
      cwd: CLIENT,
      env: { ...env, CGO_ENABLED: '0' },
      timeout: BUILD_TIMEOUT_MS,
    }).catch((cause: unknown) => {
      throw new NoEtcdError(`its client cannot be built: ${(cause as Error).message}`, { cause });
    });
    const root = await mkdtemp(join(tmpdir(), 'drawbridge-etcd-'));
    const ports = await freePorts(2 * NODES);
    const url = (n: number): string => `https://127.0.0.1:${ports[n]}`;
    const endpoints = Array.from({ length: NODES }, (_, n) => url(2 * n)).join(',');
    const files = { certificate: join(root, 'etcd.pem'), key: join(root, 'etcd.key') };
    const own = clientCertificate('etcd');
    await writeFile(files.certificate, own.certificate);
    await writeFile(files.key, own.key, { mode: 0o600 });
    const nodes = new EtcdNodes({ root, client, ...files, endpoints });
    try {
      const peers = Array.from({ length: NODES }, (_, n) => url(2 * n + 1));
      const starts = peers.map((peer, n) => nodes.#startNode(program, n, { api: url(2 * n), peer, peers }));
      await Promise.all(starts);
      return nodes;
    } catch (error) {
      await nodes.stop();
      throw error;
    }
  }

  async #startNode(
    { command, env }: RunnableProgram,
    n: number,
    { api, peer, peers }: Readonly<{ api: string; peer: string; peers: readonly string[] }>,
  ): Promise<void> {
    const { root, certificate, key } = this.#made;
    const settings: Readonly<Record<string, string>> = {
      name: `etcd-${n}`,
      'data-dir': join(root, `etcd-${n}`),
      'listen-client-urls': api,
      'advertise-client-urls': api,
      'listen-peer-urls': peer,
      'initial-advertise-peer-urls': peer,
      'initial-cluster': peers.map((url, i) => `etcd-${i}=${url}`).join(','),
      'initial-cluster-state': 'new',
      'cert-file': certificate,
      'key-file': key,
      'trusted-ca-file': certificate,
      'peer-cert-file': certificate,
      'peer-key-file': key,
      'peer-trusted-ca-file': certificate,
      'max-txn-ops': MAX_TXN_OPS,
      'quota-backend-bytes': QUOTA_BYTES,
      logger: 'zap',
    };
    const args = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
    const started = await startProcess({
      name: `etcd-${n}`,
      command,
      args: [...args, '--client-cert-auth', '--peer-client-cert-auth'],
      env,
      logFile: join(root, `etcd-${n}.log`),
      ready: { line: /ready to serve client requests|serving client (traffic|requests)/ },
      readyTimeoutMs: READY_MS,
    });
    this.#processes.push(started);
  }

  async put({ clients, perTransaction, valueBytes, forMs }: Puts): Promise<Round> {
    const { client, endpoints, certificate, key } = this.#made;
    const pids = this.#processes.map(({ pid }) => pid);
    const args = {
      endpoints,
      certificate,
      key,
      prefix: randomUUID().slice(0, 8),
      clients,
      'per-transaction': perTransaction,
      'value-bytes': valueBytes,
      for: `${forMs}ms`,
    };
    const before = await usageOf(pids);
    const { stdout } = await run(
      client,
      Object.entries(args).map(([name, value]) => `--${name}=${value}`),
      { maxBuffer: MAX_OUTPUT_BYTES },
    );
    const used = usedBetween(before, await usageOf(pids));
    const { done, seconds, latenciesMicros } = JSON.parse(stdout) as {
      done: number;
      seconds: number;
      latenciesMicros: number[];
    };
    return { done, seconds, latenciesMs: latenciesMicros.map((micros) => micros / 1_000), used };
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((started) => started.stop()));
    await rm(this.#made.root, { recursive: true, force: true });
  }
}
