/**
 * A whole Drawbridge on one machine: Redis, two networks, core, hub, connectors, observers, each a process of its own.
 * The demonstration and the end-to-end tests start it; the latter also kill parts of it.
 */
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ManagedProcess } from '@drawbridge/devnets/child-process';
import { freePorts } from '@drawbridge/devnets/free-port';
import { type RedisServer, startRedis } from '@drawbridge/devnets/redis';
import type { TlsIdentity } from '@drawbridge/devnets/tls-identity';
import { type Bytes32, parseBytes32 } from '@drawbridge/protocol/bytes32';
import {
  type AssetSpec,
  assetsOn,
  CORDA_NETWORK,
  DEPTH_BLOCKS,
  HUB,
  NETWORKS,
  OBSERVERS,
  type Scene,
  sceneOf,
} from './cast.ts';
import { type CastKeys, makeCastKeys } from './cast-keys.ts';
import { type Chain, prepareChain, type StartChainNode, startAnvilNode } from './chain.ts';
import { type Ground, type ObserverUrl, startConnectors } from './connector-programs.ts';
import { type CordaSide, type CordaTerms, startCordaSide } from './corda-side.ts';
import { genesisFile } from './genesis-file.ts';
import type { Program } from './program.ts';
import { RunFolder } from './run-folder.ts';
import { runToEnd } from './run-to-end.ts';
import type { ValueNetwork } from './value-network.ts';

const REPOSITORY = resolve(import.meta.dirname, '../..');
const CORE = join(REPOSITORY, 'enclave-core/src/main.ts');
/** A loader is in the core's process, and a shell's environment around it: its log and status then say so. */
const AS_FROM_SOURCES = ['--development'];
const HUB_PROGRAM = join(REPOSITORY, 'hub/src/main.ts');
const OBSERVER = join(REPOSITORY, 'observers/src/main.ts');

/** The configuration file of an observer: its keys, where it listens, and the networks that it watches. */
export type ObserverConfig = Readonly<{
  id: string;
  serviceId: Bytes32;
  /** `host:port`, https; connectors ask there. */
  listen: string;
  tls: Readonly<{ keyFile: string; certFile: string }>;
  attestationKeyFile: string;
  stateDir: string;
  networks: readonly Readonly<{
    id: string;
    rpcUrl: string;
    chainId: number;
    genesisHash: Bytes32;
    depthBlocks: number;
    vaults: readonly string[];
  }>[];
}>;

export type LocalSystemOptions = Readonly<{
  /** Folder of this run: keys, configurations, logs, the core's data. Made when absent. */
  dir: string;
  redisUrl?: string;
  /** Told what is being done, a sentence at a time. */
  progress?: (sentence: string) => void;
  /** Aborted while it starts: what was started is stopped again before the next stage, and its reason thrown. */
  signal?: AbortSignal;
  /** Connectors of each network; two at once must do no harm. */
  connectorsPerNetwork?: number;
  hubs?: number;
  /** Nodes of the core; 1 when absent. */
  coreNodes?: number;
  /** A Corda network takes part: one to two minutes more until all is up. */
  corda?: CordaTerms;
  /** What stands for a network of the cast instead of anvil, by its id. */
  nodes?: Readonly<Record<string, StartChainNode>>;
  /** Takes the place of an observer, with its keys and at its address; what it gives back ends it. */
  standIns?: Readonly<Record<string, (config: ObserverConfig) => Promise<() => Promise<void>>>>;
}>;

export type LocalSystem = Readonly<{
  dir: string;
  /** Of the first node of the core, and of all. */
  coreUrl: string;
  coreUrls: readonly string[];
  /** Folder of the first node. */
  coreDir: string;
  serviceId: Bytes32;
  serviceCertFile: string;
  genesisFile: string;
  assets: readonly AssetSpec[];
  /** All of them, of whatever kind. */
  networks: readonly ValueNetwork[];
  network: (id: string) => ValueNetwork;
  chains: readonly Chain[];
  chain: (network: string) => Chain;
  /** `agent`: the first one. */
  corda?: CordaSide & Readonly<{ agent: ManagedProcess }>;
  redis: RedisServer;
  core: Program;
  /** All nodes of the core, the first included. */
  cores: readonly Program[];
  hubs: readonly Program[];
  hubUrl: string;
  /** Programs by id; who has a stand-in has none. */
  observer: (id: string) => Program;
  observerUrls: readonly Readonly<{ id: string; url: string }>[];
  connectors: (network: string) => readonly Program[];
  identity: (name: string) => TlsIdentity;
  /** Public keys (PEM) that instructions are sealed to, by network. */
  sealingKeys: CastKeys['sealingKeys'];
  /** Authority address of each vault, by `<network>/<asset>`. */
  authorities: Readonly<Record<string, string>>;
  stop: () => Promise<void>;
}>;

/** What `create` of the core prints. */
type Created = Readonly<{ serviceId: string; authorities: Record<string, string>; serviceCertificate: string }>;

