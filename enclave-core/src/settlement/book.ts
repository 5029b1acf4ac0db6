/**
 * The book of a Corda vault: which of its states are unspent, as far as evidence has told, and which of them an open
 * instruction will consume (docs/adr/0018). Rows change here alone.
 */
import type { CordaVault } from '@drawbridge/governance/registration';
import { MAX_CORDA_COINS } from '@drawbridge/protocol/corda-vault-classes';
import type { InstructionId, LockId, VaultKey } from '@drawbridge/protocol/ids';
import { firstControl, type VaultControl } from '@drawbridge/protocol/state-event';
import { type StateRef, sortedRefs, stateAfter } from '@drawbridge/protocol/state-ref';
import { InvariantError } from './invariant-error.ts';
import { type CoinKey, coinKey, lockKey } from './keys.ts';
import type { Overlay } from './overlay.ts';

/** Leave for one payment at a time. */
export type PermitRow = Readonly<{ ref: StateRef; heldBy?: InstructionId }>;
export type BookRow = Readonly<{
  /** Whether the vault's creation was shown to be what is registered. Nothing is asked of a vault before. */
  proven: boolean;
  /** The vault's present state, and what it says. */
  tip: StateRef;
  control: VaultControl;
  permits: readonly PermitRow[];
  /** The sum of the vault's coins. */
  coinsMinor: bigint;
}>;
/** Value of an escrow vault, by the ref of its cash; the guard is the next output. */
export type CoinRow = Readonly<{ vault: VaultKey; ref: StateRef; amountMinor: bigint; heldBy?: InstructionId }>;

/** What a payment consumes; its void the same without the record. */
export type PaymentStates = Readonly<{
  permit: StateRef;
  /** Refs of cash, ascending. */
  coins: readonly StateRef[];
  /** Of the lock that is refunded. */
  record?: StateRef;
}>;

export const newBook = ({ state, permits, authority }: CordaVault): BookRow => ({
  proven: false,
  tip: state,
  control: firstControl(authority),
  permits: permits.map((ref) => ({ ref })),
  coinsMinor: 0n,
});

/** Every input of the transaction, ascending: what `inputs` of the instruction is the hash of. */
export function inputsOf({ permit, coins, record }: PaymentStates): StateRef[] {
  const guarded = coins.flatMap((cash) => [cash, stateAfter(cash, 1)]);
  return sortedRefs([permit, ...guarded, ...(record === undefined ? [] : [record])]);
}

/** A void spends and remakes what the payment would have spent; the record stays as it is. */
export const statesOfVoid = ({ permit, coins }: PaymentStates): PaymentStates => ({ permit, coins });

/** Where books and coins stand, committed or changed. */
type Books = Readonly<{
  books: Readonly<{ get: (key: VaultKey) => BookRow | undefined }>;
  coins: Readonly<{ get: (key: CoinKey) => CoinRow | undefined }>;
}>;

export function bookOf(overlay: Pick<Books, 'books'>, key: VaultKey): BookRow {
  const book = overlay.books.get(key);
  if (book === undefined) throw new InvariantError('a Corda vault has no book');
  return book;
}

export const hasFreePermit = (overlay: Overlay, key: VaultKey): boolean => freePermit(overlay, key) !== undefined;

/** That of the lowest index. A vault that nobody has seen has none. */
function freePermit(overlay: Overlay, key: VaultKey): PermitRow | undefined {
  const { proven, permits } = bookOf(overlay, key);
  return proven ? permits.find(({ heldBy }) => heldBy === undefined) : undefined;
}

/**
 * Free states for a payment: the permit of the lowest index; of an escrow vault the smallest coin that suffices, else the
 * largest ones until they do, equal ones by their refs. O(coins). @returns nothing where there are not enough.
 */
export function pickStates(
  overlay: Overlay,
  { key, mode, amountMinor }: Readonly<{ key: VaultKey; mode: 'escrow' | 'issue'; amountMinor: bigint }>,
  record?: StateRef,
): PaymentStates | undefined {
  const permit = freePermit(overlay, key)?.ref;
  if (permit === undefined) return undefined;
  const coins = mode === 'issue' ? [] : pickCoins(freeCoins(overlay, key), amountMinor);
  return coins && { permit, coins, ...(record !== undefined && { record }) };
}

function freeCoins(overlay: Overlay, key: VaultKey): CoinRow[] {
  const free: CoinRow[] = [];
  for (const coin of overlay.coins.values()) {
    if (coin.vault === key && coin.heldBy === undefined) free.push(coin);
  }
  return free;
}

