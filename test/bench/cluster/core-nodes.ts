/**
 * Three nodes of the core as production runs them: built JavaScript, a bare environment, no core dumps, each a process with a
 * folder of its own; fixed addresses on loopback, TLS on every hop.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type ManagedProcess, startProcess } from '@drawbridge/devnets/child-process';
import { freePorts } from '@drawbridge/devnets/free-port';
import { until } from '@drawbridge/devnets/until';
import type { PublicIdentity } from '@drawbridge/enclave-core/service/create-service';
import {
  Client,
  depositToBankA,
  type LocalService,
  localServiceOf,
} from '@drawbridge/enclave-core/service/testing/local-service';
import type { NodeState } from '@drawbridge/protocol/api/node';

const REPOSITORY = join(import.meta.dirname, '../../..');
const PROGRAM = join(REPOSITORY, 'enclave-core/dist/main.js');
const READY_MS = 60_000;
const ANSWER_MS = 2_000;
/** Of a node that ended early, in UTF-16 code units. */
const MAX_LAST_WORDS = 2_000;
/** All that a node finds in its environment. */
const ENVIRONMENT = { PATH: process.env.PATH ?? '/usr/bin:/bin', TMPDIR: tmpdir() };
/** A node refuses to start where it could be dumped. */
const WITHOUT_DUMPS = ['-c', 'ulimit -c 0; exec "$@"', 'sh', process.execPath];
/** As the container image starts it. */
const MEMORY = ['--max-semi-space-size=64'];
/** More than any run pays, in cents. */
const FUNDS_MINOR = 500_000_000_000n;

const run = promisify(execFile);

/** Compiles what the nodes run. @throws with what the compiler says */
export async function buildCore(): Promise<void> {
  const compiler = join(REPOSITORY, 'node_modules/typescript/bin/tsc');
  const building = run(process.execPath, [compiler, '-b', join(REPOSITORY, 'enclave-core')]);
  await building.catch((cause: Error & { stdout?: string }) => {
    throw new Error(`the core does not compile (--no-build runs what was built last):\n${cause.stdout}`, { cause });
  });
}

type Place = Readonly<{ name: string; dir: string; api: string; peer: string }>;

export class CoreNode {
  readonly place: Place;
  readonly #args: readonly string[];
  readonly #logFile: string;
  #process: ManagedProcess | undefined;

  constructor(place: Place, args: readonly string[], logFile: string) {
    this.place = place;
    this.#args = args;
    this.#logFile = logFile;
  }

  get url(): string {
    return `https://${this.place.api}`;
  }

  get pid(): number {
    if (!this.#process) throw new Error(`${this.place.name} was never started`);
    return this.#process.pid;
  }

  get running(): boolean {
    return this.#process?.running() ?? false;
  }

  /** What it said last, where it has ended. */
  get ended(): string | undefined {
    return this.#process && !this.running
      ? `${this.place.name}: ended early and said last\n${this.#process.recentOutput().slice(-MAX_LAST_WORDS)}`
      : undefined;
  }

  /** `flags`: of Node, which then runs as if for development. */
  async start(flags: readonly string[] = []): Promise<void> {
    const { name, dir, api, peer } = this.place;
    const own = ['--dir', dir, '--listen', api, '--peer-listen', peer, ...(flags.length > 0 ? ['--development'] : [])];
    this.#process = await startProcess({
      name,
      command: '/bin/sh',
      args: [...WITHOUT_DUMPS, ...MEMORY, ...flags, PROGRAM, ...this.#args, ...own],
      env: ENVIRONMENT,
      logFile: this.#logFile,
      ready: { line: /^\{"ready":true/ },
      readyTimeoutMs: READY_MS,
    });
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  async kill9(): Promise<void> {
    await this.#process?.kill9();
  }

  /** What it says to anyone, who here does not ask for its certificate. */
  state(): Promise<NodeState> {
    const options = { agent: false, timeout: ANSWER_MS, rejectUnauthorized: false } as const;
    return new Promise((resolve, reject) => {
      const asked = request(new URL('/node/state', this.url), options, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('error', reject);
        response.on('end', () => {
          if (response.statusCode === 200) resolve(JSON.parse(text) as NodeState);
          else reject(new Error(`${this.place.name} answers ${response.statusCode}`));
        });
      });
      asked.on('timeout', () => asked.destroy(new Error(`${this.place.name} does not answer`)));
      asked.on('error', reject);
      asked.end();
    });
  }
}

export class CoreNodes {
  readonly service: LocalService;
  readonly nodes: readonly CoreNode[];
  readonly #root: string;

  private constructor(service: LocalService, nodes: readonly CoreNode[], root: string) {
    this.service = service;
    this.nodes = nodes;
    this.#root = root;
  }

