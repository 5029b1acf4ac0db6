/**
 * The one history of the ledger, as the first node to apply each entry showed it. Every other node must apply the same
 * entry with the same effects and come to the same state; nothing that was answered may leave it; no id is used twice.
 * Serves as history for clients too: a double of what a node keeps of the past.
 */
import { createHash } from 'node:crypto';
import { assertAll } from '@drawbridge/enclave-core/settlement/invariants';
import type { StatementLine, TransferState } from '@drawbridge/enclave-core/settlement/record';
import { encodeSnapshot } from '@drawbridge/enclave-core/settlement/snapshot';
import type { SettlementState } from '@drawbridge/enclave-core/settlement/state';
import type { AppliedHere } from '../sim-process.ts';
import { Violation } from './violation.ts';

type Committed = Readonly<{ term: number; content: string; effects: string }>;

/** The whole state is compared where the index is a multiple of this and a batch ends there; a part of it everywhere. */
const WHOLE_STATE_EVERY = 16;

const digest = (text: string | Uint8Array): string => createHash('sha1').update(text).digest('base64url');
const transferName = (bank: string, id: string): string => `${bank}/${id}`;

export class CommittedLog {
  readonly #entries = new Map<number, Committed>();
  readonly #states = new Map<number, string>();
  readonly #wholeStates = new Map<number, string>();
  /** Balances of the accounts that an entry moved, by index, and all of them as of the newest. */
  readonly #balances = new Map<string, bigint>();
  readonly #balanceAt: ReadonlyMap<string, bigint>[] = [];
  readonly #transfers = new Map<string, { state: TransferState; index: number }[]>();
  readonly #spentAt = new Map<string, number>();
  readonly #lines = new Set<string>();
  readonly #roots = new Map<number, string>();
  #newest = 1;

  /** Index of the newest entry that any node applied. */
  get newest(): number {
    return this.#newest;
  }

  /** What a node applied, in order. */
  applied(node: number, entries: readonly AppliedHere[]): void {
    for (const entry of entries) this.#entry(node, entry);
  }

  #entry(node: number, entry: AppliedHere): void {
    const { index, term } = entry;
    const content = digest(entry.content);
    const effects = digest(entry.effects);
    const known = this.#entries.get(index);
    if (!known) {
      if (index !== this.#newest + 1) {
        const what = `node ${node} applied entry ${index}, the newest known is ${this.#newest}`;
        throw new Violation('same-entry-applied', what);
      }
      this.#entries.set(index, { term, content, effects });
      this.#newest = index;
      this.#learn(entry);
      return;
    }
    if (known.term !== term || known.content !== content) {
      const what = `node ${node} applied another entry ${index} (term ${term}) than before (term ${known.term})`;
      throw new Violation('same-entry-applied', what);
    }
    if (known.effects !== effects) {
      throw new Violation('equal-state', `entry ${index} had other effects on node ${node} than on another`);
    }
  }

  #learn({ index, taken, records }: AppliedHere): void {
    for (const name of taken) {
      const before = this.#spentAt.get(name);
      if (before !== undefined) {
        throw new Violation('id-spent-once', `transfer ${name} was taken by entries ${before} and ${index}`);
      }
      this.#spentAt.set(name, index);
    }
    for (const { terms, state } of records?.transfers ?? []) {
      const name = transferName(terms.debtor, terms.id);
      const versions = this.#transfers.get(name) ?? [];
      versions.push({ state, index });
      this.#transfers.set(name, versions);
    }
    for (const line of records?.lines ?? []) this.#line(index, line);
    this.#balanceAt[index] = new Map(this.#balances);
  }

  #line(index: number, { account, balanceMinor, deltaMinor, kind, transfer }: StatementLine): void {
    const before = this.#balances.get(account);
    if (before !== undefined && before + deltaMinor !== balanceMinor) {
      throw new Violation(
        'settlement-invariants',
        `entry ${index}: a statement line does not continue the one before it`,
      );
    }
    this.#balances.set(account, balanceMinor);
    if (!transfer || kind === 'return' || kind === 'refund') return;
    const name = `${account}/${kind}/${transfer.bank}/${transfer.id}`;
    if (this.#lines.has(name)) throw new Violation('id-spent-once', `entry ${index} posts ${name} a second time`);
    this.#lines.add(name);
  }

  /** The state of a node as of an index: after a batch, or as a snapshot brought it. */
  state(node: number, index: number, state: SettlementState): void {
    try {
      assertAll(state);
    } catch (cause) {
      throw new Violation('settlement-invariants', `node ${node} at ${index}: ${String(cause)}`, { cause });
    }
    this.#compare(this.#states, node, index, partOf(state));
    if (index % WHOLE_STATE_EVERY === 0) this.wholeState(node, index, state);
  }

  wholeState(node: number, index: number, state: SettlementState): void {
    this.#compare(this.#wholeStates, node, index, digest(encodeSnapshot(state)));
  }

  /** Root of the ledger's tree after an entry. */
  root(node: number, index: number, root: Uint8Array): void {
    const found = digest(root);
    const known = this.#roots.get(index);
    if (known === undefined) this.#roots.set(index, found);
    else if (known !== found) throw new Violation('equal-state', `node ${node} has another ledger of ${index} entries`);
  }

  #compare(known: Map<number, string>, node: number, index: number, found: string): void {
    const before = known.get(index);
    if (before === undefined) known.set(index, found);
    else if (before !== found)
      throw new Violation('equal-state', `node ${node} has another state at ${index} than another node`);
  }

  /** The balances that the first state has. */
  begin(state: SettlementState): void {
    for (const { participant, postedMinor } of state.accounts.values()) this.#balances.set(participant, postedMinor);
    this.#balanceAt[1] = new Map(this.#balances);
    this.state(0, 1, state);
  }

  /** What a read at `index` must see. */
  balance(account: string, index: number): bigint | undefined {
    return this.#balanceAt[index]?.get(account);
  }

  /** What became of a transfer as of an index, and the entry that first took it. */
  transfer(bank: string, id: string, index: number): { state: TransferState; takenAt: number } | undefined {
    const versions = this.#transfers.get(transferName(bank, id)) ?? [];
    const newest = versions.findLast((version) => version.index <= index);
    const first = versions[0];
    return newest && first && { state: newest.state, takenAt: first.index };
  }

  /** Term of a committed entry. */
  termOf(index: number): number | undefined {
    return this.#entries.get(index)?.term;
  }
}

/** What changes with nearly every entry. */
function partOf(state: SettlementState): string {
  const parts: string[] = [`${state.stampMs} ${state.header.nextOrder} ${state.spent.size} ${state.transfers.size}`];
  for (const { participant, asset, postedMinor, pendingMinor, lines } of state.accounts.values()) {
    parts.push(`${participant}/${asset} ${postedMinor} ${pendingMinor} ${lines}`);
  }
  for (const [key, row] of state.vaults) {
    parts.push(`${key} ${row.vaultMinor} ${row.transitMinor} ${row.suspenseMinor} ${row.nextEventSeq}`);
  }
  return digest(parts.sort().join('\n'));
}
