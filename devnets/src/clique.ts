/**
 * A real consensus network for development: geth 1.13.15 with Clique (EIP-225), some nodes in the set of signers and
 * some not, as processes on loopback. Its headers carry seals that can be verified; its finality is a matter of depth.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ManagedProcess, ProcessExit } from './child-process.ts';
import { cliqueGenesis } from './clique-genesis.ts';
import {
  type CliqueNodePlace,
  type CliqueNodePorts,
  enodeUrl,
  makeNodeFolder,
  rpcUrlOf,
  startNode,
} from './clique-node.ts';
import {
  CliqueError,
  type CliqueIdentity,
  type CliqueOptions,
  readOrDrawIdentity,
  shapeOf,
  writeIdentity,
} from './clique-options.ts';
import type { EvmKey } from './evm-key.ts';
import { withFreePorts } from './free-port.ts';
import { gethBinary } from './geth-binary.ts';
import { callJsonRpc } from './json-rpc.ts';
import { until } from './until.ts';

/** For nodes to find each other and agree on a block; a node with few peers catches up only every ten seconds. */
const AGREE_DEADLINE_MS = 90_000;
/** Longer than the ten seconds after which a node catches up with a heavier peer. */
const CALL_AGAIN_MS = 15_000;
/** Blocks within which every signer of the largest network that starts here had its turn, several times. */
const VOTE_DEADLINE_BLOCKS = 60;

/** One node of the network; its places in all lists are the same. */
export type CliqueNode = Readonly<{
  index: number;
  rpcUrl: string;
  /** Checksummed address that it seals with while that is in the set. */
  address: string;
  logFile: string;
  running: () => boolean;
}>;

export type CliqueNetwork = Readonly<{
  chainId: number;
  /** 0x and 64 digits; drawn keys are in it, so no two networks share it. */
  genesisHash: string;
  /** The first are the signers of the genesis block. */
  nodes: readonly CliqueNode[];
  /** Funded, and known to no node. For development only. */
  accounts: readonly EvmKey[];
  /** One JSON-RPC call to a node. @throws JsonRpcError for an error answer or none. */
  rpc: (node: number, method: string, ...params: unknown[]) => Promise<unknown>;
  blockNumber: (node?: number) => Promise<number>;
  /** Set after the newest block that a running node has; lower case, ascending. */
  signers: () => Promise<string[]>;
  /**
   * Has a majority of the signers vote until every running node knows the changed set, then takes the votes back.
   * @throws CliqueError `CLIQUE_NO_MAJORITY` when too few signers run, DeadlineError when the set does not change.
   */
  proposeSigner: (address: string, add: boolean) => Promise<void>;
  /**
   * With just enough signers left, the others may stop too until this one is back: once in some twenty times they are
   * left with two newest blocks of equal weight, each sealed by one who may not seal the next.
   */
  stopNode: (index: number) => Promise<void>;
  /** A crash of one node. */
  killNode: (index: number) => Promise<void>;
  /** For SIGSTOP, SIGCONT and the like; a node that it ends counts as failed. */
  signalNode: (index: number, signal: NodeJS.Signals) => void;
  /** Starts a stopped node on its ports; it has caught up with the others when this resolves. */
  startNode: (index: number) => Promise<void>;
  /** Resolves when a node ends that nobody asked to. */
  failed: Promise<Readonly<{ index: number; exit: ProcessExit }>>;
  /** Ends all nodes, each by its pid. */
  stop: () => Promise<void>;
}>;

/**
 * @throws GethUnavailableError where there is no geth and Go cannot build it, CliqueError for options that cannot be,
 * ProcessError or DeadlineError when the network does not come up; no process is left then.
 */
