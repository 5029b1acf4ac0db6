/** One node of the core as a process: started, stopped, killed, frozen and started again at the same addresses. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { type ManagedProcess, type ProcessExit, startProcess } from '@drawbridge/devnets/child-process';
import type { NodeState } from '@drawbridge/protocol/api/node';
import type { ServiceNodes } from '@drawbridge/protocol/api/service-nodes';

/** From spawn to ready, ms: a node that joins fetches the whole ledger first. */
const READY_MS = 90_000;
const ANSWER_MS = 5_000;

export type ReadyLine = Readonly<{ ready: true; url: string; serviceId: string; nodeId: string; peerAddress: string }>;

/** What surrounds a process, in front of the command and in its environment. */
export type Surroundings = Readonly<{ prefix?: readonly string[]; env?: Readonly<Record<string, string>> }>;

export type CoreProcessPlace = Readonly<{
  /** The file to run with Node. */
  program: string;
  /** Logs and the service's certificate lie there. */
  root: string;
  name: string;
  /** The node's folder. */
  dir: string;
  nodeId: string;
  /** host:port. */
  api: string;
  peer: string;
}>;

export class CoreProcess {
  readonly name: string;
  readonly dir: string;
  readonly nodeId: string;
  /** host:port. */
  readonly api: string;
  readonly peer: string;
  readonly #command: readonly string[];
  readonly #logFile: string;
  readonly #serviceCertFile: string;
  surroundings: Surroundings = {};
  #process: ManagedProcess | undefined;

  constructor(place: CoreProcessPlace) {
    this.name = place.name;
    this.dir = place.dir;
    this.nodeId = place.nodeId;
    this.api = place.api;
    this.peer = place.peer;
    this.#command = [process.execPath, place.program];
    this.#logFile = join(place.root, `${place.name}.log`);
    this.#serviceCertFile = join(place.root, 'service.pem');
  }

  get url(): string {
    return `https://${this.api}`;
  }

  get running(): boolean {
    return this.#process?.running() ?? false;
  }

  get pid(): number {
    if (!this.#process) throw new Error(`${this.name} was never started`);
    return this.#process.pid;
  }

  /** @throws ProcessError when it is not ready in time, or ends before. */
  async start(args: readonly string[], readyTimeoutMs: number = READY_MS): Promise<ReadyLine> {
    const own = ['--dir', this.dir, '--listen', this.api, '--peer-listen', this.peer, '--development'];
    const [command = '', ...all] = [...(this.surroundings.prefix ?? []), ...this.#command, ...args, ...own];
    this.#process = await startProcess({
      name: this.name,
      command,
      args: all,
      env: { ...process.env, ...this.surroundings.env },
      logFile: this.#logFile,
      ready: { line: /^\{"ready":true/ },
      readyTimeoutMs,
    });
    return JSON.parse(String(this.#process.readyWith)) as ReadyLine;
  }

  async stop(): Promise<ProcessExit | undefined> {
    this.signal('SIGCONT');
    return this.#process?.stop();
  }

  async kill9(): Promise<void> {
    await this.#process?.kill9();
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.signal(signal);
  }

  /** Resolves when it has ended, whatever ended it. */
  async exited(): Promise<ProcessExit> {
    if (!this.#process) throw new Error(`${this.name} was never started`);
    return this.#process.exited;
  }

  /** All that it logged in all of its lives. */
  log(): Promise<string> {
    return readFile(this.#logFile, 'utf8');
  }

  state(): Promise<NodeState> {
    return this.#get('/node/state') as Promise<NodeState>;
  }

  async members(): Promise<ServiceNodes['nodes']> {
    return ((await this.#get('/node/network/nodes')) as ServiceNodes).nodes;
  }

  /** What anyone can read of a node, without a certificate. */
  async get(path: string): Promise<Readonly<{ status: number; body: unknown; transactionId: string | undefined }>> {
    const ca = await readFile(this.#serviceCertFile, 'utf8');
    const pinned = new X509Certificate(ca);
    return new Promise((settle, reject) => {
      const asked = request(
        new URL(path, this.url),
        {
          ca,
          agent: false,
          timeout: ANSWER_MS,
          checkServerIdentity: (_host, shown) =>
            new X509Certificate(shown.raw).verify(pinned.publicKey) ? undefined : new Error('not of this service'),
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            const id = response.headers['x-ms-ccf-transaction-id'];
            settle({
              status: response.statusCode ?? 0,
              body: text.startsWith('{') ? (JSON.parse(text) as unknown) : text,
              transactionId: typeof id === 'string' ? id : undefined,
            });
          });
        },
      );
      asked.on('timeout', () => asked.destroy(new Error(`${this.name} does not answer`)));
      asked.on('error', reject);
      asked.end();
    });
  }

  async #get(path: string): Promise<unknown> {
    const { status, body } = await this.get(path);
    if (status !== 200) throw new Error(`${this.name} answers ${path} with ${status}`);
    return body;
  }
}
