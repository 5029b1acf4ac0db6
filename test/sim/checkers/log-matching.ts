/**
 * Raft's promises about logs and leaders (Ongaro and Ousterhout, figure 3), on what each node asked its disk to keep:
 * Election Safety, Log Matching and Leader Completeness. A node's log is followed as a chain of digests, so that equal
 * entries with different pasts differ.
 */
import { createHash } from 'node:crypto';
import type { LogBatch, StoredLog } from '@drawbridge/enclave-core/consensus/ports';
import type { Entry } from '@drawbridge/enclave-core/consensus/raft-types';
import { Violation } from './violation.ts';

/** `entries[i]` has index `base + 1 + i`. `link`: digest of the entry and all before it. */
type NodeLog = { base: number; baseLink: string; entries: { term: number; link: string }[] };

const GENESIS_LINK = 'genesis';
const name = (index: number, term: number): string => `${index}.${term}`;

export class LogMatching {
  /** By index and term. */
  readonly #links = new Map<string, string>([[name(1, 1), GENESIS_LINK]]);
  readonly #logs = new Map<number, NodeLog>();
  readonly #leaders = new Map<number, number>();
  /** What may never be lost: the newest entry that any node applied. */
  #committed: Readonly<{ index: number; link: string }> = { index: 1, link: GENESIS_LINK };

  /** What a node found on its disk when it started. */
  loaded(node: number, { snapshot, entries }: Pick<StoredLog, 'snapshot' | 'entries'>): void {
    const base = snapshot?.index ?? 0;
    const baseLink = snapshot ? this.#linkOf(node, snapshot) : GENESIS_LINK;
    this.#logs.set(node, { base, baseLink, entries: [] });
    this.#append(node, entries);
  }

  appending(node: number, { entries, installed }: LogBatch): void {
    const log = this.#logOf(node);
    if (installed && this.#linkAt(log, installed.index) !== this.#links.get(name(installed.index, installed.term))) {
      log.base = installed.index;
      log.baseLink = this.#linkOf(node, installed);
      log.entries = [];
    }
    const first = entries[0];
    if (!first) return;
    const kept = first.index - 1 - log.base;
    if (kept < 0 || kept > log.entries.length) {
      throw new Violation('log-matching', `node ${node} writes entry ${first.index} onto a log that ends elsewhere`);
    }
    log.entries.length = kept;
    this.#append(node, entries);
  }

  #append(node: number, entries: readonly Entry[]): void {
    const log = this.#logOf(node);
    let link = log.entries.at(-1)?.link ?? log.baseLink;
    for (const entry of entries) {
      link = linkAfter(link, entry);
      const key = name(entry.index, entry.term);
      const known = this.#links.get(key);
      if (known !== undefined && known !== link) {
        throw new Violation(
          'log-matching',
          `node ${node} has another past or content at entry ${key} than another log`,
        );
      }
      this.#links.set(key, link);
      log.entries.push({ term: entry.term, link });
    }
  }

  /** An entry that a node applied, which is committed by that. */
  committed({ index, term }: At): void {
    if (index <= this.#committed.index) return;
    const link = this.#links.get(name(index, term));
    if (!link) throw new Violation('leader-completeness', `entry ${name(index, term)} is applied, and in no log`);
    this.#committed = { index, link };
  }

  /** A node became leader. */
  elected(node: number, term: number): void {
    const other = this.#leaders.get(term);
    if (other !== undefined && other !== node) {
      throw new Violation('one-leader-per-term', `nodes ${other} and ${node} both lead term ${term}`);
    }
    this.#leaders.set(term, node);
    const { index, link } = this.#committed;
    const log = this.#logOf(node);
    // What a snapshot covers is compared as state.
    if (index < log.base || this.#linkAt(log, index) === link) return;
    throw new Violation('leader-completeness', `node ${node} leads term ${term} without the committed entry ${index}`);
  }

  /** Last entry of a node's log, as it was told to write it. */
  lastOf(node: number): At {
    const { base, entries } = this.#logOf(node);
    return { index: base + entries.length, term: entries.at(-1)?.term ?? 0 };
  }

  /** Terms that had a leader. */
  get elections(): number {
    return this.#leaders.size;
  }

  #linkAt({ base, baseLink, entries }: NodeLog, index: number): string | undefined {
    return index === base ? baseLink : entries[index - base - 1]?.link;
  }

  #linkOf(node: number, { index, term }: At): string {
    const link = this.#links.get(name(index, term));
    if (link) return link;
    throw new Violation(
      'log-matching',
      `node ${node} has a snapshot of entry ${name(index, term)}, which is in no log`,
    );
  }

  #logOf(node: number): NodeLog {
    const log = this.#logs.get(node) ?? { base: 0, baseLink: GENESIS_LINK, entries: [] };
    this.#logs.set(node, log);
    return log;
  }
}

type At = Readonly<{ index: number; term: number }>;

function linkAfter(before: string, { term, index, type, data }: Entry): string {
  return createHash('sha1').update(`${before}/${index}.${term}.${type}/`).update(data).digest('base64url');
}
