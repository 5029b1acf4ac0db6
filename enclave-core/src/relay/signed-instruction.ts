/**
 * An open instruction made ready for its vault: trail encrypted, digest signed. A function of the state alone, so every
 * node and every reading gives the same bytes.
 */
import { createCipheriv, createHmac, hkdfSync } from 'node:crypto';
import { addressOf, type Network, type Vault } from '@drawbridge/governance/registration';
import { type Bytes32, fromHex, type Hex, toHex, ZERO_BYTES32 } from '@drawbridge/protocol/bytes32';
import {
  assetHash,
  domainSalt,
  INSTRUCTION_KINDS,
  type Instruction,
  instructionDigest,
} from '@drawbridge/protocol/instruction';
import { encodeInstructionJob } from '@drawbridge/protocol/instruction-job';
import { inputsHash } from '@drawbridge/protocol/state-ref';
import { encodeTrail } from '@drawbridge/protocol/trail';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { inputsOf } from '../settlement/book.ts';
import type { OpenInstruction } from '../settlement/view.ts';

/** The key differs for each id and encrypts this one plaintext only, so the nonce may be constant. */
const TRAIL_NONCE = new Uint8Array(12);

/** AES-256-GCM under HKDF(trail key, id): ciphertext ‖ tag, 80 bytes. */
export function sealTrail(trailKey: Bytes32, open: OpenInstruction): Hex {
  const key = hkdfSync('sha256', fromHex(trailKey), fromHex(open.id), 'drawbridge/trail/1', 32);
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(key), TRAIL_NONCE);
  const { transfer, asset } = open;
  const plaintext = encodeTrail({ asset, ...(transfer && { transfer: transfer.id, participant: transfer.bank }) });
  return toHex(Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]));
}

/** HMAC(relay key, id ‖ kind ‖ epoch) in hex: names the job without linking queue and chain. */
export function instructionJobId(relayKey: Bytes32, open: Pick<OpenInstruction, 'id' | 'kind'>, epoch: number): string {
  const rest = Buffer.alloc(5);
  rest.writeUInt8(INSTRUCTION_KINDS[open.kind], 0);
  rest.writeUInt32BE(epoch, 1);
  return createHmac('sha256', fromHex(relayKey)).update(fromHex(open.id)).update(rest).digest('hex');
}

export type SigningContext = Readonly<{
  serviceId: Bytes32;
  network: Network;
  vault: Vault;
  trailKey: Bytes32;
  /** Private key of the vault's authority in the instruction's epoch. */
  authority: Bytes32;
}>;

/** What is signed for it. */
export const instructionOf = (open: OpenInstruction, trailKey: Bytes32): Instruction => ({
  id: open.id,
  kind: open.kind,
  subject: open.subject,
  asset: assetHash(open.asset),
  amountMinor: open.amountMinor,
  beneficiary: open.beneficiary,
  inputs: open.states === undefined ? ZERO_BYTES32 : inputsHash(inputsOf(open.states)),
  notAfterSeconds: open.notAfterSeconds,
  epoch: open.epoch,
  trail: sealTrail(trailKey, open),
});

/** Encoded `InstructionJob`. */
export function signInstruction(open: OpenInstruction, context: SigningContext): Uint8Array {
  const { serviceId, network, vault } = context;
  const instruction = instructionOf(open, context.trailKey);
  const salt = domainSalt({
    serviceId,
    networkId: network.id,
    genesisHash: network.genesisHash,
    vaultAddress: fromHex(addressOf(vault)),
  });
  return encodeInstructionJob({
    network: network.id,
    asset: open.asset,
    vault: addressOf(vault),
    serviceId,
    genesisHash: network.genesisHash,
    instruction,
    signature: signDigest(instructionDigest(salt, instruction), context.authority),
    ...(open.states && { states: inputsOf(open.states) }),
  });
}

/** r ‖ s ‖ v over a digest: RFC 6979, low s, v 27 or 28. */
export function signDigest(digest: Bytes32, privateKey: Bytes32): Hex {
  const signed = secp256k1.sign(fromHex(digest), fromHex(privateKey), { prehash: false, format: 'recovered' });
  const recovery = signed[0] ?? 0;
  return toHex(Uint8Array.of(...signed.subarray(1), 27 + recovery));
}