/** The order is total, so what is picked does not depend on that in which the coins come. */
function pickCoins(free: readonly CoinRow[], amountMinor: bigint): StateRef[] | undefined {
  let single: CoinRow | undefined;
  for (const coin of free) {
    if (coin.amountMinor >= amountMinor && (single === undefined || ascends(coin, single))) single = coin;
  }
  if (single !== undefined) return [single.ref];
  const picked: StateRef[] = [];
  let missingMinor = amountMinor;
  for (const { ref, amountMinor: worth } of free.toSorted((a, b) => (descends(a, b) ? -1 : 1))) {
    if (missingMinor <= 0n || picked.length === MAX_CORDA_COINS) break;
    picked.push(ref);
    missingMinor -= worth;
  }
  return missingMinor <= 0n ? sortedRefs(picked) : undefined;
}

const ascends = (a: CoinRow, b: CoinRow): boolean =>
  a.amountMinor < b.amountMinor || (a.amountMinor === b.amountMinor && a.ref < b.ref);
const descends = (a: CoinRow, b: CoinRow): boolean =>
  a.amountMinor > b.amountMinor || (a.amountMinor === b.amountMinor && a.ref < b.ref);

/** Sets free states aside for an instruction. */
export function hold(overlay: Overlay, key: VaultKey, states: PaymentStates, by: InstructionId): void {
  changePermit(overlay, key, states.permit, { ref: states.permit, heldBy: by });
  for (const ref of states.coins) {
    const coin = coinOf(overlay, key, ref);
    if (coin.heldBy !== undefined) throw new InvariantError('a coin is held twice');
    overlay.coins.set(coinKey(key, ref), { ...coin, heldBy: by });
  }
}

function changePermit(overlay: Overlay, key: VaultKey, ref: StateRef, next: PermitRow): void {
  const book = bookOf(overlay, key);
  const at = book.permits.findIndex((permit) => permit.ref === ref);
  const former = book.permits[at];
  if (former === undefined) throw new InvariantError('a permit is not in the book');
  if (next.heldBy !== undefined && former.heldBy !== undefined) throw new InvariantError('a permit is held twice');
  overlay.books.set(key, { ...book, permits: book.permits.with(at, next) });
}

export function coinOf(overlay: Overlay, key: VaultKey, ref: StateRef): CoinRow {
  const coin = overlay.coins.get(coinKey(key, ref));
  if (coin === undefined) throw new InvariantError('a coin is not in the book');
  return coin;
}

/** A coin that came to be, free. */
export function addCoin(overlay: Overlay, key: VaultKey, ref: StateRef, amountMinor: bigint): void {
  const name: CoinKey = coinKey(key, ref);
  if (overlay.coins.get(name) !== undefined) throw new InvariantError('a coin is made twice');
  overlay.coins.set(name, { vault: key, ref, amountMinor });
  const book = bookOf(overlay, key);
  overlay.books.set(key, { ...book, coinsMinor: book.coinsMinor + amountMinor });
}

/** A payment or its void was notarised: the coins are gone, and the permit has a successor, which is free. */
export function consume(overlay: Overlay, key: VaultKey, states: PaymentStates, permit: StateRef): void {
  changePermit(overlay, key, states.permit, { ref: permit });
  for (const ref of states.coins) {
    const { amountMinor } = coinOf(overlay, key, ref);
    overlay.coins.delete(coinKey(key, ref));
    const book = bookOf(overlay, key);
    overlay.books.set(key, { ...book, coinsMinor: book.coinsMinor - amountMinor });
  }
}

/** Whether the book has a state whose spending would be a payment, or a change of the vault. */
export function isInBook({ books, coins }: Books, key: VaultKey, ref: StateRef): boolean {
  const { tip, permits } = bookOf({ books }, key);
  if (ref === tip || permits.some((permit) => permit.ref === ref)) return true;
  if (coins.get(coinKey(key, ref)) !== undefined) return true;
  const isFirst = ref.endsWith('00000000');
  return !isFirst && coins.get(coinKey(key, stateAfter(ref, -1))) !== undefined;
}

/** The record of a lock, while its refund can still be asked for. */
export const recordOf = (overlay: Overlay, key: VaultKey, lockId: LockId): StateRef | undefined =>
  overlay.lockRecords.get(lockKey(key, lockId));

/** Forgets the record of a lock that is not refunded any more. Nothing on a ledger without states. */
export function forgetRecord(overlay: Overlay, key: VaultKey, lockId: LockId): void {
  if (overlay.books.get(key) !== undefined) overlay.lockRecords.delete(lockKey(key, lockId));
}