export async function startCliqueNetwork(options: CliqueOptions): Promise<CliqueNetwork> {
  shapeOf(options);
  const program = options.gethProgram ?? (await gethBinary(options.log === undefined ? {} : { log: options.log }));
  const stateDir = options.stateDir ?? (await mkdtemp(join(tmpdir(), 'drawbridge-clique-')));
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const removeFolder = async () => {
    if (options.stateDir === undefined) await rm(stateDir, { recursive: true, force: true });
  };
  try {
    const { identity, isNew } = await readOrDrawIdentity(stateDir, options);
    const places = identity.nodes.map((keys, index) => placeOf({ index, keys, program, stateDir, identity }));
    if (isNew) await makeFolders(stateDir, identity, places);
    const nodes = new NodeSet(places);
    try {
      await nodes.startAll(options.firstRpcPort);
      return networkOf(nodes, identity, await nodes.genesisHash(), removeFolder);
    } catch (error) {
      await nodes.stopAll();
      throw error;
    }
  } catch (error) {
    await removeFolder();
    throw error;
  }
}

type PlaceInput = Pick<CliqueNodePlace, 'index' | 'keys' | 'program'> &
  Readonly<{ stateDir: string; identity: CliqueIdentity }>;

function placeOf({ index, keys, program, stateDir, identity }: PlaceInput): CliqueNodePlace {
  const dir = join(stateDir, `node-${index}`);
  const logFile = join(stateDir, `node-${index}.log`);
  const peerKeys = identity.nodes.filter((other) => other !== keys).map(({ node }) => node);
  return { index, keys, program, dir, logFile, chainId: identity.terms.chainId, peerKeys };
}

async function makeFolders(
  stateDir: string,
  identity: CliqueIdentity,
  places: readonly CliqueNodePlace[],
): Promise<void> {
  const genesisFile = join(stateDir, 'genesis.json');
  await writeFile(genesisFile, JSON.stringify(cliqueGenesis(identity.terms), null, 2), { mode: 0o600 });
  for (const { dir } of places) await rm(dir, { recursive: true, force: true });
  await Promise.all(places.map((place) => makeNodeFolder(place, genesisFile)));
  await writeIdentity(stateDir, identity);
}

function networkOf(
  nodes: NodeSet,
  identity: CliqueIdentity,
  genesisHash: string,
  removeFolder: () => Promise<void>,
): CliqueNetwork {
  return {
    chainId: identity.terms.chainId,
    genesisHash,
    nodes: nodes.describe(),
    accounts: identity.accounts,
    rpc: (node, method, ...params) => nodes.rpc(node, method, params),
    blockNumber: async (node) => Number(await nodes.rpc(node ?? nodes.anyRunning(), 'eth_blockNumber')),
    signers: () => nodes.signersAt(nodes.anyRunning()),
    proposeSigner: (address, add) => nodes.vote(address, add, VOTE_DEADLINE_BLOCKS * identity.terms.periodS * 1000),
    stopNode: (index) => nodes.end(index, (child) => child.stop()),
    killNode: (index) => nodes.end(index, (child) => child.kill9()),
    signalNode: (index, signal) => nodes.signal(index, signal),
    startNode: (index) => nodes.startAgain(index),
    failed: nodes.failed,
    stop: async () => {
      await nodes.stopAll();
      await removeFolder();
    },
  };
}

/** The processes of one network, and what nodes must be told for it to be one. */
class NodeSet {
  readonly failed: CliqueNetwork['failed'];
  readonly #places: readonly CliqueNodePlace[];
  readonly #ports: CliqueNodePorts[] = [];
  readonly #children = new Map<number, ManagedProcess>();
  #fail: (failure: Awaited<CliqueNetwork['failed']>) => void = () => undefined;

  constructor(places: readonly CliqueNodePlace[]) {
    this.#places = places;
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
  }

