/**
 * A whole Drawbridge on one machine: Redis, two networks, core, hub, connectors, observers, each a process of its own.
 * The demonstration and the end-to-end tests start it; the latter also kill parts of it.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { freePorts } from '@drawbridge/devnets/free-port';
import { type RedisServer, startRedis } from '@drawbridge/devnets/redis';
import { type Bytes32, type Hex, parseBytes32 } from '@drawbridge/protocol/bytes32';
import {
  AUDITOR,
  BANKS,
  BOREAL_AUDITOR,
  DEPTH_BLOCKS,
  HUB,
  NETWORKS,
  OBSERVER_THRESHOLD,
  OBSERVERS,
  OPERATOR,
} from './cast.ts';
import { type Chain, prepareChain, startChainNode } from './chain.ts';
import { connectorId, genesisFile } from './genesis-file.ts';
import { createSealingKey, createSigningKey, createTlsIdentity, type TlsIdentity } from './identities.ts';
import { Program } from './program.ts';
import { runToEnd } from './run-to-end.ts';

const REPOSITORY = resolve(import.meta.dirname, '../..');
const CORE = join(REPOSITORY, 'enclave-core/src/main.ts');
const HUB_PROGRAM = join(REPOSITORY, 'hub/src/main.ts');
const CONNECTOR = join(REPOSITORY, 'connectors/quorum/src/main.ts');
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
  /** Takes the place of an observer, with its keys and at its address; what it gives back ends it. */
  standIns?: Readonly<Record<string, (config: ObserverConfig) => Promise<() => Promise<void>>>>;
}>;

export type LocalSystem = Readonly<{
  dir: string;
  coreUrl: string;
  serviceId: Bytes32;
  serviceCertFile: string;
  genesisFile: string;
  chains: readonly Chain[];
  chain: (network: string) => Chain;
  redis: RedisServer;
  core: Program;
  hubs: readonly Program[];
  hubUrl: string;
  /** Programs by id; who has a stand-in has none. */
  observer: (id: string) => Program;
  observerUrls: readonly Readonly<{ id: string; url: string }>[];
  connectors: (network: string) => readonly Program[];
  identity: (name: string) => TlsIdentity;
  stop: () => Promise<void>;
}>;

/** What `create` of the core prints. */
type Created = Readonly<{ serviceId: string; authorities: Record<string, string>; serviceCertificate: string }>;

