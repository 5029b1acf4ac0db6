/** What makes a network refuse to pay, and what its connectors say of it. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { blockingTokenArtifact, vaultArtifact } from '@drawbridge/connector-quorum/vault-artifact';
import type { Chain } from '@drawbridge/demo/chain';
import { connectorId } from '@drawbridge/demo/genesis-file';
import type { LocalSystem } from '@drawbridge/demo/local-system';
import { Contract, Interface, Wallet } from 'ethers';

const vaultOf = (chain: Chain, asset: string): Chain['vaults'][number] => {
  const found = chain.vaults.find((vault) => vault.asset === asset);
  if (!found) throw new RangeError(`${chain.network} has no vault of ${asset}`);
  return found;
};

/** The token of an asset on its home network, in the hands of whoever deployed it: it can block recipients. */
export function nativeToken(chain: Chain, asset: string): Contract {
  const [deployer] = chain.anvil.accounts;
  if (!deployer) throw new RangeError('a development network has accounts');
  return new Contract(
    vaultOf(chain, asset).token,
    blockingTokenArtifact.abi,
    new Wallet(deployer.privateKey, chain.provider),
  );
}

/** Calls and waits until it is mined. */
export async function send(contract: Contract, method: string, ...args: readonly unknown[]): Promise<void> {
  await (await contract.getFunction(method).send(...args)).wait();
}

/** Minor units that may leave the vault in one window, as it was deployed. */
export async function releaseCap(chain: Chain, asset: string): Promise<bigint> {
  const vault = new Contract(vaultOf(chain, asset).address, vaultArtifact.abi, chain.provider);
  return (await vault.getFunction('releaseCap').staticCall()) as bigint;
}

/** What a call that the vault refuses so is answered, ABI-encoded; in minor units. */
export function lockAboveReleaseCap(cap: bigint, amountMinor: bigint): string {
  return new Interface(vaultArtifact.abi).encodeErrorResult('LockAboveReleaseCap', [cap, amountMinor]);
}

/** How often the network's connectors logged a code so far. */
export async function timesSaid(system: LocalSystem, network: string, code: string): Promise<number> {
  const folder = join(system.dir, 'logs');
  const names = (await readdir(folder)).filter((name) => name.startsWith(connectorId(network)));
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  return texts.reduce((sum, text) => sum + text.split(`"${code}"`).length - 1, 0);
}
