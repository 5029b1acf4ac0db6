/** The composition root of a core process: a service's folder, its node, its API, its amendments. */
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fromHex, toBytes32 } from '@drawbridge/protocol/bytes32';
import { AmendmentFolder } from '../amendments/amendment-folder.ts';
import { buildApi } from '../api/build-api.ts';
import type { ApiLimits } from '../api/limits.ts';
import { loadRaftModule } from '../consensus/raft-engine.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { CoreNode, type CoreNodeOptions } from '../node/core-node.ts';
import { sealSnapshot } from '../node/state-snapshot.ts';
import type { NodeLog } from '../node-log.ts';
import { initialState } from '../settlement/genesis-state.ts';
import { type CheckedGenesis, readGenesisFile } from './genesis-file.ts';
import { openService, type ServiceBundle, writeDurably } from './service-bundle.ts';
import { ServiceError } from './service-error.ts';

/** Digest of the genesis and content of the first snapshot, sealed; the history is made again from it. */
const GENESIS_FILE = 'genesis.snapshot';
const FIRST_INDEX = 1;
const DIGEST_BYTES = 32;

export type StartServiceOptions = Readonly<{
  dir: string;
  /** Needed at the first start; later it may be given again and must be the same. */
  genesisFile?: string;
  listen: Readonly<{ host: string; port: number }>;
  amendmentsDir?: string;
  node?: Omit<CoreNodeOptions, 'dir'>;
  apiLimits?: Partial<ApiLimits>;
}>;

export type StartServiceDependencies = Readonly<{
  log: NodeLog;
  /** Unix ms. */
  nowMs: () => number;
  /** The node has stopped for good; the process should end. */
  onFailed: (error: unknown) => void;
}>;

export type RunningService = Readonly<{
  url: string;
  serviceId: string;
  node: CoreNode;
  /** Reads the amendment folder now, if there is one. */
  rescanAmendments: () => Promise<void>;
  /** Ends the API, then the node; resolves when everything is on the disk. */
  stop: () => Promise<void>;
}>;

/**
 * @throws KeyFileError, ServiceError, SealBrokenError, LogDamagedError, LogLockedError and what else keeps a node from
 * starting, each with words for an operator
 */
export async function startService(
  options: StartServiceOptions,
  dependencies: StartServiceDependencies,
): Promise<RunningService> {
  const { bundle, keys } = await openService(options.dir);
  const genesis = options.genesisFile === undefined ? undefined : await readGenesisFile(options.genesisFile, bundle);
  const { log, nowMs, onFailed } = dependencies;
  const input = { dir: options.dir, genesis, bundle, keys, nowMs };
  await storedGenesis(input);
  let content: Promise<Uint8Array> | undefined;
  // Called by who holds the ledger's lock, so that of two first starts at once only one draws a genesis.
  const genesisContent = (): Promise<Uint8Array> => {
    content ??= drawGenesis(input);
    return content;
  };
  const node = await CoreNode.start(
    { ...options.node, dir: options.dir },
    { keys, engine: await loadRaftModule(), genesisContent, log, nowMs, onFailed },
  );
  try {
    return await serve(node, bundle, options, log);
  } catch (error) {
    await node.stop();
    throw error;
  }
}

async function serve(
  node: CoreNode,
  bundle: ServiceBundle,
  options: StartServiceOptions,
  log: NodeLog,
): Promise<RunningService> {
  const { apiLimits, listen, amendmentsDir } = options;
  const tls = { key: bundle.tls.key, cert: bundle.tls.certificate };
  const api = buildApi(node, { tls, logger: log, ...(apiLimits && { limits: apiLimits }) });
  await api.listen({ host: listen.host, port: listen.port });
  const amendments =
    amendmentsDir === undefined ? undefined : new AmendmentFolder({ dir: amendmentsDir }, { core: node, log });
  await amendments?.start();
  const { port } = api.server.address() as AddressInfo;
  return {
    url: `https://${listen.host}:${port}`,
    serviceId: bundle.serviceId,
    node,
    rescanAmendments: async () => amendments?.scan(),
    stop: async () => {
      await amendments?.stop();
      await api.close();
      await node.stop();
    },
  };
}

type GenesisInput = Readonly<{
  dir: string;
  genesis: CheckedGenesis | undefined;
  bundle: ServiceBundle;
  keys: KeyRing;
  nowMs: () => number;
}>;

const genesisMissing = (): ServiceError => new ServiceError('GENESIS_MISSING', 'the first start needs --genesis');

/** The first snapshot that this service began with; nothing before its first start. */
async function storedGenesis({ dir, genesis, keys }: GenesisInput): Promise<Uint8Array | undefined> {
  const stored = await readGenesisSnapshot(dir, keys);
  if (!stored && !genesis) throw genesisMissing();
  if (stored && genesis && genesis.digest !== stored.digest) {
    throw new ServiceError(
      'GENESIS_MISMATCH',
      `this ledger began with another genesis (digest ${stored.digest}, the file has ${genesis.digest}); start without --genesis or with the first file; later changes are amendments`,
    );
  }
  return stored?.content;
}

/** The stored first snapshot, or a new one, stored before it is answered. */
async function drawGenesis(input: GenesisInput): Promise<Uint8Array> {
  const stored = await storedGenesis(input);
  if (stored) return stored;
  const { dir, genesis, bundle, keys, nowMs } = input;
  if (!genesis) throw genesisMissing();
  const state = initialState(genesis.genesis, bundle.secrets, nowMs());
  const content = await sealSnapshot(keys, { genesisDigest: genesis.digest, index: FIRST_INDEX, state });
  const sealed = keys.seal('genesis', Buffer.concat([fromHex(genesis.digest), content]));
  await writeDurably(dir, GENESIS_FILE, sealed);
  return content;
}

async function readGenesisSnapshot(
  dir: string,
  keys: KeyRing,
): Promise<{ digest: string; content: Uint8Array } | undefined> {
  let sealed: Uint8Array;
  try {
    sealed = await readFile(join(dir, GENESIS_FILE));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const bytes = keys.open('genesis', sealed);
  return { digest: toBytes32(bytes.subarray(0, DIGEST_BYTES)), content: bytes.subarray(DIGEST_BYTES) };
}
