/** The body of a job on `instructions.<network>`, before sealing: a signed instruction and where it goes. Canonical CBOR. */
import { encode } from 'cborg';
import { MAX_AMOUNT_MINOR } from './amount.ts';
import { type Bytes32, fromHex, type Hex, toBytes32, toHex } from './bytes32.ts';
import { type CborFormat, decodeCbor, demandCanonical } from './canonical-cbor.ts';
import { MAX_CORDA_COINS } from './corda-vault-classes.ts';
import { type AssetCode, type NetworkId, parseAssetCode, parseNetworkId, type VaultAddress } from './ids.ts';
import { INSTRUCTION_KINDS, type Instruction, kindOf, MAX_TRAIL_BYTES } from './instruction.ts';
import { ProtocolError } from './protocol-error.ts';
import { inputsHash, STATE_REF_BYTES, type StateRef, toStateRef } from './state-ref.ts';

export type InstructionJob = Readonly<{
  network: NetworkId;
  asset: AssetCode;
  /** 32 bytes: a vault on a ledger of states. */
  vault: VaultAddress;
  /** The service that signs; with network, genesis hash and vault it gives the domain salt. */
  serviceId: Bytes32;
  genesisHash: Bytes32;
  instruction: Instruction;
  /** 65 bytes r ‖ s ‖ v, v = 27 or 28, low s. */
  signature: Hex;
  /** What its transaction consumes, ascending; `instruction.inputs` is their hash. On ledgers of states alone. */
  states?: readonly StateRef[];
}>;

/** Largest job accepted, in bytes. */
export const MAX_JOB_BYTES = 8_192;
/** A permit, the record of a lock, and two states for each coin. */
export const MAX_JOB_STATES: number = 2 + 2 * MAX_CORDA_COINS;

/** BullMQ queue names; a queue exists per network. */
export const instructionQueue = (network: NetworkId): string => `instructions.${network}`;
export const evidenceQueue = (network: NetworkId): string => `evidence.${network}`;

/** What Redis and RabbitMQ hold of a job: nothing but ciphertext. */
export type SealedJobData = Readonly<{
  v: 1;
  /** Base64 of an encoded envelope. */
  sealed: string;
}>;

export function encodeInstructionJob(job: InstructionJob): Uint8Array {
  const i = job.instruction;
  const { states } = job;
  return encode([
    states === undefined ? 1 : 2,
    job.network,
    job.asset,
    fromHex(job.vault),
    fromHex(job.serviceId),
    fromHex(job.genesisHash),
    [
      fromHex(i.id),
      INSTRUCTION_KINDS[i.kind],
      fromHex(i.subject),
      fromHex(i.asset),
      i.amountMinor,
      fromHex(i.beneficiary),
      fromHex(i.inputs),
      i.notAfterSeconds,
      i.epoch,
      fromHex(i.trail),
    ],
    fromHex(job.signature),
    ...(states === undefined ? [] : [states.map(fromHex)]),
  ]);
}

const refuse = (message: string): never => {
  throw new ProtocolError('JOB_INVALID', message);
};
function bytes(value: unknown, length: number | undefined, what: string): Uint8Array {
  if (!(value instanceof Uint8Array)) return refuse(`${what} must be bytes`);
  return length === undefined || value.length === length ? value : refuse(`${what} must have ${length} bytes`);
}
function whole(value: unknown, max: bigint, what: string): bigint {
  if (typeof value !== 'number' && typeof value !== 'bigint') return refuse(`${what} must be a whole number`);
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return refuse(`${what} must be a whole number`);
  const number = BigInt(value);
  return number >= 0n && number <= max ? number : refuse(`${what} does not fit its field`);
}

function readStates(value: unknown): readonly StateRef[] {
  if (!Array.isArray(value) || value.length < 1 || value.length > MAX_JOB_STATES) {
    return refuse(`states must be a list of 1 to ${MAX_JOB_STATES}`);
  }
  const states = value.map((item: unknown) => toStateRef(bytes(item, STATE_REF_BYTES, 'state')));
  const ascend = states.every((ref, i) => i === 0 || ref > (states[i - 1] ?? ref));
  return ascend ? states : refuse('states must ascend');
}

const FORMAT: CborFormat = { what: 'instruction job', code: 'JOB_INVALID', maxBytes: MAX_JOB_BYTES };

/** @throws ProtocolError `JOB_INVALID` (or `ID_INVALID`) for anything but the canonical bytes of one job. */
export function decodeInstructionJob(input: Uint8Array): InstructionJob {
  const value = decodeCbor(input, FORMAT);
  if (!Array.isArray(value) || (value[0] !== 1 && value[0] !== 2)) return refuse('instruction job has an unknown form');
  const hasStates = value[0] === 2;
  if (value.length !== (hasStates ? 9 : 8)) return refuse('instruction job has an unknown form');
  const [, network, asset, vault, serviceId, genesisHash, fields, signature, states] = value as unknown[];
  if (!Array.isArray(fields) || fields.length !== 10) return refuse('instruction must be a list of 10');
  const [id, kindNumber, subject, assetWord, amount, beneficiary, inputs, notAfter, epoch, trail] = fields as unknown[];
  const kind = kindOf(Number(whole(kindNumber, 255n, 'kind'))) ?? refuse('instruction kind is unknown');
  if (typeof network !== 'string' || typeof asset !== 'string') return refuse('network and asset must be text');
  const trailBytes = bytes(trail, undefined, 'trail');
  if (trailBytes.length > MAX_TRAIL_BYTES) refuse(`trail must have at most ${MAX_TRAIL_BYTES} bytes`);
  const job: InstructionJob = {
    network: parseNetworkId(network),
    asset: parseAssetCode(asset),
    vault: toHex(bytes(vault, hasStates ? 32 : 20, 'vault')) as VaultAddress,
    serviceId: toBytes32(bytes(serviceId, 32, 'service id')),
    genesisHash: toBytes32(bytes(genesisHash, 32, 'genesis hash')),
    instruction: {
      id: toBytes32(bytes(id, 32, 'id')),
      kind,
      subject: toBytes32(bytes(subject, 32, 'subject')),
      asset: toBytes32(bytes(assetWord, 32, 'asset')),
      amountMinor: whole(amount, MAX_AMOUNT_MINOR * 2n + 1n, 'amount'),
      beneficiary: toBytes32(bytes(beneficiary, 32, 'beneficiary')),
      inputs: toBytes32(bytes(inputs, 32, 'inputs')),
      notAfterSeconds: Number(whole(notAfter, BigInt(Number.MAX_SAFE_INTEGER), 'notAfter')),
      epoch: Number(whole(epoch, 0xffff_ffffn, 'epoch')),
      trail: toHex(trailBytes),
    },
    signature: toHex(bytes(signature, 65, 'signature')),
    ...(hasStates && { states: readStates(states) }),
  };
  if (job.states && inputsHash(job.states) !== job.instruction.inputs) {
    return refuse('the states are not those whose hash is signed');
  }
  demandCanonical(input, encodeInstructionJob(job), FORMAT);
  return job;
}
