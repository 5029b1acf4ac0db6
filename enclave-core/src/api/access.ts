/**
 * Every access rule of the API. Pure. Deny by default: a role that an operation does not name may not use it at all
 * (`403`, whatever the data); a role that it names reaches only what its scope says, and everything else answers as if
 * it did not exist (`404`). Members of the governance API are not participants and have no rule here.
 */
import type { Participant, ParticipantRole } from '@drawbridge/governance/registration';
import type { ParticipantId } from '@drawbridge/protocol/ids';

export type Operation =
  | 'participant.read'
  | 'asset.list'
  | 'network.list'
  | 'account.read'
  | 'transfer.create'
  | 'transfer.read'
  | 'transfer.cancel'
  | 'event.read'
  | 'receipt.read'
  | 'lock.read'
  | 'lock.refund'
  | 'lock.cancelRefund'
  | 'lock.claim'
  | 'relay.outbox'
  | 'relay.evidence'
  | 'relay.cursor'
  | 'relay.states'
  | 'relay.sealingKey';

/** Whose a thing is: banks that it belongs to (a transfer has two), or connectors that serve its network. */
export type Owners = readonly ParticipantId[];

/**
 * `any`: the role is enough. `own`: the caller is among the owners. `supervised`: one of the owners is a bank that the
 * caller supervises.
 */
type Scope = 'any' | 'own' | 'supervised';

/** Operation × role → scope. What is not here is denied. */
export const RULES: Readonly<Record<Operation, Readonly<Partial<Record<ParticipantRole, Scope>>>>> = {
  'participant.read': {
    bank: 'any',
    auditor: 'any',
    connector: 'any',
    observer: 'any',
    relay: 'any',
    operator: 'any',
  },
  'asset.list': {
    bank: 'any',
    auditor: 'any',
    connector: 'any',
    observer: 'any',
    relay: 'any',
    operator: 'any',
  },
  'network.list': {
    bank: 'any',
    auditor: 'any',
    connector: 'any',
    observer: 'any',
    relay: 'any',
    operator: 'any',
  },
  'account.read': {
    bank: 'own',
    auditor: 'supervised',
  },
  'transfer.create': {
    bank: 'any',
  },
  'transfer.read': {
    bank: 'own',
    auditor: 'supervised',
  },
  'transfer.cancel': {
    bank: 'own',
  },
  'event.read': {
    bank: 'own',
    auditor: 'supervised',
  },
  'receipt.read': {
    bank: 'own',
    auditor: 'supervised',
  },
  'lock.read': {
    bank: 'own',
    auditor: 'supervised',
    operator: 'any',
  },
  'lock.refund': {
    bank: 'own',
    operator: 'any',
  },
  'lock.cancelRefund': {
    bank: 'own',
    operator: 'any',
  },
  'lock.claim': {
    bank: 'own',
  },
  'relay.outbox': {
    relay: 'any',
  },
  'relay.evidence': {
    relay: 'any',
  },
  'relay.cursor': {
    relay: 'any',
    connector: 'own',
  },
  'relay.states': {
    connector: 'own',
  },
  'relay.sealingKey': {
    relay: 'any',
    connector: 'any',
  },
};

/** Whether the role may use the operation on anything at all; if not, the answer is `403`. */
export function roleMay(role: ParticipantRole, operation: Operation): boolean {
  return Object.hasOwn(RULES[operation], role);
}

/** Whether the caller reaches a thing of these owners; if not, the answer is that of a thing that does not exist. */
export function reaches(caller: Participant, operation: Operation, owners: Owners): boolean {
  const scope = RULES[operation][caller.role];
  if (scope === 'any') return true;
  if (scope === 'own') return owners.includes(caller.id);
  if (scope === 'supervised') return owners.some((owner) => caller.supervises?.includes(owner) ?? false);
  return false;
}

/**
 * The participants on whose data the caller may use an operation when it names none: itself, or the banks that it
 * supervises. Empty where the rules give it nobody's.
 */
export function defaultSubjects(caller: Participant, operation: Operation): readonly ParticipantId[] {
  const scope = RULES[operation][caller.role];
  if (scope === 'own') return [caller.id];
  return scope === 'supervised' ? (caller.supervises ?? []) : [];
}

/**
 * Whether the caller may see what links a transfer to the deposit that funds it (source address, reference, lock, refund).
 * The creditor may not: the reference is a secret between depositor and core.
 */
export function seesFunding(caller: Participant, debtor: ParticipantId): boolean {
  return caller.id === debtor || (caller.role === 'auditor' && (caller.supervises?.includes(debtor) ?? false));
}

/**
 * As whose the caller sees a transfer: a bank as its own, an auditor as the debtor's where it supervises that, since that is
 * told more, else as the creditor's. What is proven to one bank is never shown to the other.
 */
export function receiptSubject(
  caller: Participant,
  debtor: ParticipantId,
  creditor: ParticipantId,
): ParticipantId | undefined {
  return [debtor, creditor].find((bank) => reaches(caller, 'receipt.read', [bank]));
}

/** Whether the caller may see amount, depositor and transfer of an unmatched lock. Operators see where it is, no more. */
export function seesLockContent(caller: Participant): boolean {
  return caller.role === 'bank' || caller.role === 'auditor';
}
