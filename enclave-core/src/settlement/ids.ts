/**
 * Ids that the core derives: HMAC-SHA256 under keys that only core nodes hold, so that they are equal on every node and
 * tell nobody else what belongs together. Fields are parted by a zero byte, which none of them can hold.
 */
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import { fromHex, toBytes32 } from '@drawbridge/protocol/bytes32';
import type { InstructionId, LockId, ParticipantId, TransferId, VaultKey } from '@drawbridge/protocol/ids';
import { hmacSha256 } from '../sha256.ts';

const derive = (key: Bytes32, ...fields: readonly string[]): Bytes32 =>
  toBytes32(hmacSha256(fromHex(key), fields.join('\0')));

/** What the depositor of a transfer puts into his lock. */
export const lockReference = (referenceKey: Bytes32, bank: ParticipantId, id: TransferId): Bytes32 =>
  derive(referenceKey, 'reference', bank, id);

/** The one release or issue of a transfer. */
export const deliveryId = (idKey: Bytes32, bank: ParticipantId, id: TransferId): InstructionId =>
  derive(idKey, 'deliver', bank, id);

/** The refund of a lock that follows `voidedBefore` refunds of it that were proven void. */
export const refundId = (idKey: Bytes32, vault: VaultKey, lockId: LockId, voidedBefore = 0): InstructionId =>
  derive(idKey, 'refund', vault, lockId, ...(voidedBefore === 0 ? [] : [voidedBefore.toString()]));

/** The one void of an instruction. */
export const voidId = (idKey: Bytes32, target: InstructionId): InstructionId => derive(idKey, 'void', target);
