/** The plaintext of an instruction's trail: which transfer and which account it was written for. Always 64 bytes. */
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { fromHex, toHex } from './bytes32.ts';
import {
  type AssetCode,
  type ParticipantId,
  parseAssetCode,
  parseParticipantId,
  parseTransferId,
  type TransferId,
} from './ids.ts';
import { ProtocolError } from './protocol-error.ts';

export const TRAIL_PLAINTEXT_BYTES = 64;

/** `transfer` and `participant` come together, or not at all: the suspense account belongs to no transfer. */
export type Trail = Readonly<{ transfer?: TransferId; participant?: ParticipantId; asset: AssetCode }>;

const refuse = (message: string): never => {
  throw new ProtocolError('INSTRUCTION_INVALID', message);
};

function padded(text: string, length: number): Uint8Array {
  const bytes = utf8ToBytes(text);
  if (bytes.length > length) throw new ProtocolError('INSTRUCTION_INVALID', `trail field is over ${length} bytes`);
  return concatBytes(bytes, new Uint8Array(length - bytes.length));
}

/**
 * 16 bytes of the transfer's UUID ‖ 32 of the participant ‖ 16 of the asset, zero-padded.
 * @throws ProtocolError `INSTRUCTION_INVALID` for a transfer without participant or the other way round.
 */
export function encodeTrail(trail: Trail): Uint8Array {
  const { transfer, participant, asset } = trail;
  if ((transfer === undefined) !== (participant === undefined)) refuse('trail needs transfer and participant, or none');
  const uuid = transfer === undefined ? '' : parseTransferId(transfer).replaceAll('-', '');
  const id = uuid === '' ? new Uint8Array(16) : fromHex(uuid);
  return concatBytes(id, padded(participant ?? '', 32), padded(asset, 16));
}

/** @throws ProtocolError `INSTRUCTION_INVALID` or `ID_INVALID` for anything that `encodeTrail` would not write. */
export function decodeTrail(bytes: Uint8Array): Trail {
  if (bytes.length !== TRAIL_PLAINTEXT_BYTES) refuse(`trail must have ${TRAIL_PLAINTEXT_BYTES} bytes`);
  const text = (from: number, to: number): string =>
    String.fromCharCode(...bytes.subarray(from, to)).replace(/\0+$/, '');
  const hex = toHex(bytes.subarray(0, 16)).slice(2);
  const participant = text(16, 48);
  const asset = parseAssetCode(text(48, 64));
  if (/^0+$/.test(hex)) return participant === '' ? { asset } : refuse('trail has a participant without a transfer');
  const uuid = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  return { transfer: parseTransferId(uuid), participant: parseParticipantId(participant), asset };
}
