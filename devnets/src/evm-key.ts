import { randomBytes } from 'node:crypto';
import { computeAddress, hexlify, SigningKey } from 'ethers';

/** A secp256k1 key of an account or of a node's P2P identity. */
export type EvmKey = Readonly<{
  /** Checksummed. */
  address: string;
  /** 0x and 64 digits. */
  privateKey: string;
}>;

export function drawEvmKey(): EvmKey {
  const privateKey = hexlify(randomBytes(32));
  return { address: computeAddress(privateKey), privateKey };
}

/** The 128 digits that name a node in `enode://` addresses: the public key without its leading 04. */
export function enodeId(privateKey: string): string {
  return new SigningKey(privateKey).publicKey.slice('0x04'.length);
}
