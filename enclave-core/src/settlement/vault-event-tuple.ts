/** Vault events as lists, the first item their number. A number keeps its meaning for ever. */
import type { VaultEvent } from '@drawbridge/protocol/vault-event';
import {
  amountOf,
  bytesOf,
  type Cbor,
  readAmount,
  readBytes32,
  readChoice,
  readFlag,
  readHex,
  readTuple,
  readWhole,
  TupleError,
  wholeOf,
} from './tuples.ts';

const NUMBERS = {
  locked: 1,
  executed: 2,
  voided: 3,
  rotated: 4,
  pauseChanged: 5,
  migrated: 6,
  guardianProposed: 7,
  guardianCancelled: 8,
} as const satisfies Record<VaultEvent['type'], number>;

export function vaultEventTuple(event: VaultEvent): Cbor {
  const head = [NUMBERS[event.type], wholeOf(event.seq)];
  switch (event.type) {
    case 'locked':
      return [
        ...head,
        bytesOf(event.lockId),
        bytesOf(event.reference),
        bytesOf(event.depositor),
        amountOf(event.amountMinor),
      ];
    case 'executed':
      return [
        ...head,
        bytesOf(event.id),
        bytesOf(event.subject),
        event.kind,
        bytesOf(event.beneficiary),
        amountOf(event.amountMinor),
        wholeOf(event.epoch),
        bytesOf(event.trail),
      ];
    case 'voided':
      return [...head, bytesOf(event.id), bytesOf(event.subject), wholeOf(event.epoch), bytesOf(event.trail)];
    case 'rotated':
      return [...head, bytesOf(event.id), bytesOf(event.authority), wholeOf(event.epoch), event.byGuardian];
    case 'pauseChanged':
      return [...head, bytesOf(event.id), event.paused, event.byGuardian];
    case 'migrated':
      return [...head, bytesOf(event.id), bytesOf(event.successor)];
    case 'guardianProposed':
    case 'guardianCancelled':
      return head;
  }
}

export function readVaultEvent(value: unknown): VaultEvent {
  const number = Array.isArray(value) ? (value[0] as unknown) : undefined;
  switch (number) {
    case NUMBERS.locked: {
      const [, seq, lockId, reference, depositor, amount] = readTuple(value, 6);
      return {
        type: 'locked',
        seq: readWhole(seq),
        lockId: readBytes32(lockId),
        reference: readBytes32(reference),
        depositor: readBytes32(depositor),
        amountMinor: readAmount(amount),
      };
    }
    case NUMBERS.executed:
      return readExecuted(readTuple(value, 9));
    case NUMBERS.voided: {
      const [, seq, id, subject, epoch, trail] = readTuple(value, 6);
      return {
        type: 'voided',
        seq: readWhole(seq),
        id: readBytes32(id),
        subject: readBytes32(subject),
        epoch: readWhole(epoch),
        trail: readHex(trail),
      };
    }
    case NUMBERS.rotated: {
      const [, seq, id, authority, epoch, byGuardian] = readTuple(value, 6);
      return {
        type: 'rotated',
        seq: readWhole(seq),
        id: readBytes32(id),
        authority: readBytes32(authority),
        epoch: readWhole(epoch),
        byGuardian: readFlag(byGuardian),
      };
    }
    case NUMBERS.pauseChanged: {
      const [, seq, id, paused, byGuardian] = readTuple(value, 5);
      return {
        type: 'pauseChanged',
        seq: readWhole(seq),
        id: readBytes32(id),
        paused: readFlag(paused),
        byGuardian: readFlag(byGuardian),
      };
    }
    case NUMBERS.migrated: {
      const [, seq, id, successor] = readTuple(value, 4);
      return { type: 'migrated', seq: readWhole(seq), id: readBytes32(id), successor: readBytes32(successor) };
    }
    case NUMBERS.guardianProposed:
    case NUMBERS.guardianCancelled: {
      const [, seq] = readTuple(value, 2);
      return {
        type: number === NUMBERS.guardianProposed ? 'guardianProposed' : 'guardianCancelled',
        seq: readWhole(seq),
      };
    }
    default:
      throw new TupleError('event number is unknown');
  }
}

function readExecuted(tuple: readonly unknown[]): VaultEvent {
  const [, seq, id, subject, kind, beneficiary, amount, epoch, trail] = tuple;
  return {
    type: 'executed',
    seq: readWhole(seq),
    id: readBytes32(id),
    subject: readBytes32(subject),
    kind: readChoice(kind, ['release', 'issue', 'refund']),
    beneficiary: readBytes32(beneficiary),
    amountMinor: readAmount(amount),
    epoch: readWhole(epoch),
    trail: readHex(trail),
  };
}
