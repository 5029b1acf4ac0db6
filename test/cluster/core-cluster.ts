/**
 * A core of several nodes, each a process of its own, made and started by the commands that operators have. Without chains: money
 * comes by deposits that three observers sign.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DrawbridgeClient } from '@drawbridge/client/bank-client';
import { freePorts } from '@drawbridge/devnets/free-port';
import { until } from '@drawbridge/devnets/until';
import type { PublicIdentity } from '@drawbridge/enclave-core/service/create-service';
import {
  BANK_B,
  Client,
  depositToBankA,
  type LocalService,
  localServiceOf,
  type Who,
} from '@drawbridge/enclave-core/service/testing/local-service';
import { amendmentStatement } from '@drawbridge/protocol/amendment-statement';
import { type AssetCode, parseAssetCode, parseParticipantId, parseTransferId } from '@drawbridge/protocol/ids';
import { bundlePrograms, type Programs } from './bundle-programs.ts';
import { CoreProcess, type ReadyLine } from './core-process.ts';
import { type Ended, runCommand } from './run-command.ts';

const PATIENCE_MS = 60_000;
export const EUR: AssetCode = parseAssetCode('EUR');

export type ClusterOptions = Readonly<{
  /** Nodes that genesis lists, the first included. */
  nodes: number;
  /** Further nodes that are made and that genesis does not list. */
  spares?: number;
  /** Host of each node; 127.0.0.1 when left out. */
  hosts?: readonly string[];
  /** Further arguments of every start. */
  args?: readonly string[];
  /** Folder of a node, where it is not in the root. */
  dirOf?: (name: string) => string;
}>;

export class CoreCluster {
  readonly root: string;
  readonly service: LocalService;
  readonly serviceCertFile: string;
  /** All that were made, running or not; the first begins the service. */
  readonly nodes: readonly CoreProcess[];
  readonly #programs: Programs;
  readonly #args: readonly string[];
  readonly #closes: (() => void)[] = [];
  #amendments = 0;
  #deposits = 0;

  private constructor(
    made: Readonly<{ root: string; service: LocalService; nodes: readonly CoreProcess[]; programs: Programs }>,
    args: readonly string[],
  ) {
    this.root = made.root;
    this.service = made.service;
    this.serviceCertFile = join(made.root, 'service.pem');
    this.nodes = made.nodes;
    this.#programs = made.programs;
    this.#args = args;
  }

  /** Runs `create` and `node` for each, and writes the genesis; nothing runs yet. */
  static async make(root: string, options: ClusterOptions): Promise<CoreCluster> {
    const count = options.nodes + (options.spares ?? 0);
    const names = Array.from({ length: count }, (_, n) => `core-${n + 1}`);
    const dirOf = options.dirOf ?? ((name: string) => join(root, name));
    const hosts = names.map((_, n) => options.hosts?.[n] ?? '127.0.0.1');
    const [first = '', ...others] = names;
    const ofHost = (n: number): string[] => ['--hosts', hosts[n] ?? ''];
    const create = ['create', '--dir', dirOf(first), '--vaults', 'alpha/EUR', ...ofHost(0)];
    const programs = await bundlePrograms(join(root, 'programs'));
    const runCore = async (args: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await runCommand(programs.core, [...args, '--development']);
      if (code !== 0) throw new Error(`core ${args[0]}: ${stderr}`);
      return stdout;
    };
    const [created, ...made] = await Promise.all([
      runCore(create),
      ...others.map((name, n) => runCore(['node', '--dir', dirOf(name), ...ofHost(n + 1)])),
    ]);
    const identity = JSON.parse(created) as PublicIdentity;
    const ids = [identity, ...made.map((text) => JSON.parse(text) as PublicIdentity)].map(({ nodeId }) => nodeId);
    const service = await localServiceOf({ identity, dir: dirOf(first), root, nodes: ids.slice(1, options.nodes) });
    await writeFile(join(root, 'service.pem'), identity.serviceCertificate);
    await mkdir(join(root, 'amendments'));
    const ports = await freePorts(2 * count);
    const nodes = names.map((name, n) => {
      const [api, peer] = [`${hosts[n]}:${ports[2 * n]}`, `${hosts[n]}:${ports[2 * n + 1]}`];
      return new CoreProcess({ program: programs.core, root, name, dir: dirOf(name), nodeId: ids[n] ?? '', api, peer });
    });
    return new CoreCluster({ root, service, nodes, programs }, options.args ?? []);
  }

  node(n: number): CoreProcess {
    const node = this.nodes[n];
    if (!node) throw new RangeError(`there is no node ${n}`);
    return node;
  }

  get up(): CoreProcess[] {
    return this.nodes.filter(({ running }) => running);
  }

