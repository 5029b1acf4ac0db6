/**
 * A network of the cast that stands on geth with Clique: real sealed headers, which the core verifies. Its checkpoint is
 * the genesis block. The banks ask the last node, which does not seal at first; the connector asks the first one, which
 * does, through a proxy that can spoil answers.
 */
import { type RpcProxy, startRpcProxy } from '@drawbridge/connector-quorum/testing/rpc-proxy';
import type { ChainNode, StartChainNode } from '@drawbridge/demo/chain';
import { type CliqueNetwork, startCliqueNetwork } from '@drawbridge/devnets/clique';

const EPOCH_LENGTH = 30_000;
/** Blocks below the head that the core remembers. */
const MAX_GAP_BLOCKS = 512;
const TRUSTING_PERIOD_S = 86_400;
/** Three signers need a stack of at most three blocks. */
const DEPTH_BLOCKS = 4;

export type CliqueGround = Readonly<{
  start: StartChainNode;
  network: () => CliqueNetwork;
  /** Between the connector and the first node. */
  proxy: () => RpcProxy;
}>;

export function cliqueGround(): CliqueGround {
  let started: Readonly<{ clique: CliqueNetwork; proxy: RpcProxy }> | undefined;
  const running = () => {
    if (!started) throw new Error('the Clique network has not started');
    return started;
  };
  return {
    network: () => running().clique,
    proxy: () => running().proxy,
    start: async (chainId): Promise<ChainNode> => {
      const clique = await startCliqueNetwork({ chainId, signers: 3, nonSigners: 1, epochLength: EPOCH_LENGTH });
      const [sealing, last] = [clique.nodes[0], clique.nodes.at(-1)];
      if (!sealing || !last) throw new Error('a Clique network has nodes');
      const proxy = await startRpcProxy(sealing.rpcUrl);
      started = { clique, proxy };
      return {
        rpcUrl: last.rpcUrl,
        genesisHash: clique.genesisHash,
        accounts: clique.accounts,
        stop: async () => {
          await proxy.stop();
          await clique.stop();
        },
        consensus: { finality: await finalityOf(clique), connector: connectorOf(proxy.url) },
      };
    },
  };
}

async function finalityOf(clique: CliqueNetwork): Promise<object> {
  const genesis = (await clique.rpc(0, 'eth_getBlockByNumber', '0x0', false)) as { timestamp: string };
  const signers = clique.nodes.slice(0, 3).map(({ address }) => address.toLowerCase());
  return {
    rule: 'clique',
    checkpoint: {
      blockNumber: 0,
      blockHash: clique.genesisHash,
      timestampS: Number(genesis.timestamp),
      validators: signers,
    },
    epochLength: EPOCH_LENGTH,
    // London from the first block: 15 fields and the base fee.
    headerFields: [{ fromBlock: 0, count: 16 }],
    trustingPeriodS: TRUSTING_PERIOD_S,
    maxGapBlocks: MAX_GAP_BLOCKS,
    periodS: 1,
  };
}

const connectorOf = (rpcUrl: string): object => ({
  rule: 'clique',
  rpcUrl,
  depthBlocks: DEPTH_BLOCKS,
  maxGapBlocks: MAX_GAP_BLOCKS,
});
