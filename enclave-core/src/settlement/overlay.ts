/**
 * The state as a draft sees it: changed rows over committed ones. Commands read and write here; `merge` brings the
 * changes into the committed state at once. Command code checks everything before its first write, so that a refusal
 * has nothing to undo.
 */
import type { TrackedChain } from '@drawbridge/evidence/tracked-chain';
import type { Network, Participant, Vault } from '@drawbridge/governance/registration';
import type { Registry } from '@drawbridge/governance/registry';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { AssetCode, InstructionId, NetworkId, ParticipantId, VaultKey } from '@drawbridge/protocol/ids';
import type { StateRef } from '@drawbridge/protocol/state-ref';
import type { BookRow, CoinRow } from './book.ts';
import { InvariantError } from './invariant-error.ts';
import { Journal } from './journal.ts';
import type { AccountKey, CoinKey, LockKey, PastKey, TransferKey } from './keys.ts';
import { type LedgerFacts, NO_FACTS } from './ledger-facts.ts';
import { OrderedIndex } from './ordered-index.ts';
import type { ParticipantEvent } from './record.ts';
import { Rows } from './rows.ts';
import type { SpentMark } from './spent-ids.ts';
import {
  deadlineOf,
  type LiveTransfer,
  NO_PARTY_ROW,
  type PartyRow,
  type ReferenceRow,
  type SettlementState,
  type VaultRow,
  waitsFor,
} from './state.ts';
import { Touched } from './touched.ts';
import type { Account, OpenInstruction, UnmatchedLock } from './view.ts';

export class Overlay {
  readonly base: SettlementState;
  readonly accounts: Rows<AccountKey, Account>;
  readonly vaults: Rows<VaultKey, VaultRow>;
  readonly references: Rows<Bytes32, ReferenceRow>;
  readonly pastReferences: Rows<PastKey, Bytes32>;
  readonly unmatched: Rows<LockKey, UnmatchedLock>;
  readonly instructions: Rows<InstructionId, OpenInstruction>;
  readonly parties: Rows<ParticipantId, PartyRow>;
  readonly outboxEnds: Rows<NetworkId, number>;
  readonly chains: Rows<NetworkId, TrackedChain>;
  readonly books: Rows<VaultKey, BookRow>;
  readonly coins: Rows<CoinKey, CoinRow>;
  readonly lockRecords: Rows<LockKey, StateRef>;
  readonly touched: Touched = new Touched();
  journal: Journal = new Journal();
  stampMs: number;
  nextOrder: number;
  registry: Registry;
  /** As they are at the entry that is being applied. */
  facts: LedgerFacts = NO_FACTS;

  readonly #transfers: Rows<TransferKey, LiveTransfer>;
  readonly #deadlines: OrderedIndex<TransferKey> = new OrderedIndex();
  readonly #waiting: Map<VaultKey, OrderedIndex<TransferKey>> = new Map();
  /** How many more wait for a vault than in the committed state; fewer where negative. */
  readonly #waitingMore: Map<VaultKey, number> = new Map();
  readonly #spent: Map<string, SpentMark> = new Map();

  constructor(base: SettlementState) {
    this.base = base;
    this.accounts = new Rows(base.accounts);
    this.vaults = new Rows(base.vaults);
    this.references = new Rows(base.references);
    this.pastReferences = new Rows(base.pastReferences);
    this.unmatched = new Rows(base.unmatched);
    this.instructions = new Rows(base.instructions);
    this.parties = new Rows(base.parties);
    this.outboxEnds = new Rows(base.outboxEnds);
    this.chains = new Rows(base.chains);
    this.books = new Rows(base.books);
    this.coins = new Rows(base.coinRows);
    this.lockRecords = new Rows(base.recordRows);
    this.#transfers = new Rows(base.transfers);
    this.stampMs = base.header.stampMs;
    this.nextOrder = base.header.nextOrder;
    this.registry = base.header.registry;
  }

  participant(id: ParticipantId): Participant | undefined {
    return this.registry.participants.get(id);
  }
  network(id: NetworkId): Network | undefined {
    return this.registry.networks.get(id);
  }
  hasAsset(code: AssetCode): boolean {
    return this.registry.assets.has(code);
  }

  /** A registered vault; every one has a row. */
  vault(key: VaultKey): { vault: Vault; row: VaultRow } {
    const vault = this.registry.vaults.get(key);
    const row = this.vaults.get(key);
    if (vault === undefined || row === undefined) throw new InvariantError('a vault in use is not registered');
    return { vault, row };
  }
  changeVault(key: VaultKey, change: Partial<VaultRow>): void {
    this.vaults.set(key, { ...this.vault(key).row, ...change });
  }
  /** The most that may be at stake at a vault; `undefined` = no lane, for a cap of nothing too. */
  capMinor(key: VaultKey): bigint | undefined {
    return this.registry.exposureCaps.get(key)?.amountMinor || undefined;
  }

  party(id: ParticipantId): PartyRow {
    return this.parties.get(id) ?? NO_PARTY_ROW;
  }
  /** @returns number of the event in the participant's stream */
  emit(participant: ParticipantId, body: ParticipantEvent['body']): number {
    const row = this.party(participant);
    const number = row.events + 1;
    const { live, pastFrom, pastTo } = row;
    this.parties.set(participant, { events: number, live, pastFrom, pastTo });
    this.journal.events.push({ participant, number, stampMs: this.stampMs, body });
    return number;
  }

