/**
 * An EVM development network: anvil 1.7.1 on loopback. Its blocks carry no seals and it decides alone what they hold,
 * so evidence from it is by observers only.
 */
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anvilBinary } from './anvil-binary.ts';
import { type ManagedProcess, ProcessError, type ProcessExit, startProcess } from './child-process.ts';
import { AddressInUseError, withFreePort } from './free-port.ts';
import { callJsonRpc } from './json-rpc.ts';

const LOOPBACK = '127.0.0.1';
const READY_TIMEOUT_MS = 20_000;
/** The state is written at the end: some megabytes of JSON after a long run. */
const STOP_TIMEOUT_MS = 15_000;
/** Larger ids would not keep genesis hashes apart, see `genesisBaseFeeWei`. */
const MAX_CHAIN_ID = 999_999_999;

export type AnvilOptions = Readonly<{
  /** 1 to 999,999,999; different for each chain of a run. */
  chainId: number;
  /** Drawn at random when left out. */
  port?: number;
  /** Address to listen on, where a container's own network is the boundary; 127.0.0.1 everywhere else. */
  host?: string;
  /** Whole seconds between blocks in `interval` mining; default 1. */
  blockTimeSeconds?: number;
  /**
   * `interval` (default): a block each `blockTimeSeconds`, also an empty one; `each-transaction`: a block for each
   * transaction, whose answer does not wait for it; `manual`: only by `mine`.
   */
  mining?: Mining;
  /**
   * Where the chain is kept between runs: a chain found there goes on, with its genesis. A temporary folder, removed
   * by `stop`, when left out.
   */
  stateDir?: string;
  /** Also write the state this often, for what must survive `kill9`; whole seconds. Otherwise only `stop` writes it. */
  stateIntervalSeconds?: number;
  /** Decides the ten funded accounts; by default they follow from the chain id, so that two chains never share a key. */
  accountSeed?: string;
  /** For contracts whose code exceeds the 24,576 bytes of EIP-170, which is the default. */
  codeSizeLimitBytes?: number;
  logFile?: string;
}>;

export type Mining = 'interval' | 'each-transaction' | 'manual';

/** Checksummed or lower-case hex as anvil prints it; `privateKey` is 0x and 64 digits. For development only. */
export type AnvilAccount = Readonly<{ address: string; privateKey: string }>;

/** A raw signed transaction and the block of the new branch that it goes into, 0 for the first. */
export type ReorgTransaction = readonly [rawTransaction: string, blockOffset: number];

export type AnvilChain = Readonly<{
  rpcUrl: string;
  /** The same node by WebSocket, with `eth_subscribe`. */
  wsUrl: string;
  chainId: number;
  port: number;
  /** Ten, with 10,000 ether each. */
  accounts: readonly AnvilAccount[];
  /** 0x and 64 digits; the same after a restart, different for each chain id. */
  genesisHash: string;
  /** One JSON-RPC call. @throws JsonRpcError for an error answer or none. */
  rpc: (method: string, ...params: unknown[]) => Promise<unknown>;
  blockNumber: () => Promise<number>;
  /** Mines `blocks` (default 1) at once, in every kind of mining. */
  mine: (blocks?: number) => Promise<void>;
  /** No further blocks until `resumeMining` or `mine`; transactions wait in the pool. Holds over a restart. */
  pauseMining: () => Promise<void>;
  resumeMining: () => Promise<void>;
  /**
   * Replaces the last `depth` blocks by as many others. Their transactions are dropped, not put back into the pool;
   * the new branch holds only those given.
   */
  reorg: (depth: number, transactions?: readonly ReorgTransaction[]) => Promise<void>;
  /** For `revert`, which goes back to it, once. */
  snapshot: () => Promise<string>;
  revert: (snapshotId: string) => Promise<void>;
  /** Ends and starts it again on the same port with its chain; after `kill9`, with what was last written. */
  restart: () => Promise<void>;
  /** Ends it with the chain written to `stateDir`. */
  stop: () => Promise<void>;
  /** A crash: nothing is written. */
  kill9: () => Promise<void>;
  /** Resolves when the process that runs now has ended, whatever ended it. */
  exited: () => Promise<ProcessExit>;
}>;

/** What stays the same over restarts of a chain. */
type Genesis = Readonly<{ chainId: number; timestampSeconds: number; accountSeed: string }>;

type Settings = Readonly<{ options: AnvilOptions; genesis: Genesis; stateDir: string; binary: string }>;

