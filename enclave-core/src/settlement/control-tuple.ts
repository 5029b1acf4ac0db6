/** Who commands a Corda vault, as a list. */
import type { EvmAddress } from '@drawbridge/protocol/ids';
import type { VaultControl } from '@drawbridge/protocol/state-event';
import {
  amountOf,
  bytesOf,
  type Cbor,
  orAbsent,
  orNull,
  readAmount,
  readBytes32,
  readFlag,
  readHex,
  readTuple,
  readWhole,
  TupleError,
  wholeOf,
} from './tuples.ts';

export const controlTuple = (control: VaultControl): Cbor => [
  bytesOf(control.authority),
  wholeOf(control.epoch),
  amountOf(control.guardianNonce),
  bytesOf(control.lastInstruction),
  control.pausedByAuthority,
  control.pausedByGuardian,
  amountOf(control.proposalNotBefore),
  orNull(control.proposedAuthority, bytesOf),
];

export function readControlState(value: unknown): VaultControl {
  const [authority, epoch, nonce, last, byAuthority, byGuardian, notBefore, proposed] = readTuple(value, 8);
  const proposedAuthority = orAbsent(proposed, readAddress);
  return {
    authority: readAddress(authority),
    epoch: readWhole(epoch),
    guardianNonce: readAmount(nonce),
    lastInstruction: readBytes32(last),
    pausedByAuthority: readFlag(byAuthority),
    pausedByGuardian: readFlag(byGuardian),
    proposalNotBefore: readAmount(notBefore),
    ...(proposedAuthority !== undefined && { proposedAuthority }),
  };
}

function readAddress(value: unknown): EvmAddress {
  const hex = readHex(value);
  if (hex.length !== 42) throw new TupleError('expected an address');
  return hex as EvmAddress;
}