/** Starts everything, or stops what was started and throws. */
export async function startLocalSystem(options: LocalSystemOptions): Promise<LocalSystem> {
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  try {
    return await assemble(options, stops, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function assemble(
  options: LocalSystemOptions,
  stops: (() => Promise<unknown>)[],
  stop: () => Promise<void>,
): Promise<LocalSystem> {
  const { dir } = options;
  const progress = (sentence: string): void => {
    options.signal?.throwIfAborted();
    options.progress?.(sentence);
  };
  const folder = async (name: string): Promise<string> => {
    const path = join(dir, name);
    await mkdir(path, { recursive: true, mode: 0o700 });
    return path;
  };
  const logs = await folder('logs');
  const configs = await folder('config');
  const keys = await folder('keys');
  const data = await folder('core');
  const writeConfig = async (name: string, content: object): Promise<string> => {
    const file = join(configs, `${name}.json`);
    await writeFile(file, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
    return file;
  };
  const launch = async (
    name: string,
    file: string,
    args: readonly string[],
  ): Promise<{ program: Program; url: string }> => {
    const program = new Program({ name, file, args, logFile: join(logs, `${name}.log`) });
    stops.push(() => program.stop());
    return { program, url: (await program.start()).url ?? '' };
  };

  progress('finding Redis');
  const redis = await startRedis({
    dir: await folder('redis'),
    redisUrl: options.redisUrl,
    log: progress,
    logFile: join(logs, 'redis.log'),
  });
  stops.push(() => redis.stop());

  progress('creating the service: its id, its keys, one authority per vault');
  const vaultKeys = NETWORKS.flatMap(({ id }) => ['EUR', 'USD'].map((asset) => `${id}/${asset}`));
  const created = JSON.parse(
    await runToEnd(CORE, ['create', '--dir', data, '--vaults', vaultKeys.join(',')]),
  ) as Created;
  const serviceId = parseBytes32(created.serviceId);
  const serviceCertFile = join(dir, 'service.pem');
  await writeFile(serviceCertFile, created.serviceCertificate);

  progress('starting two networks, deploying tokens and vaults');
  const chains = await Promise.all(
    NETWORKS.map(async ({ id, chainId }) => {
      const anvil = await startChainNode(chainId, join(logs, `${id}.log`));
      stops.push(() => anvil.stop());
      const authorities = Object.fromEntries(
        ['EUR', 'USD'].map((asset) => [asset, created.authorities[`${id}/${asset}`] ?? '']),
      );
      return prepareChain({ network: id, chainId, serviceId, authorities, anvil });
    }),
  );
  stops.push(async () => {
    for (const chain of chains) chain.provider.destroy();
  });

  progress('making keys and certificates of three banks, observers and connectors');
  const names = [
    ...BANKS.map((bank) => bank.short),
    AUDITOR,
    BOREAL_AUDITOR,
    OPERATOR,
    HUB,
    ...NETWORKS.map(({ id }) => connectorId(id)),
    ...OBSERVERS,
  ];
  const identities = new Map<string, TlsIdentity>();
  for (const name of names) identities.set(name, await createTlsIdentity(keys, name));
  const identity = (name: string): TlsIdentity => {
    const found = identities.get(name);
    if (!found) throw new RangeError(`nobody is called ${name}`);
    return found;
  };
  const sealingKeys: Record<string, string> = {};
  for (const { id } of NETWORKS) sealingKeys[id] = (await createSealingKey(join(keys, `${id}.sealing.key`))).publicKey;
  const observerKeys: { id: string; publicKey: Hex }[] = [];
  for (const id of OBSERVERS) {
    observerKeys.push({ id, ...(await createSigningKey(join(keys, `${id}.attestation.key`))) });
  }
  const bootstrapKeys: Hex[] = [];
  for (const n of [1, 2, 3]) bootstrapKeys.push((await createSigningKey(join(keys, `bootstrap-${n}.key`))).publicKey);
  for (const chain of chains)
    await writeFile(join(keys, `${chain.network}.fee.key`), `${chain.feeKey}\n`, { mode: 0o600 });

  const genesis = join(dir, 'genesis.json');
  await writeFile(
    genesis,
    `${JSON.stringify(
      genesisFile({
        serviceId,
        bootstrapKeys,
        chains,
        identity,
        observers: observerKeys,
        sealingKeys,
        authorities: created.authorities,
      }),
      null,
      2,
    )}\n`,
  );

  progress('starting the core');
  const ports = await freePorts(1 + OBSERVERS.length);
  const [corePort = 0, ...observerPorts] = ports;
  const coreArgs = ['start', '--dir', data, '--genesis', genesis, '--listen', `127.0.0.1:${corePort}`];
  // Run from its sources here, by a loader, in a shell's environment: the core says in its log and status that it is so.
  coreArgs.push('--development');
  const core = await launch('core', CORE, [...coreArgs, '--amendments', await folder('amendments')]);

  progress('starting three observers, two connectors and the hub');
  const observers = new Map<string, Program>();
  const observerUrls = await Promise.all(
    OBSERVERS.map(async (id, index) => {
      const { keyFile, certFile } = identity(id);
      const content: ObserverConfig = {
        id,
        serviceId,
        listen: `127.0.0.1:${observerPorts[index]}`,
        tls: { keyFile, certFile },
        attestationKeyFile: join(keys, `${id}.attestation.key`),
        stateDir: await folder(id),
        networks: chains.map((chain) => ({
          id: chain.network,
          rpcUrl: chain.rpcUrl,
          chainId: chain.chainId,
          genesisHash: chain.genesisHash,
          depthBlocks: DEPTH_BLOCKS,
          vaults: chain.vaults.map((vault) => vault.address.toLowerCase()),
        })),
      };
      const config = await writeConfig(id, content);
      const standIn = options.standIns?.[id];
      if (standIn) stops.push(await standIn(content));
      else observers.set(id, (await launch(id, OBSERVER, ['--config', config])).program);
      return { id, url: `https://${content.listen}` };
    }),
  );
  const connectors = new Map<string, Program[]>();
  for (const chain of chains) {
    const own = identity(connectorId(chain.network));
    const programs: Program[] = [];
    for (let n = 1; n <= (options.connectorsPerNetwork ?? 1); n += 1) {
      const name = `${connectorId(chain.network)}-${n}`;
      const config = await writeConfig(name, {
        network: chain.network,
        chainId: chain.chainId,
        genesisHash: chain.genesisHash,
        rpcUrl: chain.rpcUrl,
        redisUrl: redis.url,
        coreUrl: core.url,
        stateDir: await folder(name),
        tls: { keyFile: own.keyFile, certFile: own.certFile, serviceCertFile },
        sealingKeyFile: join(keys, `${chain.network}.sealing.key`),
        feeKeyFile: join(keys, `${chain.network}.fee.key`),
        observers: observerUrls.map(({ id, url }, index) => ({
          id,
          url,
          certFile: identity(id).certFile,
          publicKey: observerKeys[index]?.publicKey,
        })),
        threshold: OBSERVER_THRESHOLD,
        depthBlocks: DEPTH_BLOCKS,
        vaults: chain.vaults.map(({ asset, address }) => ({ asset, address: address.toLowerCase() })),
      });
      programs.push((await launch(name, CONNECTOR, ['--config', config])).program);
    }
    connectors.set(chain.network, programs);
  }
  const hubIdentity = identity(HUB);
  const hubs: { program: Program; url: string }[] = [];
  for (let n = 1; n <= (options.hubs ?? 1); n += 1) {
    const config = await writeConfig(`hub-${n}`, {
      networks: NETWORKS.map(({ id }) => id),
      redisUrl: redis.url,
      core: { url: core.url, keyFile: hubIdentity.keyFile, certFile: hubIdentity.certFile, serviceCertFile },
    });
    hubs.push(await launch(`hub-${n}`, HUB_PROGRAM, ['--config', config]));
  }
  return {
    dir,
    coreUrl: core.url,
    serviceId,
    serviceCertFile,
    genesisFile: genesis,
    chains,
    chain: (network) => {
      const found = chains.find((chain) => chain.network === network);
      if (!found) throw new RangeError(`there is no network ${network}`);
      return found;
    },
    redis,
    core: core.program,
    hubs: hubs.map(({ program }) => program),
    hubUrl: hubs[0]?.url ?? '',
    observer: (id) => {
      const found = observers.get(id);
      if (!found) throw new RangeError(`there is no observer program ${id}`);
      return found;
    },
    observerUrls,
    connectors: (network) => connectors.get(network) ?? [],
    identity,
    stop,
  };
}
