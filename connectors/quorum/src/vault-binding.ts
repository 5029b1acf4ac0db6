/** What the configured vaults are bound to, read from the chain at start. */
import { ConfigError } from '@drawbridge/connector-sdk/connector-files';
import { type Bytes32, fromHex, parseBytes32 } from '@drawbridge/protocol/bytes32';
import type { AssetCode, EvmAddress, NetworkId } from '@drawbridge/protocol/ids';
import { domainSalt } from '@drawbridge/protocol/instruction';
import type { EvmNode } from './evm-node.ts';
import { BINDING_CALLS } from './vault-call.ts';

export type BoundNetwork = Readonly<{
  network: NetworkId;
  genesisHash: Bytes32;
  vaults: readonly Readonly<{ asset: AssetCode; address: EvmAddress }>[];
}>;

/** The one service that all vaults obey. @throws ConfigError where a vault is none, or of another network or service. */
export async function readServiceId(bound: BoundNetwork, node: EvmNode): Promise<Bytes32> {
  const ids = await Promise.all(bound.vaults.map(({ asset, address }) => readOne(bound, node, asset, address)));
  const [first, ...rest] = ids;
  if (first === undefined) throw new ConfigError('CONFIG_INVALID', 'there is no vault');
  if (rest.some((id) => id !== first)) throw new ConfigError('CONFIG_INVALID', 'the vaults obey different services');
  return first;
}

async function readOne(bound: BoundNetwork, node: EvmNode, asset: AssetCode, vault: EvmAddress): Promise<Bytes32> {
  const answers = await Promise.all(BINDING_CALLS.map((data) => node.call({ to: vault, data }, 'latest')));
  const [serviceId, salt] = answers.map((answer) => (answer.type === 'returned' ? answer.data : '0x'));
  const wrong = (why: string) => new ConfigError('CONFIG_INVALID', `the vault of ${asset} at ${vault} ${why}`);
  if (serviceId?.length !== 66 || BigInt(serviceId) === 0n) throw wrong('is no initialized vault');
  const { network: networkId, genesisHash } = bound;
  const expected = domainSalt({
    serviceId: parseBytes32(serviceId),
    networkId,
    genesisHash,
    vaultAddress: fromHex(vault),
  });
  if (salt !== expected) throw wrong('is bound to another network');
  return parseBytes32(serviceId);
}
