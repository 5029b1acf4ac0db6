/** The composition root of a core process: opens a node's folder, brings it to its place in a service, and runs it. */
import { lockDirectory } from '../consensus/log/directory-lock.ts';
import { systemEntropy } from '../consensus/node-host.ts';
import { loadRaftModule } from '../consensus/raft-engine.ts';
import type { CoreNode } from '../node/core-node.ts';
import type { NodeLog } from '../node-log.ts';
import { requestJoin } from '../peers/request-join.ts';
import { beginLife } from '../platform/node-life.ts';
import type { Platform } from '../platform/platform.ts';
import { virtualPlatform } from '../platform/virtual.ts';
import { RELEASED_RULES, type Rulebook } from '../settlement/rules.ts';
import type { SelfDescription } from './join-service.ts';
import { addressFor } from './listen-address.ts';
import { type OpenedNode, openNode } from './node-folder.ts';
import { RunningNode, type RunningNodeOptions } from './running-node.ts';
import { takePlace } from './take-place.ts';

export type StartServiceOptions = RunningNodeOptions &
  Readonly<{
    dir: string;
    /** Needed where a service begins; later it may be given again and must be the same. */
    genesisFile?: string;
    /** host:port by which others know it, where that is not where it listens. */
    advertise?: Readonly<{ api?: string; peer?: string }>;
  }>;

export type StartServiceDependencies = Readonly<{
  log: NodeLog;
  /** Unix ms. */
  nowMs: () => number;
  /** The node has stopped for good; the process should end. */
  onFailed: (error: unknown) => void;
  /** Default: `virtual`. */
  platform?: Platform;
  /** Default: those of this release. */
  rules?: Rulebook;
}>;

export type RunningService = Readonly<{
  url: string;
  /** host:port for other nodes; empty for one that stays alone. */
  peerAddress: string;
  serviceId: string;
  nodeId: string;
  raftId: number;
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
  // Says what is wrong with the folder before anything is written there; opened again under the lock.
  await openNode(options.dir);
  const lock = await lockDirectory(options.dir);
  try {
    const running = await startLocked(options, dependencies);
    const stop = async (): Promise<void> => {
      try {
        await running.stop();
      } finally {
        await lock.release();
      }
    };
    return { ...running, stop };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function startLocked(
  options: StartServiceOptions,
  { platform = virtualPlatform, rules = RELEASED_RULES, ...dependencies }: StartServiceDependencies,
): Promise<RunningService> {
  const opened = await openNode(options.dir);
  const life = beginLife(platform, systemEntropy);
  let ports = { apiPort: options.listen.port, peerPort: options.peerListen?.port ?? 0 };
  const self = (): SelfDescription => {
    const versions = [...rules.keys()];
    return { ...addressesOf(options, opened, ports), hosts: opened.hosts, platform, versions, life };
  };
  const { genesisFile, join } = options;
  const placed = await takePlace(
    { node: opened, self: self(), ...(genesisFile !== undefined && { genesisFile }), ...(join && { join }) },
    { ...dependencies, requestJoin },
  );
  const engine = await loadRaftModule();
  const running = new RunningNode(options, { ...dependencies, placed, self, platform, rules, engine });
  try {
    await running.start();
    ports = await running.serve();
  } catch (error) {
    await running.stop();
    throw error;
  }
  return {
    url: `https://${options.listen.host}:${ports.apiPort}`,
    peerAddress: self().peerAddress,
    serviceId: placed.place.serviceId,
    nodeId: placed.identity.nodeId,
    raftId: placed.place.raftId,
    node: running.node,
    rescanAmendments: () => running.rescanAmendments(),
    stop: () => running.stop(),
  };
}

function addressesOf(
  { listen, peerListen, advertise }: StartServiceOptions,
  { hosts }: OpenedNode,
  { apiPort, peerPort }: Readonly<{ apiPort: number; peerPort: number }>,
): Pick<SelfDescription, 'apiAddress' | 'peerAddress'> {
  const peer = peerListen ? addressFor({ ...peerListen, port: peerPort }, hosts) : '';
  return {
    apiAddress: advertise?.api ?? addressFor({ ...listen, port: apiPort }, hosts),
    peerAddress: peerListen ? (advertise?.peer ?? peer) : '',
  };
}