export class AnvilError extends Error {
  override readonly name = 'AnvilError';
  readonly code: 'ANVIL_OPTIONS' | 'ANVIL_STATE_OF_ANOTHER_CHAIN';
  constructor(code: AnvilError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * @throws AnvilMissingError where there is no program for the platform, AnvilError for options that cannot be,
 * ProcessError when it does not start.
 */
export async function startAnvil(options: AnvilOptions): Promise<AnvilChain> {
  checkOptions(options);
  const binary = anvilBinary();
  const stateDir = options.stateDir ?? (await mkdtemp(join(tmpdir(), 'drawbridge-anvil-')));
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  try {
    const settings = { options, genesis: await readOrMakeGenesis(stateDir, options), stateDir, binary };
    const mining: Mining = options.mining ?? 'interval';
    const start = async (port: number) => ({ port, ...(await startNode(settings, port, mining)) });
    const node = await (options.port === undefined ? withFreePort(start) : start(options.port));
    const genesisHash = await hashOfBlock(node.port, 0);
    return chainOf({ settings, mining, genesisHash, ...node });
  } catch (error) {
    if (options.stateDir === undefined) await rm(stateDir, { recursive: true });
    throw error;
  }
}

type StartedNode = Readonly<{ child: ManagedProcess; accounts: readonly AnvilAccount[] }>;
type Node = StartedNode & Readonly<{ settings: Settings; mining: Mining; port: number; genesisHash: string }>;

function chainOf({ settings, mining, port, accounts, genesisHash, child: firstChild }: Node): AnvilChain {
  const { options, stateDir } = settings;
  let child = firstChild;
  let paused = false;
  const rpcUrl = urlOf(port);
  const rpc = (method: string, ...params: unknown[]) => callJsonRpc(rpcUrl, method, params);
  return {
    rpcUrl,
    wsUrl: rpcUrl.replace(/^http/, 'ws'),
    chainId: options.chainId,
    port,
    accounts,
    genesisHash,
    rpc,
    blockNumber: async () => Number(await rpc('eth_blockNumber')),
    mine: async (blocks = 1) => {
      await rpc('anvil_mine', `0x${blocks.toString(16)}`);
    },
    pauseMining: async () => {
      paused = true;
      await setMining(port, 'manual', options);
    },
    resumeMining: async () => {
      paused = false;
      await setMining(port, mining, options);
    },
    reorg: async (depth, transactions = []) => {
      await rpc('anvil_reorg', depth, transactions);
    },
    snapshot: async () => String(await rpc('evm_snapshot')),
    revert: async (snapshotId) => {
      if ((await rpc('evm_revert', snapshotId)) !== true) throw new TypeError(`there is no snapshot ${snapshotId}`);
    },
    restart: async () => {
      await child.stop();
      ({ child } = await startNode(settings, port, paused ? 'manual' : mining));
    },
    stop: async () => {
      await child.stop();
      if (options.stateDir === undefined) await rm(stateDir, { recursive: true, force: true });
    },
    kill9: async () => {
      await child.kill9();
    },
    exited: () => child.exited,
  };
}

async function startNode(settings: Settings, port: number, mining: Mining): Promise<StartedNode> {
  const { options, stateDir, binary } = settings;
  const accountsFile = join(stateDir, 'accounts.json');
  await rm(accountsFile, { force: true });
  let accounts: AnvilAccount[] = [];
  // Anvil writes its accounts once it has the port: an answer alone could be another anvil's.
  const poll = async () => {
    accounts = readAccounts(await readFile(accountsFile, 'utf8'));
    return Number(await callJsonRpc(urlOf(port), 'eth_chainId', [])) === options.chainId;
  };
  const child = await startProcess({
    name: `anvil ${options.chainId}`,
    command: binary,
    args: argumentsOf(settings, port, accountsFile),
    ...(options.logFile === undefined ? {} : { logFile: options.logFile }),
    readyTimeoutMs: READY_TIMEOUT_MS,
    stopTimeoutMs: STOP_TIMEOUT_MS,
    ready: { poll },
  }).catch((error: unknown) => {
    if (error instanceof ProcessError && /address (already )?in use/i.test(error.output)) {
      throw new AddressInUseError(`port ${port} is taken`, { cause: error });
    }
    throw error;
  });
  try {
    // The keys need not lie about.
    await rm(accountsFile);
    // A chain that goes on would stamp its blocks from the genesis time on until it is told the time.
    await callJsonRpc(urlOf(port), 'evm_setTime', [nowSeconds()]);
    await setMining(port, mining, options);
    return { child, accounts };
  } catch (error) {
    await child.kill9();
    throw error;
  }
}

function argumentsOf({ options, genesis, stateDir }: Settings, port: number, accountsFile: string): string[] {
  const settings: Record<string, string> = {
    host: options.host ?? LOOPBACK,
    port: String(port),
    'chain-id': String(genesis.chainId),
    // Anvil makes the genesis block anew at each start: without its time a restart would change its hash.
    timestamp: String(genesis.timestampSeconds),
    'block-base-fee-per-gas': String(genesisBaseFeeWei(genesis.chainId)),
    'mnemonic-seed-unsafe': mnemonicSeed(genesis.accountSeed),
    'config-out': accountsFile,
    state: join(stateDir, 'state.json'),
    'cache-path': join(stateDir, 'cache'),
    order: 'fifo',
  };
  if (options.stateIntervalSeconds !== undefined) settings['state-interval'] = String(options.stateIntervalSeconds);
  if (options.codeSizeLimitBytes !== undefined) settings['code-size-limit'] = String(options.codeSizeLimitBytes);
  return [...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]), '--no-mining', '--quiet'];
}

