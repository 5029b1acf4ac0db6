/** Keys of rows, read back from snapshots. */
import { type VaultKey, vaultKey } from '@drawbridge/protocol/ids';
import { readAssetCode, readNetworkId } from './terms-tuple.ts';
import { readText, TupleError } from './tuples.ts';

export function readVaultKey(value: unknown): VaultKey {
  const [network, asset, ...rest] = readText(value).split('/');
  if (rest.length > 0) throw new TupleError('expected a vault key');
  return vaultKey(readNetworkId(network), readAssetCode(asset));
}