/** Starts everything, or stops what was started and throws. */
export async function startLocalSystem(options: LocalSystemOptions): Promise<LocalSystem> {
  const run = new RunFolder(options.dir);
  try {
    return await assemble(run, options);
  } catch (error) {
    await run.stop();
    throw error;
  }
}

async function assemble(run: RunFolder, options: LocalSystemOptions): Promise<LocalSystem> {
  const progress = (sentence: string): void => {
    options.signal?.throwIfAborted();
    options.progress?.(sentence);
  };
  progress('finding Redis');
  const redis = await startRedis({
    dir: await run.folder('redis'),
    redisUrl: options.redisUrl,
    log: progress,
    logFile: await run.logFile('redis'),
  });
  run.onStop(() => redis.stop());
  progress('creating the service: its id, its keys, one authority per vault');
  const scene = sceneOf({ corda: Boolean(options.corda) });
  const created = await createService(run, scene);
  const serviceId = parseBytes32(created.serviceId);
  const serviceCertFile = join(run.dir, 'service.pem');
  await writeFile(serviceCertFile, created.serviceCertificate);
  progress('starting two networks, deploying tokens and vaults');
  const chains = await startChains(run, { serviceId, scene, authorities: created.authorities }, options.nodes ?? {});
  const corda = options.corda
    ? await startCorda(run, { serviceId, scene, authorities: created.authorities }, progress, options.corda)
    : undefined;
  progress('making keys and certificates of three banks, observers and connectors');
  const keys = await makeCastKeys(
    await run.keys(),
    scene.networks,
    chains,
    corda && { [CORDA_NETWORK]: corda.sealing },
  );
  const genesis = join(run.dir, 'genesis.json');
  const joiners = await createJoiners(run, (options.coreNodes ?? 1) - 1);
  const input = {
    serviceId,
    assets: scene.assets,
    chains,
    corda: options.corda?.registered === false ? undefined : corda,
    authorities: created.authorities,
    nodes: joiners.map(({ nodeId }) => nodeId),
    ...keys,
  };
  await writeFile(genesis, `${JSON.stringify(genesisFile(input), null, 2)}\n`);
  progress(joiners.length === 0 ? 'starting the core' : `starting a core of ${1 + joiners.length} nodes`);
  const cores = await startCores(run, { genesis, serviceCertFile, joiners });
  const coreUrls = cores.map(({ url }) => url);
  const observerPorts = await freePorts(OBSERVERS.length);
  const ground: Ground = { run, serviceId, serviceCertFile, scene, chains, corda, keys, redisUrl: redis.url, coreUrls };
  progress(`starting three observers, ${scene.networks.length} connectors and the hub`);
  const { observers, observerUrls } = await startObservers(ground, observerPorts, options.standIns ?? {});
  const connectors = await startConnectors(ground, observerUrls, options.connectorsPerNetwork ?? 1);
  const agent = await corda?.startAgent();
  const hubs = await startHubs(ground, options.hubs ?? 1);
  const networks = [...chains, ...(corda ? [corda] : [])];
  return {
    dir: run.dir,
    coreUrl: coreUrls[0] ?? '',
    coreUrls,
    coreDir: await run.folder('core'),
    serviceId,
    serviceCertFile,
    genesisFile: genesis,
    assets: scene.assets,
    networks,
    network: (id) =>
      found(
        networks.find(({ network }) => network === id),
        `network ${id}`,
      ),
    ...(corda && agent && { corda: { ...corda, agent } }),
    chains,
    chain: (network) =>
      found(
        chains.find((chain) => chain.network === network),
        `network ${network}`,
      ),
    redis,
    core: found(cores[0], 'core').program,
    cores: cores.map(({ program }) => program),
    hubs: hubs.map(({ program }) => program),
    hubUrl: hubs[0]?.url ?? '',
    observer: (id) => found(observers.get(id), `observer program ${id}`),
    observerUrls,
    connectors: (network) => connectors.get(network) ?? [],
    identity: keys.identity,
    sealingKeys: keys.sealingKeys,
    authorities: created.authorities,
    stop: () => run.stop(),
  };
}

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new RangeError(`there is no ${what}`);
  return value;
}

async function createService(run: RunFolder, scene: Scene): Promise<Created> {
  const vaults = scene.networks.flatMap((id) => assetsOn(id, scene).map(({ code }) => `${id}/${code}`)).join(',');
  const args = ['create', '--dir', await run.folder('core'), '--vaults', vaults, ...AS_FROM_SOURCES];
  return JSON.parse(await runToEnd(CORE, args)) as Created;
}

type Registered = Readonly<{ serviceId: Bytes32; scene: Scene; authorities: Created['authorities'] }>;

async function startCorda(
  run: RunFolder,
  registered: Registered,
  progress: (sentence: string) => void,
  terms: CordaTerms,
): Promise<CordaSide> {
  progress('starting a Corda network and RabbitMQ: one to two minutes, and longer the first time');
  return startCordaSide({ run, ...registered, terms, progress });
}

