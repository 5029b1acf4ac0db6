/**
 * Instructions: written, closed, and the value that goes on its way with them. Releases and issues are the point of no
 * return; void and refund are the ways back.
 */
import { isCordaVault } from '@drawbridge/governance/registration';
import { ZERO_BYTES32 } from '@drawbridge/protocol/bytes32';
import { type InstructionId, type LockId, type VaultKey, vaultKey } from '@drawbridge/protocol/ids';
import { hasFreePermit, hold, type PaymentStates, pickStates, recordOf, statesOfVoid } from './book.ts';
import { deliveryId, refundId, voidId } from './ids.ts';
import { InvariantError } from './invariant-error.ts';
import { canRefund, headroomMinor, isOpen } from './lane.ts';
import type { Overlay } from './overlay.ts';
import { bankAccount, post, reserve, suspenseAccount, transitAccount } from './postings.ts';
import type { Transfer } from './record.ts';
import { instructionMark } from './spent-ids.ts';
import type { LiveTransfer } from './state.ts';
import { advance, nameOf } from './transfer-life.ts';
import type { OpenInstruction, UnmatchedLock } from './view.ts';

type Draft = Omit<OpenInstruction, 'network' | 'asset' | 'epoch' | 'outboxSeq'>;

function write(overlay: Overlay, key: VaultKey, draft: Draft): InstructionId {
  const { vault } = overlay.vault(key);
  overlay.spend(instructionMark(draft.id));
  const outboxSeq = (overlay.outboxEnds.get(vault.network) ?? 0) + 1;
  overlay.outboxEnds.set(vault.network, outboxSeq);
  const { network, asset, epoch } = vault;
  overlay.instructions.set(draft.id, { ...draft, network, asset, epoch, outboxSeq });
  if (draft.states !== undefined && draft.kind !== 'void') hold(overlay, key, draft.states, draft.id);
  return draft.id;
}

/** What a payment is written with beside its terms: on ledgers of states, what it consumes. */
type Means = Readonly<{ states?: PaymentStates }>;
const NO_STATES: Means = {};

/**
 * What is free now for a payment; `lockId`: of the lock that it refunds. @returns nothing where the states that it needs are not
 * free, and has to wait for events that free them.
 */
function meansFor(overlay: Overlay, key: VaultKey, amountMinor: bigint, lockId?: LockId): Means | undefined {
  const { vault } = overlay.vault(key);
  if (!isCordaVault(vault)) return NO_STATES;
  const record = lockId === undefined ? undefined : recordOf(overlay, key, lockId);
  if (lockId !== undefined && record === undefined) return undefined;
  const states = pickStates(overlay, { key, mode: vault.mode, amountMinor }, record);
  return states && { states };
}

/** Takes an instruction that is proven executed or void out of the outbox, and the void that ran against it. */
export function close(overlay: Overlay, id: InstructionId): void {
  overlay.instructions.delete(id);
  const against = voidId(overlay.base.secrets.idKey, id);
  if (overlay.instructions.get(against) !== undefined) overlay.instructions.delete(against);
}

export function destinationOf({ terms }: Transfer): VaultKey {
  if (!terms.destination) throw new InvariantError('a transfer without destination is delivered');
  return vaultKey(terms.destination.network, terms.asset);
}
export function sourceOf({ terms }: Transfer): VaultKey {
  if (!terms.source) throw new InvariantError('a transfer without source is refunded');
  return vaultKey(terms.source.network, terms.asset);
}

/** Writes the release or issue of a funded transfer if its lane has room. @returns whether it did. */
export function tryInstruct(overlay: Overlay, live: LiveTransfer): boolean {
  const { transfer } = live;
  const { terms } = transfer;
  const key = destinationOf(transfer);
  if (!isOpen(overlay, key) || headroomMinor(overlay, key) < terms.amountMinor) return false;
  const means = meansFor(overlay, key, terms.amountMinor);
  if (means === undefined) return false;
  reserve(overlay, terms.debtor, terms.asset, -terms.amountMinor);
  const { vault } = overlay.vault(key);
  post(overlay, {
    asset: terms.asset,
    debit: bankAccount(terms.debtor),
    credit: transitAccount(key),
    amountMinor: terms.amountMinor,
    kind: 'withdrawal',
    network: vault.network,
    transfer: nameOf(transfer),
  });
  const instruction = write(overlay, key, {
    id: deliveryId(overlay.base.secrets.idKey, terms.debtor, terms.id),
    kind: vault.mode === 'escrow' ? 'release' : 'issue',
    subject: ZERO_BYTES32,
    amountMinor: terms.amountMinor,
    beneficiary: terms.destination?.beneficiary ?? ZERO_BYTES32,
    notAfterSeconds: Math.floor((terms.deliverByMs ?? 0) / 1000),
    transfer: nameOf(transfer),
    ...means,
  });
  advance(overlay, live, 'instruct', {}, { instruction });
  return true;
}

/** Writes a void of `target`; asking twice writes one. @returns its id, or `undefined` when it stands already. */
export function writeVoid(overlay: Overlay, target: InstructionId): InstructionId | undefined {
  const instruction = overlay.instructions.get(target);
  if (instruction === undefined) throw new InvariantError('an instruction to void is not open');
  const id = voidId(overlay.base.secrets.idKey, target);
  if (overlay.instructions.get(id) !== undefined) return undefined;
  return write(overlay, vaultKey(instruction.network, instruction.asset), {
    id,
    kind: 'void',
    subject: target,
    amountMinor: 0n,
    beneficiary: ZERO_BYTES32,
    notAfterSeconds: 0,
    ...(instruction.transfer !== undefined && { transfer: instruction.transfer }),
    ...(instruction.states !== undefined && { states: statesOfVoid(instruction.states) }),
  });
}

