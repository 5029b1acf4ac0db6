/**
 * What holds after every command, whatever was asked (DESIGN §4). `assertTouched` looks at the accounts that the command
 * moved; `assertAll` derives every balance again from the whole state, for snapshots and tests.
 * 1. Per asset, all balances sum to zero. 2. No bank, transit or suspense account is negative, and no bank has more
 * reserved than posted. 3. An escrow vault account never exceeds zero, an issue vault account is never below zero, and no
 * escrow vault owes more than it holds. 4. Every id is spent once: `Overlay.spend` asserts it on each use.
 * 5. The book of a Corda vault says what its account says (`book-invariants.ts`).
 */
import { isConsensus } from '@drawbridge/governance/registration';
import type { AssetCode, ParticipantId, VaultKey } from '@drawbridge/protocol/ids';
import { vaultKey } from '@drawbridge/protocol/ids';
import { assertBooks, mustBeBacked } from './book-invariants.ts';
import { refundId, voidId } from './ids.ts';
import { InvariantError } from './invariant-error.ts';
import type { Overlay } from './overlay.ts';
import { TERMINAL_STATES } from './record.ts';
import { instructionMark, lockMark, transferMark } from './spent-ids.ts';
import type { SettlementState, VaultRow } from './state.ts';
import type { OpenInstruction, UnmatchedLock } from './view.ts';

const must = (holds: boolean, what: string): void => {
  if (!holds) throw new InvariantError(what);
};

/** Ends a command: asserts the invariants on what it touched, and forgets what that was. O(accounts touched). */
export function assertTouched(overlay: Overlay): void {
  const { touched } = overlay;
  if (touched.banks.length === 0 && touched.inner.length === 0) return;
  const sums = new AssetSums();
  for (const { key, asset, beforeMinor } of touched.banks) {
    const account = overlay.accounts.get(key);
    if (account === undefined) throw new InvariantError('an account that was posted to is gone');
    sums.add(asset, account.postedMinor - beforeMinor);
    mustBeBankBalance(account);
  }
  for (const { key, account, beforeMinor } of touched.inner) {
    const { vault, row } = overlay.vault(key);
    sums.add(vault.asset, row[`${account}Minor`] - beforeMinor);
    mustBeVaultBalance(vault.mode, row);
    const book = overlay.books.get(key);
    if (book !== undefined) mustBeBacked(vault.mode, row, book.coinsMinor);
  }
  sums.mustBeZero('a command created or destroyed value');
  touched.clear();
}

/** Sums per asset. Most commands touch one, which is kept without a map. */
class AssetSums {
  #only: AssetCode | undefined;
  #sumMinor = 0n;
  #others: Map<AssetCode, bigint> | undefined;

  add(asset: AssetCode, deltaMinor: bigint): void {
    this.#only ??= asset;
    if (asset === this.#only) {
      this.#sumMinor += deltaMinor;
      return;
    }
    this.#others ??= new Map();
    this.#others.set(asset, (this.#others.get(asset) ?? 0n) + deltaMinor);
  }

