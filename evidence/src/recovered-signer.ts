/** Who made a signature of 65 bytes, r ‖ s ‖ v, v 27 or 28, as contracts take them: authorities and guardians of vaults. */
import type { EvmAddress } from '@drawbridge/protocol/ids';
import { isHigh, type SealRecovery } from './sealed-header.ts';

export const SIGNATURE_BYTES = 65;
const FIRST_V = 27;

/** `undefined` for anything but the one form of a signature. @param digest 32 bytes */
export function recoveredSigner(
  signature: Uint8Array,
  digest: Uint8Array,
  recover: SealRecovery,
): EvmAddress | undefined {
  const v = (signature[SIGNATURE_BYTES - 1] ?? 0) - FIRST_V;
  if (signature.length !== SIGNATURE_BYTES || (v !== 0 && v !== 1)) return undefined;
  return isHigh(signature.subarray(32, 64)) ? undefined : recover(digest, signature.subarray(0, 64), v);
}
