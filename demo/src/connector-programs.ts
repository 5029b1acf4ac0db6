/** The connectors of a local system: a program each, with its configuration. */
import { join, resolve } from 'node:path';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import { DEPTH_BLOCKS, OBSERVER_THRESHOLD, type Scene } from './cast.ts';
import type { CastKeys } from './cast-keys.ts';
import type { Chain } from './chain.ts';
import type { CordaSide } from './corda-side.ts';
import { connectorId } from './genesis-file.ts';
import type { Program } from './program.ts';
import type { RunFolder } from './run-folder.ts';
import type { ValueNetwork } from './value-network.ts';

const CONNECTORS = resolve(import.meta.dirname, '../../connectors');
const EVM_CONNECTOR = join(CONNECTORS, 'quorum/src/main.ts');
const CORDA_CONNECTOR = join(CONNECTORS, 'corda/src/main.ts');

/** What the parts that follow are told of those before them. */
export type Ground = Readonly<{
  run: RunFolder;
  serviceId: Bytes32;
  serviceCertFile: string;
  scene: Scene;
  chains: readonly Chain[];
  corda: CordaSide | undefined;
  keys: CastKeys;
  redisUrl: string;
  coreUrls: readonly string[];
}>;
export type ObserverUrl = Readonly<{ id: string; url: string }>;

export async function startConnectors(
  ground: Ground,
  observerUrls: readonly ObserverUrl[],
  perNetwork: number,
): Promise<ReadonlyMap<string, readonly Program[]>> {
  const { run, keys, chains, corda } = ground;
  const kinds = [
    ...chains.map((chain) => ({
      ...sideOf(chain),
      file: EVM_CONNECTOR,
      own: evmSettings(ground, chain, observerUrls),
    })),
    ...(corda ? [{ ...sideOf(corda), file: CORDA_CONNECTOR, own: async () => corda.connector }] : []),
  ];
  const connectors = new Map<string, Program[]>();
  for (const { network, vaults, file, own } of kinds) {
    const { keyFile, certFile } = keys.identity(connectorId(network));
    const programs: Program[] = [];
    for (let n = 1; n <= perNetwork; n += 1) {
      const name = `${connectorId(network)}-${n}`;
      const config = await run.config(name, {
        network,
        redisUrl: ground.redisUrl,
        coreUrl: ground.coreUrls,
        tls: { keyFile, certFile, serviceCertFile: ground.serviceCertFile },
        sealingKeyFile: keys.sealingKeyFile(network),
        vaults: vaults.map(({ asset, address }) => ({ asset, address: address.toLowerCase() })),
        ...(await own(name)),
      });
      programs.push((await run.launch(name, file, ['--config', config])).program);
    }
    connectors.set(network, programs);
  }
  return connectors;
}

const sideOf = ({ network, vaults }: ValueNetwork): Pick<ValueNetwork, 'network' | 'vaults'> => ({ network, vaults });

/** What the file of a connector of an EVM network says of its own. */
const evmSettings =
  ({ run, keys }: Ground, chain: Chain, observerUrls: readonly ObserverUrl[]) =>
  async (name: string): Promise<object> => ({
    chainId: chain.chainId,
    genesisHash: chain.genesisHash,
    rpcUrl: chain.rpcUrl,
    ...(chain.wsUrl !== undefined && { wsUrl: chain.wsUrl }),
    stateDir: await run.folder(name),
    feeKeyFile: keys.feeKeyFile(chain.network),
    ...(chain.consensus?.connector ?? {
      observers: observerUrls.map(({ id, url }, index) => ({
        id,
        url,
        certFile: keys.identity(id).certFile,
        publicKey: keys.observers[index]?.publicKey,
      })),
      threshold: OBSERVER_THRESHOLD,
      depthBlocks: DEPTH_BLOCKS,
    }),
  });