  mustBeZero(what: string): void {
    must(this.#sumMinor === 0n, what);
    for (const sum of this.#others?.values() ?? []) must(sum === 0n, what);
  }
}

function mustBeBankBalance({ postedMinor, pendingMinor }: { postedMinor: bigint; pendingMinor: bigint }): void {
  must(pendingMinor >= 0n, 'a reservation is negative');
  must(postedMinor >= pendingMinor, 'a bank account is overdrawn');
}

function mustBeVaultBalance(mode: 'escrow' | 'issue', row: VaultRow): void {
  must(row.transitMinor >= 0n, 'a transit account is negative');
  must(row.suspenseMinor >= 0n, 'a suspense account is negative');
  if (mode === 'issue') must(row.vaultMinor >= 0n, 'an issue vault account is below zero');
  else must(row.vaultMinor + row.transitMinor + row.suspenseMinor <= 0n, 'an escrow vault owes more than it holds');
}

/** Derives all of it again. O(state). @throws InvariantError naming the first thing that does not hold. */
export function assertAll(state: SettlementState): void {
  assertSums(state);
  assertTransfers(state);
  assertLocks(state);
  assertChains(state);
  assertInstructions(state);
  assertReferences(state);
  assertBooks(state);
}

function assertSums(state: SettlementState): void {
  const sums = new AssetSums();
  for (const account of state.accounts.values()) {
    mustBeBankBalance(account);
    sums.add(account.asset, account.postedMinor);
  }
  must(state.vaults.size === state.header.registry.vaults.size, 'vaults and their rows differ');
  for (const [key, vault] of state.header.registry.vaults) {
    const row = state.vaults.get(key);
    if (row === undefined) throw new InvariantError('a vault has no row');
    mustBeVaultBalance(vault.mode, row);
    sums.add(vault.asset, row.vaultMinor + row.transitMinor + row.suspenseMinor);
  }
  sums.mustBeZero('balances of an asset do not sum to zero');
}

function mustBeTold(state: SettlementState, participant: ParticipantId, number = 0): void {
  must(number > 0 && number <= state.eventCount(participant), 'an event is named that was not told');
}

function assertTransfers(state: SettlementState): void {
  const pending = new Map<string, bigint>();
  const live = new Map<string, number>();
  for (const [key, { transfer, order, lastEvents }] of state.transfers) {
    const { terms } = transfer;
    mustBeTold(state, terms.debtor, lastEvents.debtor);
    mustBeTold(state, terms.creditor, lastEvents.creditor);
    must(!TERMINAL_STATES.has(transfer.state) && transfer.state !== 'PROPOSED', 'a transfer that has ended is live');
    must(order < state.header.nextOrder, 'a transfer has an order that was not given');
    must(state.spent.has(transferMark(terms.debtor, terms.id)), 'the id of a live transfer is not spent');
    must(key === `${terms.debtor}/${terms.id}`, 'a transfer is under another key');
    live.set(terms.debtor, (live.get(terms.debtor) ?? 0) + 1);
    if (transfer.state !== 'FUNDED') continue;
    const account = `${terms.debtor}/${terms.asset}`;
    pending.set(account, (pending.get(account) ?? 0n) + terms.amountMinor);
  }
  for (const [key, account] of state.accounts) {
    must(account.pendingMinor === (pending.get(key) ?? 0n), 'a reservation is not that of the funded transfers');
    pending.delete(key);
  }
  must(pending.size === 0, 'a funded transfer has no account');
  for (const [id, row] of state.parties) {
    must(row.live === (live.get(id) ?? 0), 'a count of live transfers is wrong');
    live.delete(id);
  }
  must(live.size === 0, 'a bank with live transfers has no row');
}

function assertLocks(state: SettlementState): void {
  const suspense = new Map<VaultKey, { minor: bigint; kept: number }>();
  for (const lock of state.unmatched.values()) {
    const key = vaultKey(lock.network, lock.asset);
    must(state.spent.has(lockMark(key, lock.lockId)), 'the id of an unmatched lock is not spent');
    must(lock.state !== 'REFUNDED' && lock.state !== 'CLAIMED', 'a lock that has ended is kept');
    must((lock.transfer === undefined) === (lock.lastEvent === undefined), 'whom a lock concerns was not told of it');
    if (lock.transfer) mustBeTold(state, lock.transfer.bank, lock.lastEvent);
    assertRefund(state, lock);
    const sum = suspense.get(key) ?? { minor: 0n, kept: 0 };
    const minor = sum.minor + (lock.state === 'UNMATCHED' ? lock.amountMinor : 0n);
    suspense.set(key, { minor, kept: sum.kept + 1 });
  }
  for (const [key, row] of state.vaults) {
    const { minor, kept } = suspense.get(key) ?? { minor: 0n, kept: 0 };
    must(row.suspenseMinor === minor + row.overflowMinor, 'suspense is not that of the unmatched locks');
    must(row.overflowMinor >= 0n && row.unmatchedKept === kept, 'a count of unmatched locks is wrong');
  }
}

/** Every network that is believed by consensus has a chain, and no other has. */
function assertChains(state: SettlementState): void {
  for (const { id, finality } of state.networks()) {
    must(state.chains.has(id) === isConsensus(finality), 'a network has a tracked chain that does not fit its rule');
  }
  for (const id of state.chains.keys()) must(state.network(id) !== undefined, 'a chain is tracked of no network');
}

/** A lock has its refund open while it goes back, and a void against it as long as one was asked for. */
function assertRefund(
  state: SettlementState,
  { network, asset, lockId, state: stands, refundsVoided }: UnmatchedLock,
): void {
  const { idKey } = state.secrets;
  const refund = refundId(idKey, vaultKey(network, asset), lockId, refundsVoided);
  must(state.instructions.has(refund) === (stands !== 'UNMATCHED'), 'the refund of a lock does not fit its state');
  const isVoiding = state.instructions.has(voidId(idKey, refund));
  must(isVoiding === (stands === 'VOIDING'), 'the void of a refund does not fit its lock');
}

function assertInstructions(state: SettlementState): void {
  const transit = new Map<VaultKey, bigint>();
  for (const [id, instruction] of state.instructions) {
    must(id === instruction.id && state.spent.has(instructionMark(id)), 'the id of an open instruction is not spent');
    const { network, transfer, kind, subject } = instruction;
    must(
      instruction.outboxSeq <= (state.outboxEnds.get(network) ?? 0),
      'an instruction has a place that was not given',
    );
    const key = vaultKey(network, instruction.asset);
    transit.set(key, (transit.get(key) ?? 0n) + instruction.amountMinor);
    if (kind === 'void') must(state.instructions.has(subject), 'a void runs against nothing');
    const live = transfer && state.liveTransfer(transfer.bank, transfer.id);
    if (transfer) must(live?.instructions.includes(id) === true, 'an open instruction belongs to no live transfer');
    else must(isOfLock(state, instruction), 'an open instruction belongs to neither transfer nor lock');
  }
  for (const [key, row] of state.vaults) {
    must(row.transitMinor === (transit.get(key) ?? 0n), 'transit is not that of the open instructions');
  }
}

/** Whether it is the refund of an unmatched lock, or the void of one; `assertRefund` looks from the lock's side. */
function isOfLock(state: SettlementState, { kind, network, asset, subject }: OpenInstruction): boolean {
  if (kind === 'refund') return state.unmatchedLock(network, asset, subject) !== undefined;
  const target = kind === 'void' ? state.instructions.get(subject) : undefined;
  return target !== undefined && target.transfer === undefined;
}

function assertReferences(state: SettlementState): void {
  let past = 0;
  for (const [reference, { bank, id, past: ended }] of state.references) {
    if (ended) past += 1;
    else must(state.liveTransfer(bank, id)?.reference === reference, 'a reference names no live transfer');
  }
  for (const { transfer } of state.transfers.values()) {
    const { reference } = transfer;
    must(
      reference === undefined || state.references.has(reference),
      'a live transfer cannot be found by its reference',
    );
  }
  must(past === state.pastReferences.size, 'past references are not counted');
}