  describe(): CliqueNode[] {
    return this.#places.map(({ index, keys, logFile }) => ({
      index,
      rpcUrl: rpcUrlOf(this.#portsOf(index)),
      address: keys.sealer.address,
      logFile,
      running: () => this.#children.has(index),
    }));
  }

  async startAll(firstRpcPort: number | undefined): Promise<void> {
    const started = this.#places.map(async (place) => {
      await withFreePorts(3, async ([p2p = 0, auth = 0, drawn = 0]) => {
        const ports = { p2p, auth, rpc: firstRpcPort === undefined ? drawn : firstRpcPort + place.index };
        this.#ports[place.index] = ports;
        await this.#start(place, ports);
      });
    });
    // All settle before an error passes, so that no process is started behind the back of who ends them.
    const failure = (await Promise.allSettled(started)).find((outcome) => outcome.status === 'rejected');
    if (failure) throw failure.reason;
    await this.#introduce(
      this.#places.flatMap((_, from) => this.#places.slice(0, from).map(({ index }) => [from, index])),
    );
    await this.#levelWithOthers(this.#running());
    if (Number(await this.rpc(this.anyRunning(), 'eth_blockNumber')) === 0) await this.#sealFirstBlock();
    await Promise.all(this.#running().map((index) => this.rpc(index, 'miner_start')));
  }

  async startAgain(index: number): Promise<void> {
    const place = this.#placeOf(index);
    if (this.#children.has(index)) return;
    await this.#start(place, this.#portsOf(index));
    await this.#introduce(
      this.#running()
        .filter((other) => other !== index)
        .map((other) => [index, other]),
    );
    await this.#levelWithOthers([index]);
    await this.rpc(index, 'miner_start');
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
    await Promise.all(this.#running().map((index) => this.end(index, (child) => child.stop())));
  }

  async rpc(index: number, method: string, params: readonly unknown[] = []): Promise<unknown> {
    this.#placeOf(index);
    if (!this.#children.has(index)) throw new CliqueError('CLIQUE_NODE_STOPPED', `node ${index} does not run`);
    return callJsonRpc(rpcUrlOf(this.#portsOf(index)), method, params);
  }

  anyRunning(): number {
    const [first] = this.#running();
    if (first === undefined) throw new CliqueError('CLIQUE_NODE_STOPPED', 'no node of the network runs');
    return first;
  }

  async genesisHash(): Promise<string> {
    const hash = await this.#blockHash(this.anyRunning(), '0x0');
    if (hash === undefined) throw new TypeError('a node has its genesis block');
    return hash;
  }

  async signersAt(index: number): Promise<string[]> {
    const answer = await this.rpc(index, 'clique_getSigners', ['latest']);
    if (!Array.isArray(answer)) throw new TypeError('clique_getSigners answers with a list');
    return answer.map((address) => String(address).toLowerCase()).sort();
  }

  async vote(address: string, add: boolean, deadlineMs: number): Promise<void> {
    const candidate = address.toLowerCase();
    const changed = async () => {
      const sets = await Promise.all(this.#running().map((index) => this.signersAt(index)));
      return sets.every((set) => set.includes(candidate) === add);
    };
    const set = await this.signersAt(this.anyRunning());
    const able = this.#running().filter((index) => set.includes(this.#sealerOf(index)));
    // A signer is asked to vote itself out only where the others are too few.
    const others = able.filter((index) => this.#sealerOf(index) !== candidate);
    const majority = Math.floor(set.length / 2) + 1;
    const voters = [...others, ...able.filter((index) => !others.includes(index))].slice(0, majority);
    if (voters.length < majority) {
      throw new CliqueError(
        'CLIQUE_NO_MAJORITY',
        `${voters.length} of ${set.length} signers run, ${majority} must vote`,
      );
    }
    try {
      await Promise.all(voters.map((index) => this.rpc(index, 'clique_propose', [address, add])));
      await until(`${address} is ${add ? 'in' : 'out of'} the set of signers`, deadlineMs, changed);
    } finally {
      const running = voters.filter((index) => this.#children.has(index));
      await Promise.all(running.map((index) => this.rpc(index, 'clique_discard', [address])));
    }
  }

  async #start(place: CliqueNodePlace, ports: CliqueNodePorts): Promise<void> {
    const { index } = place;
    const child = await startNode(place, ports);
    this.#children.set(index, child);
    void child.exited.then((exit) => {
      if (this.#children.get(index) !== child) return;
      this.#children.delete(index);
      this.#fail({ index, exit });
    });
  }

  /**
   * At the start every signer may seal, and if all did, nobody might be left who may seal a second block: so the one whose
   * turn it is does it alone. The others have mined for a moment, as a node that never did throws away the first block that
   * it is told of. What they may have sealed in it weighs less.
   */
  async #sealFirstBlock(): Promise<void> {
    const set = await this.signersAt(this.anyRunning());
    const first = this.#running().find((index) => this.#sealerOf(index) === set[1 % set.length]);
    if (first === undefined) throw new TypeError('the signers of the genesis block are nodes of this network');
    const others = this.#running().filter((index) => index !== first);
    for (const method of ['miner_start', 'miner_stop']) {
      await Promise.all(others.map((index) => this.rpc(index, method)));
    }
    await this.rpc(first, 'miner_start');
    let calledAgainAt = performance.now() + CALL_AGAIN_MS;
    await until('all nodes have the first block', AGREE_DEADLINE_MS, async () => {
      const wanted = await this.#blockHash(first, '0x1');
      const hashes = await Promise.all(others.map((index) => this.#blockHash(index, '0x1')));
      const without = others.filter((_, place) => hashes[place] !== wanted);
      if (wanted !== undefined && without.length === 0) return true;
      if (performance.now() >= calledAgainAt) {
        calledAgainAt = performance.now() + CALL_AGAIN_MS;
        await this.#callAgain(without, first);
      }
      return false;
    });
  }

  /**
   * A node that threw the first block away hears of no other, as the next is not sealed without it. What it learns when it
   * connects anew is how much the other's chain weighs; it catches up by that.
   */
  async #callAgain(indexes: readonly number[], other: number): Promise<void> {
    const url = enodeUrl(this.#placeOf(other).keys, this.#portsOf(other));
    await Promise.all(indexes.map((index) => this.rpc(index, 'admin_removePeer', [url])));
    await this.#introduce(indexes.map((index) => [index, other]));
  }

  /** One side of each pair is told: were both to dial, each could hang up on the other's call. */
  async #introduce(pairs: readonly (readonly number[])[]): Promise<void> {
    await Promise.all(
      pairs.map(([from = 0, to = 0]) =>
        this.rpc(from, 'admin_addPeer', [enodeUrl(this.#placeOf(to).keys, this.#portsOf(to))]),
      ),
    );
  }

  /** Until these nodes are connected with all that run, and have the newest block that any had when asked. */
  async #levelWithOthers(indexes: readonly number[]): Promise<void> {
    const running = this.#running();
    const heights = await Promise.all(running.map((index) => this.rpc(index, 'eth_blockNumber')));
    const highest = Math.max(...heights.map(Number));
    await until('the nodes are connected and have the same blocks', AGREE_DEADLINE_MS, async () => {
      for (const index of indexes) {
        if (readyPeers(await this.rpc(index, 'admin_peers')) < running.length - 1) return false;
        if (Number(await this.rpc(index, 'eth_blockNumber')) < highest) return false;
      }
      return true;
    });
  }

  async #blockHash(index: number, block: string): Promise<string | undefined> {
    const answer = await this.rpc(index, 'eth_getBlockByNumber', [block, false]);
    return typeof answer === 'object' && answer !== null && 'hash' in answer ? String(answer.hash) : undefined;
  }

  #running(): number[] {
    return [...this.#children.keys()].sort((a, b) => a - b);
  }

  #sealerOf(index: number): string {
    return this.#placeOf(index).keys.sealer.address.toLowerCase();
  }

  #placeOf(index: number): CliqueNodePlace {
    const place = this.#places[index];
    if (!place) throw new CliqueError('CLIQUE_NO_SUCH_NODE', `there is no node ${index}`);
    return place;
  }

  #portsOf(index: number): CliqueNodePorts {
    const ports = this.#ports[index];
    if (!ports) throw new CliqueError('CLIQUE_NODE_STOPPED', `node ${index} was not started`);
    return ports;
  }
}

/** Peers that also shook hands as Ethereum nodes: others are not told of new blocks yet. */
function readyPeers(peers: unknown): number {
  if (!Array.isArray(peers)) throw new TypeError('admin_peers answers with a list');
  return peers.filter((peer: { protocols?: { eth?: unknown } }) => typeof peer.protocols?.eth === 'object').length;
}