  /**
   * Made, started, voting, and bank A funded. `flagsOf`: of Node, for the node of that number, counted from 0; `args`: further ones
   * of every start.
   */
  static async start(
    count: number,
    {
      flagsOf = () => [],
      args = [],
    }: Readonly<{ flagsOf?: (node: number) => readonly string[]; args?: readonly string[] }> = {},
  ): Promise<CoreNodes> {
    const root = await mkdtemp(join(tmpdir(), 'drawbridge-bench-'));
    const made = await CoreNodes.#make(root, count, args);
    try {
      for (const [n, node] of made.nodes.entries()) await node.start(flagsOf(n));
      await made.complete();
      await made.#fund();
      return made;
    } catch (error) {
      await made.stop();
      throw error;
    }
  }

  static async #make(root: string, count: number, more: readonly string[]): Promise<CoreNodes> {
    const names = Array.from({ length: count }, (_, n) => `core-${n + 1}`);
    const made: PublicIdentity[] = [];
    for (const [n, name] of names.entries()) {
      const command = n === 0 ? ['create', '--vaults', 'alpha/EUR'] : ['node'];
      const args = [...WITHOUT_DUMPS, PROGRAM, ...command, '--dir', join(root, name), '--hosts', '127.0.0.1'];
      const { stdout } = await run('/bin/sh', args, { env: ENVIRONMENT });
      made.push(JSON.parse(stdout) as PublicIdentity);
    }
    const [identity, ...others] = made;
    const dir = join(root, names[0] ?? '');
    if (!identity) throw new RangeError('a service has a node');
    const service = await localServiceOf({ identity, dir, root, nodes: others.map(({ nodeId }) => nodeId) });
    const certificate = join(root, 'service.pem');
    await writeFile(certificate, identity.serviceCertificate);
    await mkdir(join(root, 'logs'));
    const ports = await freePorts(2 * count);
    const places = names.map((name, n): Place => {
      const [api, peer] = [`127.0.0.1:${ports[2 * n]}`, `127.0.0.1:${ports[2 * n + 1]}`];
      return { name, dir: join(root, name), api, peer };
    });
    const nodes = places.map((place, n) => {
      const peers = places.filter((other) => other !== place).map(({ peer }) => peer);
      const join_ = ['join', '--service-cert', certificate, '--peer', peers.join(',')];
      const args = n === 0 ? ['start', '--genesis', service.genesisFile] : join_;
      return new CoreNode(place, [...args, ...more], join(root, 'logs', place.name));
    });
    return new CoreNodes(service, nodes, root);
  }

  get up(): CoreNode[] {
    return this.nodes.filter(({ running }) => running);
  }

  get pids(): number[] {
    return this.up.map(({ pid }) => pid);
  }

  /** As it says itself, at the highest view. */
  async leader(): Promise<CoreNode> {
    let found: CoreNode | undefined;
    await until('a leader', READY_MS, async () => {
      const states = await Promise.all(this.up.map((node) => node.state().catch(() => undefined)));
      const view = Math.max(...states.map((state) => state?.view ?? 0));
      found = this.up.find((_, n) => states[n]?.role === 'leader' && states[n]?.view === view);
      return found !== undefined;
    });
    if (!found) throw new Error('until has found one');
    return found;
  }

  /** Waits until all take part, each with a vote. */
  async complete(): Promise<void> {
    await until('every node has a vote', READY_MS, async () => {
      const states = await Promise.all(this.nodes.map((node) => node.state()));
      return states.every(({ role, state }) => state === 'PartOfNetwork' && (role === 'leader' || role === 'follower'));
    });
  }

  /** Waits until every node has applied what the furthest has. */
  async even(): Promise<void> {
    await until('all nodes have applied the same', READY_MS, async () => {
      const states = await Promise.all(this.nodes.map((node) => node.state()));
      return new Set(states.map(({ committedSeqno }) => committedSeqno)).size === 1;
    });
  }

  async #fund(): Promise<void> {
    const { url } = await this.leader();
    const bank = new Client(url, this.service, 'bankA', 1);
    const relay = new Client(url, this.service, 'relay', 1);
    await depositToBankA(this.service, { bank, relay }, { id: randomUUID(), amountMinor: FUNDS_MINOR, seq: 1 });
    bank.close();
    relay.close();
  }

  /** A node that has ended by itself has its last words printed. */
  async stop(): Promise<void> {
    for (const { ended } of this.nodes) if (ended !== undefined) process.stderr.write(`${ended}\n`);
    await Promise.all(this.nodes.map((node) => node.stop()));
    await rm(this.#root, { recursive: true, force: true });
  }
}
