/** Rows of the books of Corda vaults as lists, for snapshots. */
import { MAX_CORDA_COINS, MAX_CORDA_PERMITS } from '@drawbridge/protocol/corda-vault-classes';
import type { VaultKey } from '@drawbridge/protocol/ids';
import { type StateRef, toStateRef } from '@drawbridge/protocol/state-ref';
import type { BookRow, CoinRow, PaymentStates, PermitRow } from './book.ts';
import { controlTuple, readControlState } from './control-tuple.ts';
import type { CoinKey, LockKey } from './keys.ts';
import { readVaultKey } from './row-keys.ts';
import {
  bytesOf,
  type Cbor,
  orAbsent,
  orNull,
  readAmount,
  readBytes,
  readBytes32,
  readFlag,
  readList,
  readSum,
  readText,
  readTuple,
} from './tuples.ts';

const readRef = (value: unknown): StateRef => toStateRef(readBytes(value));

export const bookTuple = (key: VaultKey, { proven, tip, control, permits, coinsMinor }: BookRow): Cbor => [
  key,
  bytesOf(tip),
  controlTuple(control),
  permits.map(({ ref, heldBy }) => [bytesOf(ref), orNull(heldBy, bytesOf)]),
  coinsMinor.toString(),
  proven,
];

export function readBook(value: unknown): [VaultKey, BookRow] {
  const [key, tip, control, permits, coinsMinor, proven] = readTuple(value, 6);
  return [
    readVaultKey(key),
    {
      proven: readFlag(proven),
      tip: readRef(tip),
      control: readControlState(control),
      permits: readList(permits, MAX_CORDA_PERMITS).map(readPermit),
      coinsMinor: readSum(coinsMinor),
    },
  ];
}

function readPermit(value: unknown): PermitRow {
  const [ref, holder] = readTuple(value, 2);
  const heldBy = orAbsent(holder, readBytes32);
  return { ref: readRef(ref), ...(heldBy !== undefined && { heldBy }) };
}

export const coinTuple = (_: CoinKey, { vault, ref, amountMinor, heldBy }: CoinRow): Cbor => [
  vault,
  bytesOf(ref),
  amountMinor,
  orNull(heldBy, bytesOf),
];

export function readCoin(value: unknown): CoinRow {
  const [vault, ref, amountMinor, holder] = readTuple(value, 4);
  const heldBy = orAbsent(holder, readBytes32);
  return {
    vault: readVaultKey(vault),
    ref: readRef(ref),
    amountMinor: readAmount(amountMinor),
    ...(heldBy !== undefined && { heldBy }),
  };
}

export const recordTuple = (key: LockKey, ref: StateRef): Cbor => [key, bytesOf(ref)];

export function readRecord(value: unknown): [LockKey, StateRef] {
  const [key, ref] = readTuple(value, 2);
  return [readText(key) as LockKey, readRef(ref)];
}

export const paymentStatesTuple = ({ permit, coins, record }: PaymentStates): Cbor => [
  bytesOf(permit),
  coins.map(bytesOf),
  orNull(record, bytesOf),
];

export function readPaymentStates(value: unknown): PaymentStates {
  const [permit, coins, record] = readTuple(value, 3);
  const ref = orAbsent(record, readRef);
  return {
    permit: readRef(permit),
    coins: readList(coins, MAX_CORDA_COINS).map(readRef),
    ...(ref !== undefined && { record: ref }),
  };
}
