/** One observer process, put together from its parts. */
import { createPublicKey, sign } from 'node:crypto';
import { type Hex, parseBytes32, toHex } from '@drawbridge/protocol/bytes32';
import { type NetworkId, parseEvmAddress, parseNetworkId, parseParticipantId } from '@drawbridge/protocol/ids';
import type { Logger } from 'pino';
import { admission } from './admission.ts';
import { type Attestor, attest, type WatchedNetwork } from './attestor.ts';
import type { NetworkConfig, ObserverSetup } from './config.ts';
import { jsonRpcNode } from './json-rpc-node.ts';
import { watchNetworks } from './network-watch.ts';
import { observerMetrics } from './observer-metrics.ts';
import { observerServer } from './observer-server.ts';
import { SeenLogs } from './seen-logs.ts';
import { SignedBlocks } from './signed-blocks.ts';

export type RunningObserver = Readonly<{
  /** `https://host:port`. */
  url: string;
  /** Ed25519, 32 bytes: what governance registers. */
  publicKey: Hex;
  /** Answers what is under way, then ends. */
  stop: () => Promise<void>;
}>;

/** A node on another chain than the configuration says: nothing would ever be attested. */
export class WrongNetworkError extends Error {
  override readonly name = 'WrongNetworkError';
  readonly code = 'NODE_WRONG_NETWORK' as const;
}

/**
 * Starts and listens. A node that is away is waited for; one on another chain is a mistake.
 * @throws WrongNetworkError, SignedBlocksError, or Node's own error when the address cannot be had.
 */
export async function startObserver(setup: ObserverSetup, log: Logger): Promise<RunningObserver> {
  const { config, attestationKey } = setup;
  const { limits } = config;
  const guard = await SignedBlocks.open(setup.signedBlocksFile, limits.signedBlocks);
  const networks = new Map<NetworkId, WatchedNetwork>(
    config.networks.map((network) => [parseNetworkId(network.id), watchedNetwork(network, limits)]),
  );
  const watch = watchNetworks(networks.values(), {
    everyMs: limits.identityCheckMs,
    onChange: (network, health) => {
      if (health === 'wrong-network') log.error({ network, health }, 'ALARM: the node is on another chain');
      else log.info({ network, health }, 'network');
    },
  });
  const attestor: Attestor = {
    id: parseParticipantId(config.id),
    serviceId: parseBytes32(config.serviceId),
    networks,
    guard,
    seen: new SeenLogs(limits.seenLogs),
    sign: (statement) => toHex(sign(null, statement, attestationKey)),
  };
  let stopping = false;
  const app = observerServer(
    {
      observer: config.id,
      tls: setup.tls,
      ...(config.tls.clientCertificates && { clientCertificates: config.tls.clientCertificates }),
      connections: limits.connections,
    },
    {
      attest: (request) => attest(attestor, request),
      admission: admission(limits, () => performance.now()),
      metrics: observerMetrics({ signedBlocks: () => guard.size, health: watch.health }),
      health: watch.health,
      stopping: () => stopping,
      log,
      nowMs: () => performance.now(),
    },
  );
  const stop = async (): Promise<void> => {
    stopping = true;
    await watch.stop();
    await app.close();
    await guard.close();
  };
  try {
    await watch.check();
    for (const [network, health] of watch.health()) {
      if (health === 'wrong-network') throw new WrongNetworkError(`the node of ${network} is on another chain`);
    }
    const [host = '', port = ''] = config.listen.split(':');
    const url = await app.listen({ host, port: Number(port) });
    return { url, publicKey: publicKeyOf(attestationKey), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function watchedNetwork(network: NetworkConfig, limits: ObserverSetup['config']['limits']): WatchedNetwork {
  return {
    id: parseNetworkId(network.id),
    identity: { chainId: network.chainId, genesisHash: parseBytes32(network.genesisHash) },
    depthBlocks: network.depthBlocks,
    vaults: new Set(network.vaults.map(parseEvmAddress)),
    node: jsonRpcNode({ url: network.rpcUrl, timeoutMs: limits.rpcTimeoutMs, maxBytes: limits.rpcMaxBytes }),
  };
}

/** The last 32 bytes of the SubjectPublicKeyInfo (RFC 8410). */
function publicKeyOf(key: ObserverSetup['attestationKey']): Hex {
  return toHex(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32));
}