/** The release or issue of a transfer that was instructed. */
export const deliveryOf = (overlay: Overlay, { terms }: Transfer): InstructionId =>
  deliveryId(overlay.base.secrets.idKey, terms.debtor, terms.id);

/** Whether a lock was never sent back: not even its first refund is written. */
export const isRefundUnwritten = (overlay: Overlay, key: VaultKey, lockId: LockId): boolean =>
  !overlay.isSpent(instructionMark(refundId(overlay.base.secrets.idKey, key, lockId)));

/** With what a delivery that failed goes back to the source network: asked for, and the vault there can pay it back now. */
function refundMeans(overlay: Overlay, { terms, lockId }: Transfer): Means | undefined {
  if (terms.onVoid !== 'refund' || !terms.source || lockId === undefined) return undefined;
  const key = vaultKey(terms.source.network, terms.asset);
  const hasRoom = canRefund(overlay, key) && headroomMinor(overlay, key) >= terms.amountMinor;
  return hasRoom ? meansFor(overlay, key, terms.amountMinor, lockId) : undefined;
}

/**
 * Ends a delivery that will not happen: the money, free on the debtor's account, stays there or goes back to the source.
 * `event` is one whose cell chooses between the two.
 */
export function returnOrRefund(overlay: Overlay, live: LiveTransfer, event: 'voided' | 'deliverByPassed'): void {
  const { transfer } = live;
  const means = refundMeans(overlay, transfer);
  if (means === undefined) {
    advance(overlay, live, event, { refundable: false });
    return;
  }
  const { terms, lockId } = transfer;
  const key = sourceOf(transfer);
  if (lockId === undefined || !terms.source) throw new InvariantError('a refund needs the lock that it refunds');
  post(overlay, {
    asset: terms.asset,
    debit: bankAccount(terms.debtor),
    credit: transitAccount(key),
    amountMinor: terms.amountMinor,
    kind: 'refund',
    network: terms.source.network,
    transfer: nameOf(transfer),
  });
  const instruction = write(overlay, key, {
    id: refundId(overlay.base.secrets.idKey, key, lockId),
    kind: 'refund',
    subject: lockId,
    amountMinor: terms.amountMinor,
    beneficiary: terms.source.depositor,
    notAfterSeconds: 0,
    transfer: nameOf(transfer),
    ...means,
  });
  advance(overlay, live, event, { refundable: true }, { instruction });
}

/** The refund of an unmatched lock that is open, or comes next. */
export const lockRefundOf = (
  overlay: Overlay,
  { network, asset, lockId, refundsVoided }: UnmatchedLock,
): InstructionId => refundId(overlay.base.secrets.idKey, vaultKey(network, asset), lockId, refundsVoided);

/** Sends an unmatched lock back to its depositor: suspense → transit. @returns whether the vault can pay it back now */
export function writeLockRefund(overlay: Overlay, lock: UnmatchedLock): boolean {
  const key = vaultKey(lock.network, lock.asset);
  const means = meansFor(overlay, key, lock.amountMinor, lock.lockId);
  if (means === undefined) return false;
  post(overlay, {
    asset: lock.asset,
    debit: suspenseAccount(key),
    credit: transitAccount(key),
    amountMinor: lock.amountMinor,
    kind: 'refund',
  });
  write(overlay, key, {
    id: lockRefundOf(overlay, lock),
    kind: 'refund',
    subject: lock.lockId,
    amountMinor: lock.amountMinor,
    beneficiary: lock.depositor,
    notAfterSeconds: 0,
    ...means,
  });
  return true;
}

/** Whether nothing can be asked of a Corda vault before something under way ends. */
const lacksPermit = (overlay: Overlay, key: VaultKey): boolean =>
  isCordaVault(overlay.vault(key).vault) && !hasFreePermit(overlay, key);

/** Tells the vault's waiting transfers that value came free or the lane may be open again. */
export function wakeWaiting(overlay: Overlay, key: VaultKey): void {
  const waiting = overlay.waitingCount(key);
  if (waiting > 0) overlay.changeVault(key, { retriesLeft: waiting });
}

/**
 * Tries transfers that wait for a vault again, oldest first and skipping what does not fit, at most `limit` of them.
 * The next call goes on where this one stopped, and ends the round when each was tried since the last `wakeWaiting`, so
 * that none is passed over for ever. @returns how many it tried.
 */
export function retryWaiting(overlay: Overlay, key: VaultKey, limit: number): number {
  let { retriesLeft, retryAfter } = overlay.vault(key).row;
  if (retriesLeft === 0) return 0;
  let tried = 0;
  while (tried < limit && retriesLeft > 0) {
    const hopeless = !isOpen(overlay, key) || headroomMinor(overlay, key) <= 0n || lacksPermit(overlay, key);
    const live = hopeless ? undefined : overlay.nextWaiting(key, retryAfter);
    if (live !== undefined) {
      tryInstruct(overlay, live);
      retryAfter = live.order;
      retriesLeft -= 1;
      tried += 1;
    } else if (hopeless || retryAfter === 0) retriesLeft = 0;
    else retryAfter = 0;
  }
  if (retriesLeft === 0) retryAfter = 0;
  overlay.changeVault(key, { retriesLeft, retryAfter });
  return tried;
}