/**
 * Anvil's genesis header holds neither chain id nor accounts, so two chains born in one second would share its hash.
 * The first base fee is in the header, and falls to nothing within some hundred empty blocks.
 */
function genesisBaseFeeWei(chainId: number): number {
  return 1_000_000_000 + chainId;
}

/** Anvil takes a 64-bit number; 48 bits stay exact in every tool on the way. */
function mnemonicSeed(accountSeed: string): string {
  return String(createHash('sha256').update(accountSeed).digest().readUIntBE(0, 6));
}

async function setMining(port: number, mining: Mining, options: AnvilOptions): Promise<void> {
  const seconds = mining === 'interval' ? (options.blockTimeSeconds ?? 1) : 0;
  const url = urlOf(port);
  // Each of the two calls ends the other kind of mining, so the one that is wanted comes last.
  if (mining === 'each-transaction') {
    await callJsonRpc(url, 'evm_setAutomine', [true]);
    return;
  }
  await callJsonRpc(url, 'evm_setAutomine', [false]);
  await callJsonRpc(url, 'evm_setIntervalMining', [seconds]);
}

/** The funded accounts in anvil's own description of itself. @throws for what is not yet all written. */
function readAccounts(text: string): AnvilAccount[] {
  const config: unknown = JSON.parse(text);
  const addresses = stringsOf(config, 'available_accounts');
  const privateKeys = stringsOf(config, 'private_keys');
  return addresses.map((address, index) => {
    const privateKey = privateKeys[index];
    if (privateKey === undefined) throw new TypeError('anvil names an account without a key');
    return { address, privateKey };
  });
}

function stringsOf(config: unknown, field: string): string[] {
  const value = typeof config === 'object' && config !== null ? Object.entries(config) : [];
  const list: unknown = value.find(([name]) => name === field)?.[1];
  if (!Array.isArray(list)) throw new TypeError(`anvil's configuration has no ${field}`);
  return list.map(String);
}

async function readOrMakeGenesis(stateDir: string, options: AnvilOptions): Promise<Genesis> {
  const file = join(stateDir, 'genesis.json');
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  const wanted = { chainId: options.chainId, accountSeed: options.accountSeed ?? `drawbridge ${options.chainId}` };
  if (text === undefined) {
    const genesis = { ...wanted, timestampSeconds: nowSeconds() };
    await writeFile(file, JSON.stringify(genesis), { mode: 0o600 });
    await chmod(stateDir, 0o700);
    return genesis;
  }
  const found = JSON.parse(text) as Genesis;
  if (found.chainId !== wanted.chainId || found.accountSeed !== wanted.accountSeed) {
    throw new AnvilError(
      'ANVIL_STATE_OF_ANOTHER_CHAIN',
      `${stateDir} holds chain ${found.chainId}, or other accounts than those asked for chain ${wanted.chainId}`,
    );
  }
  return found;
}

function checkOptions({ chainId, blockTimeSeconds = 1, stateIntervalSeconds = 1 }: AnvilOptions): void {
  if (!Number.isInteger(chainId) || chainId < 1 || chainId > MAX_CHAIN_ID) {
    throw new AnvilError('ANVIL_OPTIONS', `chainId is a whole number from 1 to ${MAX_CHAIN_ID}`);
  }
  if (!Number.isInteger(blockTimeSeconds) || blockTimeSeconds < 1) {
    throw new AnvilError('ANVIL_OPTIONS', 'blockTimeSeconds is a whole number of at least 1');
  }
  if (!Number.isInteger(stateIntervalSeconds) || stateIntervalSeconds < 1) {
    throw new AnvilError('ANVIL_OPTIONS', 'stateIntervalSeconds is a whole number of at least 1');
  }
}

async function hashOfBlock(port: number, block: number): Promise<string> {
  const answer = await callJsonRpc(urlOf(port), 'eth_getBlockByNumber', [`0x${block.toString(16)}`, false]);
  if (typeof answer !== 'object' || answer === null || !('hash' in answer)) throw new TypeError(`no block ${block}`);
  return String(answer.hash);
}

function urlOf(port: number): string {
  return `http://${LOOPBACK}:${port}`;
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
