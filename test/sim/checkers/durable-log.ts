/**
 * What the log said is durable is there after every end of a process: term, vote, commit index and entries. Only a disk
 * that was damaged or rolled back on purpose is excused. And nobody leads a term in which its own vote is not durable:
 * after a power loss it could be voted for in that term again, and give the same index and term another content.
 */
import type { LogBatch, StoredLog } from '@drawbridge/enclave-core/consensus/ports';
import type { Entry, HardState } from '@drawbridge/enclave-core/consensus/raft-types';
import { Violation } from './violation.ts';

type Kept = { hardState: HardState; terms: Map<number, number>; last: number };

const NOTHING: HardState = { term: 0, vote: 0, commit: 0 };

export class DurableLog {
  readonly #kept = new Map<number, Kept>();

  appended(node: number, { entries, hardState, installed }: LogBatch): void {
    const kept = this.#keptOf(node);
    if (hardState) kept.hardState = hardState;
    if (installed && kept.terms.get(installed.index) !== installed.term) {
      kept.terms.clear();
      kept.last = installed.index;
    }
    const first = entries[0];
    if (first) for (let index = first.index; index <= kept.last; index++) kept.terms.delete(index);
    this.#take(kept, entries);
  }

  /** A node became leader. */
  elected(node: number, term: number): void {
    const { hardState } = this.#keptOf(node);
    if (hardState.term === term && hardState.vote === node) return;
    const what = `node ${node} leads term ${term} while its disk has a vote for ${hardState.vote} in term ${hardState.term}`;
    throw new Violation('leader-vote-durable', what);
  }

  #take(kept: Kept, entries: readonly Entry[]): void {
    for (const { index, term } of entries) {
      kept.terms.set(index, term);
      kept.last = index;
    }
  }

  /** @param excused the disk was damaged or rolled back */
  loaded(node: number, stored: Pick<StoredLog, 'snapshot' | 'hardState' | 'entries'>, excused: boolean): void {
    const kept = this.#kept.get(node);
    if (kept && !excused) this.#compare(node, kept, stored);
    const terms = new Map(stored.entries.map(({ index, term }) => [index, term]));
    const last = stored.entries.at(-1)?.index ?? stored.snapshot?.index ?? 0;
    this.#kept.set(node, { hardState: stored.hardState ?? NOTHING, terms, last });
  }

  #compare(
    node: number,
    kept: Kept,
    { snapshot, hardState, entries }: Pick<StoredLog, 'snapshot' | 'hardState' | 'entries'>,
  ): void {
    const lost = (what: string): Violation =>
      new Violation('durable-log', `node ${node} lost ${what}, which was durable`);
    const { term, vote, commit } = hardState ?? NOTHING;
    if (term < kept.hardState.term) throw lost(`term ${kept.hardState.term}`);
    if (term === kept.hardState.term && kept.hardState.vote !== 0 && vote !== kept.hardState.vote) {
      throw lost(`its vote for ${kept.hardState.vote} in term ${term}`);
    }
    if (commit < kept.hardState.commit) throw lost(`commit index ${kept.hardState.commit}`);
    const from = snapshot?.index ?? 0;
    const found = new Map(entries.map((entry) => [entry.index, entry.term]));
    for (const [index, was] of kept.terms) {
      if (index <= from) continue;
      const is = found.get(index);
      // A write that was under way may have replaced the end by entries of a newer term.
      if (is === was || (is !== undefined && is > was && index > kept.hardState.commit)) continue;
      if (is === undefined && replacedBefore(found, kept.terms, index)) continue;
      throw lost(`entry ${index} of term ${was}`);
    }
  }

  #keptOf(node: number): Kept {
    const kept = this.#kept.get(node) ?? { hardState: NOTHING, terms: new Map(), last: 0 };
    this.#kept.set(node, kept);
    return kept;
  }
}

/** True when an entry before `index` was replaced by one of a newer term, which cuts what followed. */
function replacedBefore(found: ReadonlyMap<number, number>, kept: ReadonlyMap<number, number>, index: number): boolean {
  for (let at = index - 1; kept.has(at); at--) {
    const [is, was] = [found.get(at), kept.get(at)];
    if (is !== undefined && was !== undefined && is > was) return true;
  }
  return false;
}
