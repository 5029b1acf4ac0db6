/** A lock as it happened: cash became a coin of the vault, or tokens were burned, and a record was made. */
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import { cordaClassName } from '@drawbridge/protocol/corda-vault-classes';
import type { LockId } from '@drawbridge/protocol/ids';
import { accountWord, cordaLockId, type StateRef } from '@drawbridge/protocol/state-ref';
import { TYPE } from './corda-types.ts';
import {
  type CordaCoin,
  coinAt,
  demandOfVault,
  demandVaultSigned,
  freeOutput,
  hexOrEmpty,
  outputAt,
  refersToTip,
  refOf,
  type VaultFrame,
} from './corda-vault-frame.ts';
import { isPaused } from './corda-vault-payment.ts';
import { wrong } from './corda-vault-refusal.ts';
import { type CordaLockState, lockStateOf, tokenStateOf } from './corda-vault-states.ts';

/** `record`: the state that a refund consumes. `coin`: of escrow. */
export type CordaLocked = Readonly<{
  type: 'locked';
  lockId: LockId;
  reference: Bytes32;
  depositor: Bytes32;
  amountMinor: bigint;
  consumed: readonly StateRef[];
  record: StateRef;
  coin?: CordaCoin;
}>;

/** @throws CordaVaultFault for whatever the shape does not allow */
export function readLock(frame: VaultFrame): CordaLocked {
  demandVaultSigned(frame);
  if (refersToTip(frame) && isPaused(frame)) wrong('paused', 'locks stand still');
  const escrow = frame.root.mode === 'escrow';
  const at = escrow ? 2 : 0;
  const lock = lockStateOf(freeOutput(frame, at, cordaClassName('LockState')).data);
  const depositor = demandRecord(frame, lock);
  const { lockId, reference, amountMinor } = lock;
  const coin = escrow ? coinAt(frame, 0) : undefined;
  if (coin !== undefined && coin.amountMinor !== amountMinor) wrong('amount', 'the record is of another amount');
  for (let index = at + 1; index < frame.facts.outputs.length; index++) demandChange(frame, index);
  const made = { record: refOf(frame, at), ...(coin === undefined ? {} : { coin }) };
  return { type: 'locked', lockId, reference, depositor, amountMinor, consumed: frame.inputs, ...made };
}

/** The depositor's word. */
function demandRecord({ root, command, inputsHash }: VaultFrame, lock: CordaLockState): Bytes32 {
  demandOfVault(lock, root);
  if (lock.amountMinor > root.permitCapMinor) wrong('amount', 'more is locked than could be paid back in one piece');
  if (lock.currency !== root.currency) wrong('lock', 'a record is of another currency');
  if (lock.issuerKey !== hexOrEmpty(root.cash?.issuerKey)) wrong('lock', 'a record names another issuer');
  if (lock.issuerReference !== hexOrEmpty(root.cash?.issuerReference)) {
    wrong('lock', 'a record has another reference of the issuer');
  }
  if (!command.signers.includes(lock.depositor.key)) wrong('depositor', 'the depositor need not sign');
  const { vaultId, reference } = lock;
  const depositor = accountWord(lock.depositor.key);
  const lockId = cordaLockId({ vaultId, depositor, reference, inputs: inputsHash });
  if (lock.lockId !== lockId) wrong('lock', 'a record has an id that does not follow from it');
  return depositor;
}

/** The owner's change. */
function demandChange(frame: VaultFrame, index: number): void {
  if (frame.root.mode === 'escrow') {
    freeOutput(frame, index, TYPE.cash);
    return;
  }
  const { data } = outputAt(frame, index);
  if (data.type !== cordaClassName('TokenState')) wrong('shape', 'only change may follow the record');
  if (tokenStateOf(data).vaultId !== frame.root.vaultId) wrong('vault', 'a token is of another vault');
}
