/** The plaintext of an instruction's trail: which transfer and which account it was written for. Always 64 bytes. */
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { AssetCode, ParticipantId, TransferId } from './ids.ts';
import { ProtocolError } from './protocol-error.ts';

export const TRAIL_PLAINTEXT_BYTES = 64;

/** Absent for an instruction of the suspense account, which belongs to no transfer. */
export type Trail = Readonly<{ transfer?: TransferId; participant?: ParticipantId; asset: AssetCode }>;

function padded(text: string, length: number): Uint8Array {
  const bytes = utf8ToBytes(text);
  if (bytes.length > length) throw new ProtocolError('INSTRUCTION_INVALID', `trail field is over ${length} bytes`);
  return concatBytes(bytes, new Uint8Array(length - bytes.length));
}

/** 16 bytes of the transfer's UUID ‖ 32 of the participant ‖ 16 of the asset, zero-padded. */
export function encodeTrail(trail: Trail): Uint8Array {
  const uuid = (trail.transfer ?? '').replaceAll('-', '');
  const id = Uint8Array.from({ length: 16 }, (_, i) => Number.parseInt(uuid.slice(i * 2, i * 2 + 2) || '00', 16));
  return concatBytes(id, padded(trail.participant ?? '', 32), padded(trail.asset, 16));
}

/** @throws ProtocolError `INSTRUCTION_INVALID` unless `bytes` has 64 bytes. */
export function decodeTrail(bytes: Uint8Array): Trail {
  if (bytes.length !== TRAIL_PLAINTEXT_BYTES)
    throw new ProtocolError('INSTRUCTION_INVALID', 'trail must have 64 bytes');
  const text = (from: number, to: number): string =>
    new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(from, to)).replace(/\0+$/, '');
  const hex = Array.from(bytes.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('');
  const asset = text(48, 64) as AssetCode;
  if (/^0+$/.test(hex)) return { asset };
  const transfer = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  return { transfer: transfer as TransferId, participant: text(16, 48) as ParticipantId, asset };
}