  isSpent(mark: SpentMark): boolean {
    return this.#spent.has(mark.text) || this.base.spent.has(mark);
  }
  /**
   * Whoever spends has asked `isSpent` before; here and in `merge` it is asserted, where it costs no look-up more.
   * @throws InvariantError for an id that this draft has spent.
   */
  spend(mark: SpentMark): void {
    const before = this.#spent.size;
    this.#spent.set(mark.text, mark);
    if (this.#spent.size === before) throw new InvariantError('an id is spent twice');
  }

  transfer(key: TransferKey): LiveTransfer | undefined {
    return this.#transfers.get(key);
  }
  transfers(): Iterable<LiveTransfer> {
    return this.#transfers.values();
  }

  setTransfer(key: TransferKey, next: LiveTransfer | undefined): void {
    const previous = this.#transfers.get(key);
    if (previous) {
      const vault = waitsFor(previous.transfer);
      if (vault !== undefined) this.#countWaiting(vault, -1);
      if (this.#transfers.hasChanged(key)) {
        const deadline = deadlineOf(previous.transfer);
        if (deadline !== undefined) this.#deadlines.remove(deadline, previous.order);
        if (vault !== undefined) this.#waiting.get(vault)?.remove(previous.order, 0);
      }
    }
    if (next === undefined) {
      this.#transfers.delete(key);
      return;
    }
    this.#transfers.set(key, next);
    const deadline = deadlineOf(next.transfer);
    if (deadline !== undefined) this.#deadlines.insert(deadline, next.order, key);
    const vault = waitsFor(next.transfer);
    if (vault === undefined) return;
    this.#countWaiting(vault, 1);
    this.#waitingHere(vault).insert(next.order, 0, key);
  }

  #countWaiting(vault: VaultKey, more: number): void {
    this.#waitingMore.set(vault, (this.#waitingMore.get(vault) ?? 0) + more);
  }

  #waitingHere(vault: VaultKey): OrderedIndex<TransferKey> {
    const found = this.#waiting.get(vault) ?? new OrderedIndex<TransferKey>();
    this.#waiting.set(vault, found);
    return found;
  }

  /** At most `limit` transfers with a deadline before `stampMs`, by deadline, then by age. */
  dueTransfers(limit: number): TransferKey[] {
    const due: { major: number; minor: number; value: TransferKey }[] = [];
    for (const rows of [this.base.deadlines, this.#deadlines]) {
      let taken = 0;
      for (const row of rows.from(0, 0)) {
        if (row.major >= this.stampMs || taken === limit) break;
        if (rows === this.base.deadlines && this.#transfers.hasChanged(row.value)) continue;
        due.push(row);
        taken++;
      }
    }
    due.sort((a, b) => a.major - b.major || a.minor - b.minor);
    return due.slice(0, limit).map((row) => row.value);
  }

  /** The oldest transfer waiting for `vault` that is younger than `afterOrder`. */
  nextWaiting(vault: VaultKey, afterOrder: number): LiveTransfer | undefined {
    const committed = this.base.waiting.get(vault);
    let first: LiveTransfer | undefined;
    for (const { value } of committed?.from(afterOrder + 1, 0) ?? []) {
      if (this.#transfers.hasChanged(value)) continue;
      first = this.#transfers.get(value);
      break;
    }
    for (const { value } of this.#waiting.get(vault)?.from(afterOrder + 1, 0) ?? []) {
      const live = this.#transfers.get(value);
      if (live && (first === undefined || live.order < first.order)) first = live;
      break;
    }
    return first;
  }

  /** How many transfers wait for `vault`. */
  waitingCount(vault: VaultKey): number {
    return (this.base.waiting.get(vault)?.size ?? 0) + (this.#waitingMore.get(vault) ?? 0);
  }

  /** Brings all changes into the committed state. */
  merge(): void {
    const { base } = this;
    if (this.registry !== base.header.registry) base.putRegistry(this.registry);
    base.header.stampMs = this.stampMs;
    base.header.nextOrder = this.nextOrder;
    for (const mark of this.#spent.values()) {
      if (!base.spent.add(mark)) throw new InvariantError('an id is spent twice');
    }
    for (const [key, account] of this.accounts.changes()) if (account) base.putAccount(key, account);
    for (const [key, live] of this.#transfers.changes()) base.putTransfer(key, live);
    for (const [id, instruction] of this.instructions.changes()) base.putInstruction(id, instruction);
    mergeRows(this.vaults, base.vaults);
    mergeRows(this.references, base.references);
    mergeRows(this.pastReferences, base.pastReferences);
    mergeRows(this.unmatched, base.unmatched);
    mergeRows(this.parties, base.parties);
    mergeRows(this.outboxEnds, base.outboxEnds);
    mergeRows(this.chains, base.chains);
    mergeRows(this.books, base.books);
    mergeRows(this.coins, base.coinRows);
    mergeRows(this.lockRecords, base.recordRows);
  }
}

function mergeRows<K, V>(rows: Rows<K, V>, into: Map<K, V>): void {
  for (const [key, value] of rows.changes()) {
    if (value === undefined) into.delete(key);
    else into.set(key, value);
  }
}
