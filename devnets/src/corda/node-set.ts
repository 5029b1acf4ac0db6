/** The processes of one Corda network, started together and told of each other's addresses. */
import { join } from 'node:path';
import type { ManagedProcess, ProcessExit } from '../child-process.ts';
import { withFreePorts } from '../free-port.ts';
import { type CordaNodePlace, type CordaPrograms, startCordaNode } from './corda-node.ts';
import { type CordaNodeTerms, type CordaPorts, type CordaRpc, folderNameOf } from './node-conf.ts';
import { exchangeNodeInfos, forgetNodeInfos } from './node-infos.ts';

/** As for a node's start: they write their addresses while they start. */
const EXCHANGE_DEADLINE_MS = 600_000;
const PORTS_PER_NODE = 3;

export type NodeSetOptions = Readonly<{
  /** Holds a folder for each node. */
  dir: string;
  terms: readonly CordaNodeTerms[];
  programs: CordaPrograms;
  /** Of every node; read at each start. */
  rpc: CordaRpc;
}>;

export type CordaNodeFailure = Readonly<{ index: number; exit: ProcessExit }>;

export type CordaErrorCode = 'CORDA_OPTIONS' | 'CORDA_NO_SUCH_NODE' | 'CORDA_STATE_OF_ANOTHER_NETWORK';

export class CordaError extends Error {
  override readonly name = 'CordaError';
  readonly code: CordaErrorCode;
  constructor(code: CordaErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Starts all nodes on ports drawn now; they know each other when this resolves.
 * @throws ProcessError or DeadlineError; no process is left then.
 */
export async function startNodeSet(options: NodeSetOptions): Promise<NodeSet> {
  const set = new NodeSet(options);
  await set.startAll();
  return set;
}

export class NodeSet {
  readonly failed: Promise<CordaNodeFailure>;
  readonly places: readonly CordaNodePlace[];
  readonly #options: NodeSetOptions;
  readonly #children = new Map<number, ManagedProcess>();
  #ports: readonly CordaPorts[] = [];
  #fail: (failure: CordaNodeFailure) => void = () => undefined;

  constructor(options: NodeSetOptions) {
    this.#options = options;
    this.places = options.terms.map((terms) => {
      const folder = folderNameOf(terms.legalName);
      return { terms, dir: join(options.dir, folder), logFile: join(options.dir, `${folder}.log`) };
    });
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
  }

  portsOf(index: number): CordaPorts {
    const ports = this.#ports[index];
    if (ports === undefined) throw new CordaError('CORDA_NO_SUCH_NODE', `there is no node ${index}`);
    return ports;
  }

  isRunning(index: number): boolean {
    return this.#children.has(index);
  }

  pidOf(index: number): number | undefined {
    return this.#children.get(index)?.pid;
  }

  async startAll(): Promise<void> {
    await withFreePorts(portCountOf(this.places.length), async (drawn) => {
      this.#ports = this.places.map((_, index) => portsAt(drawn, index));
      await forgetNodeInfos(this.places.map(({ dir }) => dir));
      try {
        await this.#startTogether();
      } catch (error) {
        await this.stopAll();
        throw error;
      }
    });
  }

  async #startTogether(): Promise<void> {
    const started = this.places.map((_, index) => this.start(index));
    const addressed = this.places.map(({ dir }, index) => ({ dir, p2pPort: this.portsOf(index).p2p }));
    const given = new AbortController();
    const exchanged = exchangeNodeInfos(addressed, EXCHANGE_DEADLINE_MS, given.signal);
    exchanged.catch(() => undefined);
    try {
      // All settle before an error passes, so that no process is started behind the back of who ends them.
      const failure = (await Promise.allSettled(started)).find((outcome) => outcome.status === 'rejected');
      if (failure) throw failure.reason;
      await exchanged;
    } finally {
      given.abort();
      await exchanged.catch(() => undefined);
    }
  }

  /** On the ports that the node had, or was given by `startAll`. */
  async start(index: number): Promise<void> {
    const place = this.#placeOf(index);
    if (this.#children.has(index)) return;
    const { programs, rpc } = this.#options;
    const child = await startCordaNode(place, programs, this.portsOf(index), rpc);
    this.#children.set(index, child);
    void child.exited.then((exit) => {
      if (this.#children.get(index) !== child) return;
      this.#children.delete(index);
      this.#fail({ index, exit });
    });
  }

  async end(index: number, end: (child: ManagedProcess) => Promise<ProcessExit>): Promise<void> {
    this.#placeOf(index);
    const child = this.#children.get(index);
    this.#children.delete(index);
    if (child) await end(child);
  }

  signal(index: number, signal: NodeJS.Signals): void {
    this.#placeOf(index);
    this.#children.get(index)?.signal(signal);
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#children.keys()].map((index) => this.end(index, (child) => child.stop())));
  }

  #placeOf(index: number): CordaNodePlace {
    const place = this.places[index];
    if (place === undefined) throw new CordaError('CORDA_NO_SUCH_NODE', `there is no node ${index}`);
    return place;
  }
}

/** The ports of node `index` among those drawn for all. */
export function portsAt(drawn: readonly number[], index: number): CordaPorts {
  const [p2p = 0, rpc = 0, rpcAdmin = 0] = drawn.slice(index * PORTS_PER_NODE, (index + 1) * PORTS_PER_NODE);
  return { p2p, rpc, rpcAdmin };
}

export function portCountOf(nodes: number): number {
  return nodes * PORTS_PER_NODE;
}
