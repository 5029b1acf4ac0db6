/** What the chains themselves say, read without any part of ours in between. */
import { vaultArtifact } from '@drawbridge/connector-quorum/vault-artifact';
import type { Chain } from '@drawbridge/demo/chain';
import { Interface } from 'ethers';

/** Ids of every instruction that took effect on the network's vaults, one per `Executed` event. */
export async function executedIds(chain: Chain): Promise<string[]> {
  const vault = new Interface(vaultArtifact.abi);
  const ids: string[] = [];
  for (const { address, fromBlock } of chain.vaults) {
    for (const log of await chain.provider.getLogs({ address, fromBlock, toBlock: 'latest' })) {
      const event = vault.parseLog(log);
      if (event?.name === 'Executed') ids.push(String(event.args[1]));
    }
  }
  return ids;
}
