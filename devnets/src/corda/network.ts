/**
 * A real Corda 4.10 network for development: a notary and banks as processes on loopback, each start with a ledger of its
 * own. Its certificates come from Corda's public development authority: they protect nothing.
 */
import { randomBytes } from 'node:crypto';
import { copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { CordaArtefacts } from './artefacts.ts';
import type { Java8 } from './java8.ts';
import {
  type CordaNodeTerms,
  type CordaRpcAccount,
  type CordaRpcUser,
  folderNameOf,
  LOOPBACK,
  runsContracts,
} from './node-conf.ts';
import { CordaError, type CordaNodeFailure, type NodeSet, startNodeSet } from './node-set.ts';
import { type CordaOptions, shapeOf } from './options.ts';
import { provisionCorda } from './provision.ts';
import { makeRpcTls, type RpcTls } from './rpc-tls.ts';

const ANSWER_TIMEOUT_MS = 2_000;
const TERMS_FILE = 'network.json';
const PASSWORD_BYTES = 16;
const ALL_PERMISSIONS = { user: 'drawbridge', permissions: ['ALL'] };

/** One node of the network; its places in all lists are the same. */
export type CordaNode = Readonly<{
  index: number;
  /** X.500 name. */
  legalName: string;
  isNotary: boolean;
  /** `host:port` for RPC clients. */
  rpcAddress: string;
  /** `host:port` for other nodes. */
  p2pAddress: string;
  /** Its folder; jars put into `cordapps` are loaded when it starts again. */
  dir: string;
  logFile: string;
  running: () => boolean;
  pid: () => number | undefined;
}>;

export type CordaNetwork = Readonly<{
  /** The notary is the first. */
  nodes: readonly CordaNode[];
  notary: CordaNode;
  parties: readonly CordaNode[];
  /** Of every node, with all permissions; the password is drawn at each start. */
  rpcUser: CordaRpcUser;
  /** Those of the options, with their passwords. */
  rpcUsers: readonly CordaRpcAccount[];
  /** Draws another password for one of `rpcUsers`, and answers it: a node knows it from its next start on. */
  renewPassword: (user: string) => string;
  /** What clients need where RPC is over TLS. */
  rpcTls?: Pick<RpcTls, 'trustStoreFile' | 'password'>;
  /** What the nodes run on, for clients that run on it too. */
  java: Java8;
  artefacts: CordaArtefacts;
  /** Whether the node's RPC port takes connections. */
  healthy: (index: number) => Promise<boolean>;
  stopNode: (index: number) => Promise<void>;
  /** A crash of one node. */
  killNode: (index: number) => Promise<void>;
  /** For SIGSTOP, SIGCONT and the like; a node that it ends counts as failed. */
  signalNode: (index: number, signal: NodeJS.Signals) => void;
  /** Starts a stopped node on its ports, with its ledger. */
  startNode: (index: number) => Promise<void>;
  /** Resolves when a node ends that nobody asked to. */
  failed: Promise<CordaNodeFailure>;
  /** Ends all nodes, each by its pid. */
  stop: () => Promise<void>;
}>;

/**
 * @throws Java8Error, MavenArtefactError or CordaArtefactsError where this machine lacks something; CordaError for options
 * that cannot be; BootstrapperError, ProcessError or DeadlineError when the network does not come up. No process is left then.
 */
export async function startCordaNetwork(options: CordaOptions = {}): Promise<CordaNetwork> {
  const terms = shapeOf(options).nodes;
  if (options.stateDir !== undefined) await refuseOtherNetwork(options.stateDir, terms);
  const { programs, generatedDir } = await provisionCorda(options);
  const stateDir = options.stateDir ?? (await mkdtemp(join(tmpdir(), 'drawbridge-corda-')));
  const removeFolder = async () => {
    if (options.stateDir === undefined) await rm(stateDir, { recursive: true, force: true });
  };
  try {
    const dir = await nodesFolder(stateDir, terms, generatedDir);
    await addCordapps(dir, terms, options.cordapps ?? []);
    const rpcUser = account(ALL_PERMISSIONS);
    const rpcUsers = (options.rpcUsers ?? []).map(account);
    const accounts = [rpcUser, ...rpcUsers];
    const rpcTls = options.rpcTls ? await makeRpcTls(join(stateDir, 'rpc-tls'), programs.java) : undefined;
    const rpc = { users: accounts, ...(rpcTls && { tls: rpcTls }) };
    const set = await startNodeSet({ dir, terms, programs, rpc });
    const renewPassword = (user: string): string => renewed(accounts, user);
    const { java, artefacts } = programs;
    const parts = { rpcUser, rpcUsers, renewPassword, java, artefacts, removeFolder };
    return networkOf(set, { ...parts, ...(rpcTls && { rpcTls }) });
  } catch (error) {
    await removeFolder();
    throw error;
  }
}

const account = (asked: Omit<CordaRpcAccount, 'password'>): CordaRpcAccount => ({
  ...asked,
  password: randomBytes(PASSWORD_BYTES).toString('hex'),
});

function renewed(accounts: CordaRpcAccount[], user: string): string {
  const at = accounts.findIndex((each) => each.user === user);
  const known = accounts[at];
  if (known === undefined) throw new CordaError('CORDA_OPTIONS', `the network has no RPC user ${user}`);
  const next = account(known);
  accounts[at] = next;
  return next.password;
}

/** Before anything is fetched or made for it. */
async function refuseOtherNetwork(stateDir: string, terms: readonly CordaNodeTerms[]): Promise<void> {
  const kept = await keptTerms(stateDir);
  if (kept !== undefined && kept !== JSON.stringify(terms)) {
    throw new CordaError('CORDA_STATE_OF_ANOTHER_NETWORK', `${stateDir} holds a network with other nodes`);
  }
}

/** The folder of a network that goes on, or a copy of a new one. */
async function nodesFolder(stateDir: string, terms: readonly CordaNodeTerms[], generatedDir: string): Promise<string> {
  const dir = join(stateDir, 'nodes');
  if ((await keptTerms(stateDir)) !== undefined) return dir;
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  await rm(dir, { recursive: true, force: true });
  await cp(generatedDir, dir, { recursive: true });
  await writeFile(join(stateDir, TERMS_FILE), JSON.stringify(terms), { mode: 0o600 });
  return dir;
}

/** What the folder's network was asked to be; written once its nodes' folders are complete. */
async function keptTerms(stateDir: string): Promise<string | undefined> {
  return readFile(join(stateDir, TERMS_FILE), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

async function addCordapps(dir: string, terms: readonly CordaNodeTerms[], jars: readonly string[]): Promise<void> {
  for (const node of terms.filter(runsContracts)) {
    const cordapps = join(dir, folderNameOf(node.legalName), 'cordapps');
    for (const jar of jars) await copyFile(jar, join(cordapps, basename(jar)));
  }
}

type NetworkParts = Pick<CordaNetwork, 'rpcUser' | 'rpcUsers' | 'renewPassword' | 'rpcTls' | 'java' | 'artefacts'> &
  Readonly<{ removeFolder: () => Promise<void> }>;

function networkOf(set: NodeSet, { removeFolder, ...parts }: NetworkParts): CordaNetwork {
  const nodes = set.places.map(({ terms, dir, logFile }, index) => ({
    index,
    legalName: terms.legalName,
    isNotary: terms.notary !== undefined,
    rpcAddress: `${LOOPBACK}:${set.portsOf(index).rpc}`,
    p2pAddress: `${LOOPBACK}:${set.portsOf(index).p2p}`,
    dir,
    logFile,
    running: () => set.isRunning(index),
    pid: () => set.pidOf(index),
  }));
  const [notary, ...parties] = nodes;
  if (notary === undefined) throw new TypeError('a network has a notary');
  return {
    nodes,
    notary,
    parties,
    ...parts,
    healthy: (index) => takesConnections(set.portsOf(index).rpc),
    stopNode: (index) => set.end(index, (child) => child.stop()),
    killNode: (index) => set.end(index, (child) => child.kill9()),
    signalNode: (index, signal) => set.signal(index, signal),
    startNode: (index) => set.start(index),
    failed: set.failed,
    stop: async () => {
      await set.stopAll();
      await removeFolder();
    },
  };
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: LOOPBACK, port, timeout: ANSWER_TIMEOUT_MS });
    const answer = (taken: boolean) => {
      socket.destroy();
      resolve(taken);
    };
    socket.once('connect', () => answer(true));
    socket.once('timeout', () => answer(false));
    socket.once('error', () => answer(false));
  });
}
