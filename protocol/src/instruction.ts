/**
 * What the core tells a vault to do, and its digest: the EIP-712 hash that every vault verifies, whatever its ledger.
 * Golden vectors: `test/vectors/instruction.json`, passed by Solidity and by this module.
 * Source of the encoding: EIP-712, "Definition of encodeData" and "Definition of domainSeparator".
 */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { MAX_AMOUNT_MINOR } from './amount.ts';
import { type Bytes32, fromHex, type Hex, toBytes32 } from './bytes32.ts';
import type { AssetCode, EvmAddress, InstructionId, NetworkId } from './ids.ts';
import { ProtocolError } from './protocol-error.ts';

/** Numbers of the kinds on the wire; a kind keeps its number for ever. */
export const INSTRUCTION_KINDS: Readonly<Record<InstructionKind, number>> = {
  release: 1,
  issue: 2,
  refund: 3,
  void: 4,
  rotate: 5,
  pause: 6,
  unpause: 7,
  migrate: 8,
};
export type InstructionKind = 'release' | 'issue' | 'refund' | 'void' | 'rotate' | 'pause' | 'unpause' | 'migrate';

/** Bytes of the encrypted trail of every instruction that the core writes. */
export const TRAIL_BYTES = 80;
/** Largest trail that a vault or a decoder accepts. */
export const MAX_TRAIL_BYTES = 256;

export type Instruction = Readonly<{
  id: InstructionId;
  kind: InstructionKind;
  /** `void`: the target instruction; `refund`: the lock; `rotate`: the new authority; `migrate`: the successor; else zero. */
  subject: Bytes32;
  /** keccak256 of the UTF-8 asset code. */
  asset: Bytes32;
  amountMinor: bigint;
  /** An address left-padded to 32 bytes, or the hash of a longer name; zero where nobody receives. */
  beneficiary: Bytes32;
  /** Hash of the `StateRef`s consumed, on ledgers that have them; else zero. */
  inputs: Bytes32;
  /** Unix seconds after which the vault refuses; 0 = never expires. */
  notAfterSeconds: number;
  /** Number of the authority key that signs; one more after each rotation. */
  epoch: number;
  trail: Hex;
}>;

/** What separates one vault's signatures from every other's. */
export type VaultDomain = Readonly<{
  serviceId: Bytes32;
  networkId: NetworkId;
  genesisHash: Bytes32;
  /** The vault's address in its network's canonical bytes (EVM: 20 bytes). */
  vaultAddress: Uint8Array;
}>;

const ascii = (text: string): Uint8Array => keccak_256(utf8ToBytes(text));
const DOMAIN_TYPE = ascii('EIP712Domain(string name,string version,bytes32 salt)');
const DOMAIN_NAME = ascii('Drawbridge');
const DOMAIN_VERSION = ascii('1');
const INSTRUCTION_TYPE = ascii(
  'Instruction(bytes32 id,uint8 kind,bytes32 subject,bytes32 asset,uint64 amount,bytes32 beneficiary,bytes32 inputs,uint64 notAfter,uint32 epoch,bytes trail)',
);

/** An unsigned integer as one big-endian 32-byte word. */
function word(value: bigint): Uint8Array {
  const bytes = new Uint8Array(32);
  for (let i = 31, rest = value; rest > 0n; i--, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
  return bytes;
}

export const assetHash = (asset: AssetCode): Bytes32 => toBytes32(ascii(asset));
export const networkIdHash = (network: NetworkId): Bytes32 => toBytes32(ascii(network));
/** An EVM address as a 32-byte word, as in `beneficiary` and in the topics of logs. */
export const addressWord = (address: EvmAddress): Bytes32 => `0x${'0'.repeat(24)}${address.slice(2)}` as Bytes32;

/** keccak256 of four words: service id, network id hash, genesis hash, vault address hash. Computed, never configured. */
export function domainSalt(domain: VaultDomain): Bytes32 {
  return toBytes32(
    keccak_256(
      concatBytes(
        fromHex(domain.serviceId),
        fromHex(networkIdHash(domain.networkId)),
        fromHex(domain.genesisHash),
        keccak_256(domain.vaultAddress),
      ),
    ),
  );
}

export const domainSeparator = (salt: Bytes32): Bytes32 =>
  toBytes32(keccak_256(concatBytes(DOMAIN_TYPE, DOMAIN_NAME, DOMAIN_VERSION, fromHex(salt))));

/** @throws ProtocolError `INSTRUCTION_INVALID` where a number does not fit its field. */
export function structHash(instruction: Instruction): Bytes32 {
  const { amountMinor, notAfterSeconds, epoch } = instruction;
  if (amountMinor < 0n || amountMinor > MAX_AMOUNT_MINOR * 2n + 1n) {
    throw new ProtocolError('INSTRUCTION_INVALID', 'amount must fit 64 bits without sign');
  }
  if (!Number.isSafeInteger(notAfterSeconds) || notAfterSeconds < 0) {
    throw new ProtocolError('INSTRUCTION_INVALID', 'notAfter must be whole seconds');
  }
  if (!Number.isInteger(epoch) || epoch < 0 || epoch > 0xffffffff) {
    throw new ProtocolError('INSTRUCTION_INVALID', 'epoch must fit 32 bits');
  }
  return toBytes32(
    keccak_256(
      concatBytes(
        INSTRUCTION_TYPE,
        fromHex(instruction.id),
        word(BigInt(INSTRUCTION_KINDS[instruction.kind])),
        fromHex(instruction.subject),
        fromHex(instruction.asset),
        word(amountMinor),
        fromHex(instruction.beneficiary),
        fromHex(instruction.inputs),
        word(BigInt(notAfterSeconds)),
        word(BigInt(epoch)),
        keccak_256(fromHex(instruction.trail)),
      ),
    ),
  );
}

/** keccak256(0x1901 ‖ domain separator ‖ struct hash): what the authority signs and the vault recovers. */
export function instructionDigest(salt: Bytes32, instruction: Instruction): Bytes32 {
  return toBytes32(
    keccak_256(
      concatBytes(Uint8Array.of(0x19, 0x01), fromHex(domainSeparator(salt)), fromHex(structHash(instruction))),
    ),
  );
}

/** The kind that a number on the wire stands for, or `undefined`. */
export function kindOf(number: number): InstructionKind | undefined {
  return (Object.keys(INSTRUCTION_KINDS) as InstructionKind[]).find((kind) => INSTRUCTION_KINDS[kind] === number);
}
