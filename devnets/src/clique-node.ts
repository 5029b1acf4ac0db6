/** One geth of a Clique network: its folder, its process, its peers. Every socket of it is on 127.0.0.1. */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { encryptKeystoreJson } from 'ethers';
import { type ManagedProcess, ProcessError, startProcess } from './child-process.ts';
import { type EvmKey, enodeId } from './evm-key.ts';
import { AddressInUseError } from './free-port.ts';

const run = promisify(execFile);

const LOOPBACK = '127.0.0.1';
const READY_TIMEOUT_MS = 60_000;
/** geth writes its caches at the end. */
const STOP_TIMEOUT_MS = 20_000;
/** Of geth's own light setting; the password lies in the same folder, so that more work would protect nothing. */
const LIGHT_SCRYPT = { N: 4096, r: 8, p: 6 };
const CACHE_MIB = 64;
/** Whom a node trusts it knows by identity; the address must only be well formed. */
const ANY_PORT = 1;

/** What makes a node the same one after a restart. */
export type CliqueNodeKeys = Readonly<{
  /** Seals blocks when its address is in the set. */
  sealer: EvmKey;
  /** Private key of its P2P identity, 0x and 64 digits. */
  node: string;
  /** Of the sealer's key file. */
  password: string;
}>;

export type CliqueNodePorts = Readonly<{ rpc: number; p2p: number; auth: number }>;

export type CliqueNodePlace = Readonly<{
  index: number;
  program: string;
  dir: string;
  chainId: number;
  keys: CliqueNodeKeys;
  logFile: string;
  /** Private keys of the other nodes' P2P identities. */
  peerKeys: readonly string[];
}>;

/** Writes keys and genesis block into a new node's folder, files with mode 0600. */
export async function makeNodeFolder(place: CliqueNodePlace, genesisFile: string): Promise<void> {
  const { dir, keys, program } = place;
  for (const folder of ['keystore', 'geth']) await mkdir(join(dir, folder), { recursive: true, mode: 0o700 });
  const sealer = await encryptKeystoreJson(keys.sealer, keys.password, { scrypt: LIGHT_SCRYPT });
  const files = { [join('keystore', 'sealer.json')]: sealer, [join('geth', 'nodekey')]: keys.node.slice(2) };
  for (const [name, text] of Object.entries({ ...files, password: keys.password })) {
    await writeFile(join(dir, name), text, { mode: 0o600 });
  }
  const init = ['--datadir', dir, '--gcmode', 'archive', '--cache', String(CACHE_MIB), 'init', genesisFile];
  await run(program, init, { timeout: READY_TIMEOUT_MS });
}

/**
 * Starts the process; it neither has peers nor seals yet.
 * @throws AddressInUseError when a port is taken, ProcessError when it does not start.
 */
export async function startNode(place: CliqueNodePlace, ports: CliqueNodePorts): Promise<ManagedProcess> {
  const { dir, keys, chainId, index } = place;
  const configFile = join(dir, 'config.toml');
  await writeFile(configFile, p2pConfig(place, ports.p2p), { mode: 0o600 });
  const settings: Record<string, string> = {
    config: configFile,
    datadir: dir,
    networkid: String(chainId),
    nat: 'none',
    netrestrict: '127.0.0.0/8',
    'http.addr': LOOPBACK,
    'http.port': String(ports.rpc),
    'http.api': 'eth,net,web3,admin,clique,debug,miner',
    'authrpc.addr': LOOPBACK,
    'authrpc.port': String(ports.auth),
    syncmode: 'full',
    // Every block's state is written: a node that is killed goes on where it was, and old state can be asked for.
    gcmode: 'archive',
    cache: String(CACHE_MIB),
    unlock: keys.sealer.address,
    password: join(dir, 'password'),
    'miner.etherbase': keys.sealer.address,
    // Otherwise a node leaves out the cheap transactions that others sent it.
    'miner.gasprice': '1',
  };
  const switches = ['--http', '--ipcdisable', '--allow-insecure-unlock', '--snapshot=false'];
  return startProcess({
    name: `geth node ${index} of chain ${chainId}`,
    command: place.program,
    args: [...switches, ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])],
    logFile: place.logFile,
    readyTimeoutMs: READY_TIMEOUT_MS,
    stopTimeoutMs: STOP_TIMEOUT_MS,
    // Said when all ports are open; a node that is to seal before would not try again until another's block comes.
    ready: { line: /Unlocked account/ },
  }).catch((error: unknown) => {
    if (error instanceof ProcessError && /address already in use/i.test(error.output)) {
      throw new AddressInUseError(`a port of ${Object.values(ports).join(', ')} is taken`, { cause: error });
    }
    throw error;
  });
}

export function rpcUrlOf(ports: CliqueNodePorts): string {
  return `http://${LOOPBACK}:${ports.rpc}`;
}

export function enodeUrl(keys: CliqueNodeKeys, ports: CliqueNodePorts): string {
  return `enode://${enodeId(keys.node)}@${LOOPBACK}:${ports.p2p}?discport=0`;
}

/**
 * The command line can only say a port, and then listens on all interfaces. A node waits for five peers or ten seconds
 * before it catches up, unless it takes fewer peers than five: so it takes just those that there are. It may dial all of
 * them, where geth would dial a third; that leaves no room for callers, except those that it trusts.
 */
function p2pConfig(place: CliqueNodePlace, port: number): string {
  const trusted = place.peerKeys.map((key) => `"enode://${enodeId(key)}@${LOOPBACK}:${ANY_PORT}?discport=0"`);
  return [
    '[Node.P2P]',
    `ListenAddr = "${LOOPBACK}:${port}"`,
    'NoDiscovery = true',
    `MaxPeers = ${Math.max(1, trusted.length)}`,
    'DialRatio = 1',
    `TrustedNodes = [${trusted.join(', ')}]`,
    '',
  ].join('\n');
}