  /** The first start of the first node, or its next where it keeps its place. */
  begin(readyTimeoutMs?: number): Promise<ReadyLine> {
    const own = ['start', '--genesis', this.service.genesisFile, '--amendments', join(this.root, 'amendments')];
    return this.node(0).start([...own, ...this.#args], readyTimeoutMs);
  }

  /** Asks the others for a place, or takes the one that it has. Far behind, it is ready only after it has caught up. */
  join(node: CoreProcess, patienceSeconds = 60, readyTimeoutMs?: number): Promise<ReadyLine> {
    const peers = this.nodes.filter((other) => other !== node).map(({ peer }) => peer);
    const asking = ['--peer', peers.join(','), '--patience', String(patienceSeconds)];
    return node.start(['join', '--service-cert', this.serviceCertFile, ...asking, ...this.#args], readyTimeoutMs);
  }

  /** Starts a node that has been a member before, as its operator would. */
  again(node: CoreProcess, readyTimeoutMs?: number): Promise<ReadyLine> {
    const keepsItsPlace = node === this.node(0) && !this.#args.includes('--test-protected-memory');
    return keepsItsPlace ? this.begin(readyTimeoutMs) : this.join(node, undefined, readyTimeoutMs);
  }

  /** The first begins, the others join, and all have a vote. */
  async grow(count: number): Promise<void> {
    await this.begin();
    for (const node of this.nodes.slice(1, count)) await this.join(node);
    await this.voters(count);
  }

  /** Waits until every running node knows `count` voters and nobody else. */
  async voters(count: number): Promise<void> {
    await until(`${count} voters`, PATIENCE_MS, async () => {
      for (const node of this.up) {
        const members = await node.members();
        if (members.length !== count || members.some(({ status }) => status !== 'Trusted')) return false;
      }
      return true;
    });
  }

  /** The one that leads at the highest view, as a majority of those that run sees it. */
  async leader(): Promise<CoreProcess> {
    let found: CoreProcess | undefined;
    await until('a leader', PATIENCE_MS, async () => {
      const states = await Promise.all(this.up.map((node) => node.state().catch(() => undefined)));
      const view = Math.max(...states.map((state) => state?.view ?? 0));
      found = this.up.find((_, n) => states[n]?.role === 'leader' && states[n]?.view === view);
      return found !== undefined;
    });
    if (!found) throw new Error('until has found one');
    return found;
  }

  async followers(): Promise<CoreProcess[]> {
    const leader = await this.leader();
    return this.up.filter((node) => node !== leader);
  }

  /** A client of `nodes`, asked in turn, or of all. */
  client(who: Who, nodes: readonly CoreProcess[] = this.nodes): DrawbridgeClient {
    const { key, certificate } = this.service.clients[who];
    const { serviceCertificate } = this.service.identity;
    const url = nodes.map((node) => node.url);
    const client = new DrawbridgeClient({ url, serviceCertificate, certificate, key, maxSockets: 32 });
    this.#closes.push(() => client.close());
    return client;
  }

  /** Plain requests to one node, without repetition. */
  raw(who: Who, node: CoreProcess): Client {
    const client = new Client(node.url, this.service, who, 8);
    this.#closes.push(() => client.close());
    return client;
  }

  async deposit(amountMinor: bigint, node: CoreProcess = this.node(0)): Promise<void> {
    this.#deposits += 1;
    const couriers = { bank: this.raw('bankA', node), relay: this.raw('relay', node) };
    await depositToBankA(this.service, couriers, { id: randomUUID(), amountMinor, seq: this.#deposits });
  }

  /** Puts a signed amendment where the first node looks for them. */
  async amend(actions: readonly object[]): Promise<void> {
    this.#amendments += 1;
    const number = this.#amendments;
    const { identity, bootstrap } = this.service;
    const statement = amendmentStatement({ serviceId: identity.serviceId, number, actions });
    const signatures = [{ key: bootstrap.publicKey, signature: bootstrap.sign(statement) }];
    const file = join(this.root, 'amendments', `${number}.json`);
    const text = JSON.stringify({ version: 1, serviceId: identity.serviceId, number, actions, signatures });
    await writeFile(`${file}.part`, text);
    await rename(`${file}.part`, file);
  }

  /** `drawbridge …` with the service's certificate pinned. */
  verify(what: 'receipt' | 'ledger', ...args: string[]): Promise<Ended> {
    return runCommand(this.#programs.cli, ['verify', what, ...args, '--service-cert', this.serviceCertFile]);
  }

  async stop(): Promise<void> {
    for (const close of this.#closes.splice(0)) close();
    await Promise.all(this.nodes.map((node) => node.stop()));
  }
}

export const payment = (amountMinor: bigint, id: string) => ({
  id: parseTransferId(id),
  asset: EUR,
  amountMinor: amountMinor.toString(),
  creditor: parseParticipantId(BANK_B),
});
export { BANK_B };
