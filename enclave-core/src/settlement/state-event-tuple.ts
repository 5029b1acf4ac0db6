/** Events of vaults on ledgers of states as lists, the first item their number. A number keeps its meaning for ever. */
import { MAX_CORDA_COMPONENTS } from '@drawbridge/protocol/corda-evidence';
import { MAX_CORDA_COINS } from '@drawbridge/protocol/corda-vault-classes';
import type { ControlStateEvent, StateEvent } from '@drawbridge/protocol/state-event';
import { type StateRef, toStateRef } from '@drawbridge/protocol/state-ref';
import { controlTuple, readControlState } from './control-tuple.ts';
import {
  amountOf,
  bytesOf,
  type Cbor,
  readAmount,
  readBytes,
  readBytes32,
  readChoice,
  readFlag,
  readHex,
  readList,
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
  guardianProposed: 6,
  guardianCancelled: 7,
  foreign: 8,
  created: 9,
} as const satisfies Record<StateEvent['type'], number>;

/** What is written is read back, so its bounds hold both ways. */
const refsTuple = (refs: readonly StateRef[]): Cbor =>
  readList(refs, MAX_CORDA_COMPONENTS).length ? refs.map(bytesOf) : [];
const readRef = (value: unknown): StateRef => toStateRef(readBytes(value));
function readRefs(value: unknown): readonly StateRef[] {
  const refs = readList(value, MAX_CORDA_COMPONENTS).map(readRef);
  if (refs.some((ref, i) => i > 0 && ref <= (refs[i - 1] ?? ref))) throw new TupleError('states do not ascend');
  return refs;
}

export function stateEventTuple(event: StateEvent): Cbor {
  const head = [NUMBERS[event.type], bytesOf(event.transactionId), refsTuple(event.consumed)];
  switch (event.type) {
    case 'locked':
      return [
        ...head,
        bytesOf(event.vaultState),
        bytesOf(event.lockId),
        bytesOf(event.reference),
        bytesOf(event.depositor),
        amountOf(event.amountMinor),
      ];
    case 'executed':
      return [
        ...head,
        bytesOf(event.vaultState),
        bytesOf(event.id),
        bytesOf(event.subject),
        event.kind,
        bytesOf(event.beneficiary),
        amountOf(event.amountMinor),
        wholeOf(event.epoch),
        bytesOf(event.trail),
        amountOf(event.changeMinor),
      ];
    case 'voided':
      return [
        ...head,
        bytesOf(event.vaultState),
        bytesOf(event.id),
        bytesOf(event.subject),
        wholeOf(event.epoch),
        bytesOf(event.trail),
        event.coinsMinor.map(amountOf),
      ];
    case 'rotated':
      return [
        ...head,
        controlTuple(event.control),
        bytesOf(event.id),
        bytesOf(event.authority),
        wholeOf(event.epoch),
        event.byGuardian,
      ];
    case 'pauseChanged':
      return [...head, controlTuple(event.control), bytesOf(event.id), event.paused, event.byGuardian];
    case 'guardianProposed':
    case 'guardianCancelled':
      return [...head, controlTuple(event.control)];
    case 'created':
    case 'foreign':
      return head;
  }
}

export function readStateEvent(value: unknown): StateEvent {
  const number = Array.isArray(value) ? (value[0] as unknown) : undefined;
  switch (number) {
    case NUMBERS.locked: {
      const [, transaction, consumed, vaultState, lockId, reference, depositor, amount] = readTuple(value, 8);
      return {
        type: 'locked',
        ...notarised(transaction, consumed),
        vaultState: readRef(vaultState),
        lockId: readBytes32(lockId),
        reference: readBytes32(reference),
        depositor: readBytes32(depositor),
        amountMinor: readAmount(amount),
      };
    }
    case NUMBERS.executed:
      return readExecuted(readTuple(value, 12));
    case NUMBERS.voided: {
      const [, transaction, consumed, vaultState, id, subject, epoch, trail, coins] = readTuple(value, 9);
      return {
        type: 'voided',
        ...notarised(transaction, consumed),
        vaultState: readRef(vaultState),
        id: readBytes32(id),
        subject: readBytes32(subject),
        epoch: readWhole(epoch),
        trail: readHex(trail),
        coinsMinor: readList(coins, MAX_CORDA_COINS).map(readAmount),
      };
    }
    case NUMBERS.created:
    case NUMBERS.foreign: {
      const [, transaction, consumed] = readTuple(value, 3);
      return { type: number === NUMBERS.created ? 'created' : 'foreign', ...notarised(transaction, consumed) };
    }
    default:
      return readControl(number, value);
  }
}

const notarised = (transaction: unknown, consumed: unknown) => ({
  transactionId: readBytes32(transaction),
  consumed: readRefs(consumed),
});

function readExecuted(tuple: readonly unknown[]): StateEvent {
  const [, transaction, consumed, vaultState, id, subject, kind, beneficiary, amount, epoch, trail, change] = tuple;
  return {
    type: 'executed',
    ...notarised(transaction, consumed),
    vaultState: readRef(vaultState),
    id: readBytes32(id),
    subject: readBytes32(subject),
    kind: readChoice(kind, ['release', 'issue', 'refund']),
    beneficiary: readBytes32(beneficiary),
    amountMinor: readAmount(amount),
    epoch: readWhole(epoch),
    trail: readHex(trail),
    changeMinor: readAmount(change),
  };
}

function readControl(number: unknown, value: unknown): ControlStateEvent {
  switch (number) {
    case NUMBERS.rotated: {
      const [, transaction, consumed, control, id, authority, epoch, byGuardian] = readTuple(value, 8);
      return {
        type: 'rotated',
        ...notarised(transaction, consumed),
        control: readControlState(control),
        id: readBytes32(id),
        authority: readBytes32(authority),
        epoch: readWhole(epoch),
        byGuardian: readFlag(byGuardian),
      };
    }
    case NUMBERS.pauseChanged: {
      const [, transaction, consumed, control, id, paused, byGuardian] = readTuple(value, 7);
      return {
        type: 'pauseChanged',
        ...notarised(transaction, consumed),
        control: readControlState(control),
        id: readBytes32(id),
        paused: readFlag(paused),
        byGuardian: readFlag(byGuardian),
      };
    }
    case NUMBERS.guardianProposed:
    case NUMBERS.guardianCancelled: {
      const [, transaction, consumed, control] = readTuple(value, 4);
      const type = number === NUMBERS.guardianProposed ? 'guardianProposed' : 'guardianCancelled';
      return { type, ...notarised(transaction, consumed), control: readControlState(control) };
    }
    default:
      throw new TupleError('event number is unknown');
  }
}
