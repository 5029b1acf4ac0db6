/**
 * What holds of the books of Corda vaults (docs/adr/0018): coins are what the vault account says is locked; no state stands in a
 * book twice; what is held is held by one open instruction, which names just that; a lock that may be refunded has its record.
 */
import { isCordaVault } from '@drawbridge/governance/registration';
import { type VaultKey, vaultKey } from '@drawbridge/protocol/ids';
import { type StateRef, stateAfter } from '@drawbridge/protocol/state-ref';
import { inputsOf } from './book.ts';
import { InvariantError } from './invariant-error.ts';
import { coinKey, type LockKey, lockKey } from './keys.ts';
import { lockMark } from './spent-ids.ts';
import type { SettlementState, VaultRow } from './state.ts';
import type { OpenInstruction } from './view.ts';

const must = (holds: boolean, what: string): void => {
  if (!holds) throw new InvariantError(what);
};

/** Of a vault that a command touched. */
export function mustBeBacked(mode: 'escrow' | 'issue', row: VaultRow, coinsMinor: bigint): void {
  must(
    coinsMinor === (mode === 'escrow' ? -row.vaultMinor : 0n),
    'coins are not what the vault account says is locked',
  );
}

/** O(states in books and open instructions). */
export function assertBooks(state: SettlementState): void {
  const named = new Set<string>();
  const once = (key: VaultKey, ref: StateRef): void => {
    must(!named.has(`${key}/${ref}`), 'a state stands in the books twice');
    named.add(`${key}/${ref}`);
  };
  for (const [key, vault] of state.header.registry.vaults) {
    const book = state.books.get(key);
    must((book !== undefined) === isCordaVault(vault), 'a vault has a book that does not fit its kind');
    const row = state.vaults.get(key);
    if (book === undefined || row === undefined || !isCordaVault(vault)) continue;
    mustBeBacked(vault.mode, row, book.coinsMinor);
    must(book.permits.length === vault.permits.length, 'a permit was lost or found');
    once(key, book.tip);
    for (const { ref } of book.permits) once(key, ref);
  }
  for (const key of state.books.keys()) must(state.header.registry.vaults.has(key), 'a book is of no vault');
  assertCoins(state, once);
  assertRecords(state, once);
  assertHeld(state);
}

type Once = (key: VaultKey, ref: StateRef) => void;

function assertCoins(state: SettlementState, once: Once): void {
  const sums = new Map<VaultKey, bigint>();
  for (const [name, { vault, ref, amountMinor }] of state.coinRows) {
    must(name === coinKey(vault, ref) && amountMinor > 0n, 'a coin is worth nothing, or under another name');
    must(state.books.has(vault), 'a coin is of no book');
    once(vault, ref);
    once(vault, stateAfter(ref, 1));
    sums.set(vault, (sums.get(vault) ?? 0n) + amountMinor);
  }
  for (const [key, { coinsMinor }] of state.books)
    must(coinsMinor === (sums.get(key) ?? 0n), 'a sum of coins is wrong');
}

/** A record is there as long as the refund may be asked for, and is of a lock that came. */
function assertRecords(state: SettlementState, once: Once): void {
  for (const [name, ref] of state.recordRows) {
    const [network, asset, lockId] = name.split('/') as [string, string, OpenInstruction['id']];
    const key = `${network}/${asset}` as VaultKey;
    must(state.books.has(key) && state.spent.has(lockMark(key, lockId)), 'a record is of no lock');
    once(key, ref);
  }
  const mustHave = (key: VaultKey, lock: LockKey): void =>
    must(!state.books.has(key) || state.recordRows.has(lock), 'a lock that may be refunded has no record');
  for (const { network, asset, lockId } of state.unmatched.values()) {
    const key = vaultKey(network, asset);
    mustHave(key, lockKey(key, lockId));
  }
  for (const { transfer } of state.transfers.values()) {
    const { terms, lockId } = transfer;
    if (terms.source === undefined || lockId === undefined) continue;
    const key = vaultKey(terms.source.network, terms.asset);
    mustHave(key, lockKey(key, lockId));
  }
}

/** Each open payment holds what it names, each void names what its target holds, and nothing else is held. */
function assertHeld(state: SettlementState): void {
  const holders = new Map<string, OpenInstruction['id']>();
  for (const [id, instruction] of state.instructions) {
    const key = vaultKey(instruction.network, instruction.asset);
    const { states, kind, subject } = instruction;
    must((states !== undefined) === state.books.has(key), 'an instruction has states that do not fit its vault');
    if (states === undefined) continue;
    if (kind === 'void') {
      const target = state.instructions.get(subject)?.states;
      const same =
        target && inputsOf({ permit: target.permit, coins: target.coins }).join() === inputsOf(states).join();
      must(same === true, 'a void names other states than its target holds');
      continue;
    }
    for (const ref of [states.permit, ...states.coins]) {
      must(!holders.has(`${key}/${ref}`), 'a state is held by two instructions');
      holders.set(`${key}/${ref}`, id);
    }
    const isOfLock = states.record === state.recordRows.get(lockKey(key, subject));
    must(
      kind === 'refund' ? states.record !== undefined && isOfLock : states.record === undefined,
      'a record is misplaced',
    );
  }
  let held = 0;
  const mustHold = (key: VaultKey, ref: StateRef, heldBy: OpenInstruction['id'] | undefined): void => {
    must(heldBy === holders.get(`${key}/${ref}`), 'a state is held by another than says so');
    if (heldBy !== undefined) held += 1;
  };
  for (const [key, { permits }] of state.books) for (const { ref, heldBy } of permits) mustHold(key, ref, heldBy);
  for (const { vault, ref, heldBy } of state.coinRows.values()) mustHold(vault, ref, heldBy);
  must(held === holders.size, 'a state is held that is in no book');
}
