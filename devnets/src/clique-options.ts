/** What a Clique network is asked to be, and what is kept of it between runs. */
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CliqueTerms, DEFAULT_EPOCH_LENGTH } from './clique-genesis.ts';
import type { CliqueNodeKeys } from './clique-node.ts';
import { drawEvmKey, type EvmKey } from './evm-key.ts';

/** Each is a process of 60 MB. */
const MAX_NODES = 16;
const MAX_ACCOUNTS = 1_000;
const DEFAULT_ACCOUNTS = 10;
const ACCOUNT_BALANCE_WEI = 10_000n * 10n ** 18n;

export type CliqueOptions = Readonly<{
  chainId: number;
  /** Nodes whose addresses are in the first set; default 3. */
  signers?: number;
  /** Further nodes, which follow, and seal as soon as they are voted in; default 1. */
  nonSigners?: number;
  /** Whole seconds between blocks, at least 1, the default. */
  periodS?: number;
  /** Blocks between checkpoints; default 30,000. */
  epochLength?: number;
  /** Wei by 0x address, beside the accounts below. */
  alloc?: Readonly<Record<string, bigint>>;
  /** Accounts whose keys the caller gets, with 10,000 ether each; default 10. */
  accounts?: number;
  /**
   * Where keys, chains and logs are kept between runs: a network found there goes on. A temporary folder, removed by
   * `stop`, when left out.
   */
  stateDir?: string;
  /** RPC port of the first node, the others following it; drawn at random when left out. */
  firstRpcPort?: number;
  /** Default: built by Go, once, into the cache; see `gethBinary`. */
  gethProgram?: string;
  /** Told about the build of geth, one sentence at a time. */
  log?: (sentence: string) => void;
}>;

/** What stays the same over all runs of a network; private keys included, so its file has mode 0600. */
export type CliqueIdentity = Readonly<{
  terms: CliqueTerms;
  nodes: readonly CliqueNodeKeys[];
  accounts: readonly EvmKey[];
}>;

export type CliqueErrorCode =
  | 'CLIQUE_OPTIONS'
  | 'CLIQUE_STATE_OF_ANOTHER_NETWORK'
  | 'CLIQUE_NO_SUCH_NODE'
  | 'CLIQUE_NODE_STOPPED'
  | 'CLIQUE_NO_MAJORITY';

export class CliqueError extends Error {
  override readonly name = 'CliqueError';
  readonly code: CliqueErrorCode;
  constructor(code: CliqueErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

type Shape = Readonly<{
  chainId: number;
  signers: number;
  nonSigners: number;
  periodS: number;
  epochLength: number;
  accounts: number;
}>;

/** @throws CliqueError `CLIQUE_OPTIONS` */
export function shapeOf(options: CliqueOptions): Shape {
  const shape = {
    chainId: options.chainId,
    signers: options.signers ?? 3,
    nonSigners: options.nonSigners ?? 1,
    periodS: options.periodS ?? 1,
    epochLength: options.epochLength ?? DEFAULT_EPOCH_LENGTH,
    accounts: options.accounts ?? DEFAULT_ACCOUNTS,
  };
  const limits: Readonly<Record<keyof Shape, readonly [least: number, most: number]>> = {
    chainId: [1, Number.MAX_SAFE_INTEGER],
    signers: [1, MAX_NODES],
    nonSigners: [0, MAX_NODES - shape.signers],
    periodS: [1, 3_600],
    epochLength: [1, Number.MAX_SAFE_INTEGER],
    accounts: [0, MAX_ACCOUNTS],
  };
  for (const [name, [least, most]] of Object.entries(limits)) {
    const value = shape[name as keyof Shape];
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new CliqueError('CLIQUE_OPTIONS', `${name} is a whole number from ${least} to ${most}`);
    }
  }
  return shape;
}

/**
 * The network that the folder holds, or a new one with keys drawn now, which the folder then holds.
 * @throws CliqueError `CLIQUE_STATE_OF_ANOTHER_NETWORK` when the folder's differs from what is asked.
 */
export async function readOrDrawIdentity(
  stateDir: string,
  options: CliqueOptions,
): Promise<Readonly<{ identity: CliqueIdentity; isNew: boolean }>> {
  const shape = shapeOf(options);
  const file = join(stateDir, 'network.json');
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return { identity: drawIdentity(shape, options.alloc ?? {}), isNew: true };
  const identity = JSON.parse(text, reviveWei) as CliqueIdentity;
  const { terms } = identity;
  const kept: Shape = {
    chainId: terms.chainId,
    signers: terms.signers.length,
    nonSigners: identity.nodes.length - terms.signers.length,
    periodS: terms.periodS,
    epochLength: terms.epochLength,
    accounts: identity.accounts.length,
  };
  const differs = Object.entries(shape).find(([name, value]) => kept[name as keyof Shape] !== value)?.[0];
  const missing = Object.entries(options.alloc ?? {}).find(([address, wei]) => terms.alloc[address] !== wei)?.[0];
  if (differs !== undefined || missing !== undefined) {
    const what = differs ?? `alloc of ${missing}`;
    throw new CliqueError('CLIQUE_STATE_OF_ANOTHER_NETWORK', `${stateDir} holds a network with another ${what}`);
  }
  return { identity, isNew: false };
}

/** To be called once the nodes' folders are complete: what has this file can go on. */
export async function writeIdentity(stateDir: string, identity: CliqueIdentity): Promise<void> {
  const text = JSON.stringify(identity, (_, value: unknown) => (typeof value === 'bigint' ? `${value} wei` : value), 2);
  await writeFile(join(stateDir, 'network.json'), text, { mode: 0o600 });
}

function reviveWei(_: string, value: unknown): unknown {
  const wei = typeof value === 'string' ? /^(\d+) wei$/.exec(value)?.[1] : undefined;
  return wei === undefined ? value : BigInt(wei);
}

function drawIdentity(shape: Shape, alloc: Readonly<Record<string, bigint>>): CliqueIdentity {
  const nodes = Array.from({ length: shape.signers + shape.nonSigners }, () => ({
    sealer: drawEvmKey(),
    node: drawEvmKey().privateKey,
    password: randomBytes(16).toString('hex'),
  }));
  const accounts = Array.from({ length: shape.accounts }, drawEvmKey);
  const terms = {
    chainId: shape.chainId,
    periodS: shape.periodS,
    epochLength: shape.epochLength,
    signers: nodes.slice(0, shape.signers).map(({ sealer }) => sealer.address),
    alloc: { ...Object.fromEntries(accounts.map(({ address }) => [address, ACCOUNT_BALANCE_WEI])), ...alloc },
    timestampSeconds: Math.floor(Date.now() / 1000),
  };
  return { terms, nodes, accounts };
}