async function startChains(
  run: RunFolder,
  { serviceId, scene, authorities }: Registered,
  nodes: NonNullable<LocalSystemOptions['nodes']>,
): Promise<Chain[]> {
  const chains = await Promise.all(
    NETWORKS.map(async ({ id, chainId }) => {
      const node = await (nodes[id] ?? startAnvilNode)(chainId, await run.logFile(id));
      run.onStop(() => node.stop());
      const assets = assetsOn(id, scene);
      const own = Object.fromEntries(assets.map(({ code }) => [code, authorities[`${id}/${code}`] ?? '']));
      return prepareChain({ network: id, chainId, serviceId, assets, authorities: own, node });
    }),
  );
  run.onStop(async () => {
    for (const chain of chains) chain.provider.destroy();
  });
  return chains;
}

/** A node that will join: its folder with its key, and the id that genesis lists. */
type Joiner = Readonly<{ name: string; dir: string; nodeId: string }>;

async function createJoiners(run: RunFolder, count: number): Promise<Joiner[]> {
  const joiners: Joiner[] = [];
  for (let n = 2; n <= 1 + count; n += 1) {
    const name = `core-${n}`;
    const dir = await run.folder(name);
    const made = await runToEnd(CORE, ['node', '--dir', dir, ...AS_FROM_SOURCES]);
    const { nodeId } = JSON.parse(made) as { nodeId: string };
    joiners.push({ name, dir, nodeId });
  }
  return joiners;
}

type Started = Readonly<{ program: Program; url: string }>;

async function startCores(
  run: RunFolder,
  { genesis, serviceCertFile, joiners }: { genesis: string; serviceCertFile: string; joiners: readonly Joiner[] },
): Promise<Started[]> {
  const ports = (await freePorts(2 + 2 * joiners.length)).map((port) => `127.0.0.1:${port}`);
  const [listen = '', peer = '', ...others] = ports;
  const places = ['--dir', await run.folder('core'), '--amendments', await run.folder('amendments')];
  const forPeers = joiners.length > 0 ? ['--peer-listen', peer] : [];
  const first = ['start', ...places, '--genesis', genesis, '--listen', listen, ...forPeers, ...AS_FROM_SOURCES];
  const cores = [await run.launch('core', CORE, first)];
  for (const [place, { name, dir }] of joiners.entries()) {
    const [own = '', ownPeer = ''] = others.slice(2 * place);
    const into = ['--dir', dir, '--service-cert', serviceCertFile, '--peer', peer];
    const args = ['join', ...into, '--listen', own, '--peer-listen', ownPeer, ...AS_FROM_SOURCES];
    cores.push(await run.launch(name, CORE, args));
  }
  return cores;
}

async function startObservers(
  { run, serviceId, chains, keys }: Ground,
  ports: readonly number[],
  standIns: NonNullable<LocalSystemOptions['standIns']>,
): Promise<{ observers: ReadonlyMap<string, Program>; observerUrls: readonly ObserverUrl[] }> {
  const observers = new Map<string, Program>();
  const start = async (id: string, index: number): Promise<ObserverUrl> => {
    const { keyFile, certFile } = keys.identity(id);
    const content: ObserverConfig = {
      id,
      serviceId,
      listen: `127.0.0.1:${ports[index]}`,
      tls: { keyFile, certFile },
      attestationKeyFile: keys.attestationKeyFile(id),
      stateDir: await run.folder(id),
      networks: chains
        .filter(({ consensus }) => consensus === undefined)
        .map((chain) => ({
          id: chain.network,
          rpcUrl: chain.rpcUrl,
          chainId: chain.chainId,
          genesisHash: chain.genesisHash,
          depthBlocks: DEPTH_BLOCKS,
          vaults: chain.vaults.map((vault) => vault.address.toLowerCase()),
        })),
    };
    const config = await run.config(id, content);
    const standIn = standIns[id];
    if (standIn) run.onStop(await standIn(content));
    else observers.set(id, (await run.launch(id, OBSERVER, ['--config', config])).program);
    return { id, url: `https://${content.listen}` };
  };
  return { observerUrls: await Promise.all(OBSERVERS.map(start)), observers };
}

async function startHubs(ground: Ground, count: number): Promise<{ program: Program; url: string }[]> {
  const { run, serviceCertFile } = ground;
  const { keyFile, certFile } = ground.keys.identity(HUB);
  const hubs: { program: Program; url: string }[] = [];
  for (let n = 1; n <= count; n += 1) {
    const config = await run.config(`hub-${n}`, {
      networks: ground.scene.networks,
      redisUrl: ground.redisUrl,
      core: { url: ground.coreUrls, keyFile, certFile, serviceCertFile },
    });
    hubs.push(await run.launch(`hub-${n}`, HUB_PROGRAM, ['--config', config]));
  }
  return hubs;
}
