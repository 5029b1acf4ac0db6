/** The core's part at a vault: the authority's signatures on instructions, and guardians', as commands of an agent carry them. */
import { type Bytes32, fromHex, type Hex, toBytes32, toHex, ZERO_BYTES32 } from '@drawbridge/protocol/bytes32';
import { type EvmAddress, type NetworkId, parseAssetCode, parseEvmAddress } from '@drawbridge/protocol/ids';
import {
  assetHash,
  domainSalt,
  domainSeparator,
  INSTRUCTION_KINDS,
  type Instruction,
  instructionDigest,
} from '@drawbridge/protocol/instruction';
import { inputsHash, type StateRef, sortedRefs } from '@drawbridge/protocol/state-ref';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import type { AgentValue } from '../agent-cbor.ts';
import { drawnWord } from './corda-testbed.ts';
import type { VaultDescription } from './vault-tool.ts';

/** What is left out is zero; `inputs` follow from `refs`. */
export type Ordered = Readonly<{ kind: Instruction['kind']; refs: readonly StateRef[] }> &
  Partial<Pick<Instruction, 'id' | 'subject' | 'amountMinor' | 'beneficiary' | 'notAfterSeconds' | 'epoch'>>;

export type SignedOrder = Readonly<{
  id: Bytes32;
  /** Arguments of `execute`. */
  args: readonly AgentValue[];
}>;

/** Guardians' actions, and the typed data that each signs. */
const GUARD_TYPES = {
  pause: { action: 1, type: 'GuardianPause(uint64 nonce)' },
  unpause: { action: 2, type: 'GuardianUnpause(uint64 nonce)' },
} as const;

export class SigningKeyPair {
  readonly #key = secp256k1.utils.randomSecretKey();
  readonly address: EvmAddress;

  constructor() {
    const point = secp256k1.getPublicKey(this.#key, false);
    this.address = parseEvmAddress(toHex(keccak_256(point.subarray(1)).subarray(12)));
  }

  /** 65 bytes r ‖ s ‖ v, v = 27 or 28. */
  sign(digest: Bytes32): Uint8Array {
    const bytes = secp256k1.sign(fromHex(digest), this.#key, { prehash: false, format: 'recovered' });
    return Uint8Array.from([...bytes.subarray(1), 27 + (bytes[0] ?? 0)]);
  }
}

export type SignedVault = Readonly<{ network: NetworkId; asset: string; vault: VaultDescription }>;

export function signedOrder(place: SignedVault, ordered: Ordered, by: SigningKeyPair): SignedOrder {
  const refs = sortedRefs(ordered.refs);
  const instruction: Instruction = {
    id: ordered.id ?? drawnWord(),
    kind: ordered.kind,
    subject: ordered.subject ?? ZERO_BYTES32,
    asset: assetHash(parseAssetCode(place.asset)),
    amountMinor: ordered.amountMinor ?? 0n,
    beneficiary: ordered.beneficiary ?? ZERO_BYTES32,
    inputs: inputsHash(refs),
    notAfterSeconds: ordered.notAfterSeconds ?? 0,
    epoch: ordered.epoch ?? 1,
    trail: '0x' as Hex,
  };
  const { id, kind, subject, asset, amountMinor, beneficiary, inputs, notAfterSeconds, epoch, trail } = instruction;
  const words = [fromHex(id), INSTRUCTION_KINDS[kind], fromHex(subject), fromHex(asset), amountMinor];
  const rest = [fromHex(beneficiary), fromHex(inputs), notAfterSeconds, epoch, fromHex(trail)];
  const signature = by.sign(instructionDigest(saltOf(place), instruction));
  return { id, args: [fromHex(place.vault.vaultId), [...words, ...rest], signature, refs.map(fromHex)] };
}

/** Arguments of `guard`, signed by one guardian. */
export function guardOrder(
  place: SignedVault,
  what: keyof typeof GUARD_TYPES,
  nonce: number,
  by: SigningKeyPair,
): readonly AgentValue[] {
  const { action, type } = GUARD_TYPES[what];
  const struct = keccak_256(new Uint8Array([...keccak_256(Buffer.from(type)), ...word(nonce)]));
  const typed = new Uint8Array([0x19, 0x01, ...fromHex(domainSeparator(saltOf(place))), ...struct]);
  const signature = by.sign(toBytes32(keccak_256(typed)));
  return [fromHex(place.vault.vaultId), action, new Uint8Array(), signature];
}

function saltOf({ network, vault }: SignedVault): Bytes32 {
  const { serviceId, genesisHash, vaultId } = vault;
  return domainSalt({ serviceId, networkId: network, genesisHash, vaultAddress: fromHex(vaultId) });
}

function word(value: number): Uint8Array {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setUint32(28, value);
  return bytes;
}
