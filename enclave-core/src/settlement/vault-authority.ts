/** The key that signs for a vault must be the one that the vault obeys, or nothing could ever leave it. */
import { fromHex, toHex } from '@drawbridge/protocol/bytes32';
import type { EvmAddress, VaultKey } from '@drawbridge/protocol/ids';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import type { ServiceSecrets } from './view.ts';

/** What is wrong with the key that the service has for a vault; `undefined` when it is the vault's authority. */
export function authorityProblem(key: VaultKey, authority: EvmAddress, secrets: ServiceSecrets): string | undefined {
  const secret = Object.hasOwn(secrets.authorities, key) ? secrets.authorities[key] : undefined;
  if (secret === undefined) return `the service has no authority key for vault ${key}`;
  const bytes = fromHex(secret);
  if (!secp256k1.utils.isValidSecretKey(bytes)) return `the authority key for vault ${key} is no secp256k1 key`;
  // An EVM address is the end of keccak256 over the uncompressed point without its prefix byte.
  const point = secp256k1.getPublicKey(bytes, false).subarray(1);
  const address = toHex(keccak_256(point).subarray(12));
  return address === authority ? undefined : `vault ${key} obeys another authority than the service's key for it`;
}
