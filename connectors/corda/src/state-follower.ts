/**
 * Brings evidence of a vault's transactions to the core's queue. An event of an agent is offered as it comes, and acknowledged when
 * the queue has it. Every `compareMs` the core's book is compared with the node's records, and what differs is asked of the agent
 * and offered. So nothing that is lost, here, at the broker or at the agent, stays lost; and what comes twice has one id.
 * What the core cannot take yet (its inputs are still to come) the hub offers again.
 */

import { setMaxListeners } from 'node:events';
import type { ConnectorMetrics } from '@drawbridge/connector-sdk/connector-metrics';
import { transactionJobId } from '@drawbridge/connector-sdk/evidence-job-id';
import type { BodyOpener } from '@drawbridge/connector-sdk/sealed-body';
import type { BookSource, StatesBook } from '@drawbridge/connector-sdk/states-book';
import { TurnLoop } from '@drawbridge/connector-sdk/turn-loop';
import type { EvidenceOutbox } from '@drawbridge/connector-sdk/vault-event-source';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { AssetCode, NetworkId, VaultAddress } from '@drawbridge/protocol/ids';
import type { Logger } from 'pino';
import { type AgentEvent, decodeEvent } from './agent-bodies.ts';
import type { AgentQueries } from './agent-queries.ts';
import type { BrokerLink, Delivery } from './broker-link.ts';
import type { FollowerMetrics } from './follower-metrics.ts';
import { openedBy } from './opened-body.ts';
import { bookedStates, owedEvidence, transactionOf } from './owed-evidence.ts';
import { pauseUnlessAborted } from './pause.ts';

const FIRST_PAUSE_MS = 500;
/** Longest pause after failures. */
const MAX_PAUSE_MS = 60_000;

export type StateFollowerOptions = Readonly<{
  network: NetworkId;
  vaults: readonly Readonly<{ asset: AssetCode; address: VaultAddress }>[];
  idKey: Uint8Array;
  /** Pause between two comparisons. */
  compareMs: number;
  /** Pages of a vault's states that are read at most. */
  maxPages: number;
  /** Spent states asked about in one comparison, and items of evidence fetched in one. */
  maxOwed: number;
  /** Burns remembered that the core has taken; of those forgotten evidence is offered once more. */
  maxBurns: number;
  /** Before an event that could not be queued is given back to the broker. */
  requeueMs: number;
}>;
/** What was offered, and needs no evidence anew. */
export type OfferedEvidence = Readonly<{
  isUnderway: (jobId: string) => Promise<boolean>;
  /** The core took it, or had it. */
  isCompleted: (jobId: string) => Promise<boolean>;
}>;
export type StateFollowerDependencies = Readonly<{
  link: Pick<BrokerLink, 'consume'>;
  opener: BodyOpener;
  queries: Pick<AgentQueries, 'vault' | 'states' | 'status' | 'spender' | 'proof'>;
  books: BookSource;
  outbox: EvidenceOutbox & OfferedEvidence;
  metrics: Pick<ConnectorMetrics, 'offers'> & Pick<FollowerMetrics, 'compared' | 'unprovable'>;
  log: Logger;
}>;

export class StateFollower {
  readonly #options: StateFollowerOptions;
  readonly #deps: StateFollowerDependencies;
  readonly #loop: TurnLoop;
  /** By job: one transaction may come twice at once. */
  readonly #offering = new Map<string, Promise<void>>();
  /** By asset: transactions that made states of the book as it was last read. */
  readonly #booked = new Map<AssetCode, ReadonlySet<Bytes32>>();
  #sealed: Promise<void>;
  #unseal: () => void = () => undefined;
  readonly #stopping = new AbortController();
  /** Burns that the core has taken, the oldest first. */
  readonly #burnsTaken = new Set<Bytes32>();

  /** Registers for events: to be made before the link starts. */
  constructor(options: StateFollowerOptions, dependencies: StateFollowerDependencies) {
    this.#options = options;
    this.#deps = dependencies;
    const { compareMs } = options;
    // Of events that wait to be given back, which the broker's prefetch bounds.
    setMaxListeners(0, this.#stopping.signal);
    this.#sealed = new Promise((resolve) => {
      this.#unseal = resolve;
    });
    this.#loop = new TurnLoop({
      turn: () => this.turn(),
      pauseMs: (failures) =>
        failures === 0 ? compareMs : Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures, 16), MAX_PAUSE_MS),
      failed: 'comparison failed; will try again',
      log: dependencies.log,
    });
    dependencies.link.consume('events', (delivery) => this.#take(delivery));
  }

  start(): void {
    this.#loop.start();
  }

  /** What is not acknowledged comes again, here or at another connector. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop.stop();
  }

  /** Comparisons that failed one after another: 0 is healthy. */
  get failures(): number {
    return this.#loop.failures;
  }

  /** One comparison of every vault. Throws what agent, core or queue throw. */
  async turn(): Promise<void> {
    const { books, outbox } = this.#deps;
    outbox.sealTo(await books.sealingKey());
    const failures: unknown[] = [];
    // One vault that cannot be compared must not hide what the others are owed.
    const each = async <T>(step: Promise<T>): Promise<T | undefined> =>
      step.catch((error: unknown) => {
        failures.push(error);
        return undefined;
      });
    const { vaults } = this.#options;
    const found = await Promise.all(vaults.map(({ asset, address }) => each(this.#readBook(asset, address))));
    this.#unseal();
    for (const [at, { asset, address }] of vaults.entries()) {
      const book = found[at];
      if (book !== undefined) await each(this.#compare(asset, address, book));
    }
    if (failures.length > 0) throw failures[0];
  }

  async #readBook(asset: AssetCode, vault: VaultAddress): Promise<StatesBook> {
    const book = await this.#deps.books.book(this.#options.network, asset);
    if (book.vault !== vault) throw new VaultMismatchError('the core has another vault of this asset');
    this.#booked.set(asset, new Set(book.proven ? bookedStates(book).map(transactionOf) : []));
    return book;
  }

  async #compare(asset: AssetCode, vault: VaultAddress, book: StatesBook): Promise<void> {
    const { queries, metrics, log } = this.#deps;
    const { maxPages, maxOwed } = this.#options;
    const owed = await owedEvidence(vault, book, queries, { maxPages, maxSpenders: maxOwed });
    const { unexplained, compared } = owed;
    const transactions = [...owed.transactions, ...(await this.#burnsOwed(owed.burns))];
    metrics.compared(asset, { owed: transactions.length, unexplained, compared });
    if (unexplained > 0) log.warn({ asset, states: unexplained }, 'the node cannot explain states of the book');
    let fetched = 0;
    for (const transaction of transactions) {
      if (this.#stopping.signal.aborted || fetched === maxOwed) return;
      if (await this.#fetch(transaction, vault)) fetched += 1;
    }
  }

  async #burnsOwed(burns: readonly Bytes32[]): Promise<Bytes32[]> {
    const owed: Bytes32[] = [];
    for (const burn of burns) {
      if (this.#burnsTaken.has(burn)) continue;
      if (await this.#deps.outbox.isCompleted(this.#jobId(burn))) this.#burnsTaken.add(burn);
      else owed.push(burn);
      const [oldest] = this.#burnsTaken;
      if (this.#burnsTaken.size > this.#options.maxBurns && oldest !== undefined) this.#burnsTaken.delete(oldest);
    }
    return owed;
  }

  /** False where the queue has it already. */
  async #fetch(transaction: Bytes32, vault: VaultAddress): Promise<boolean> {
    const { outbox, queries, metrics, log } = this.#deps;
    const jobId = this.#jobId(transaction);
    if (await outbox.isUnderway(jobId)) return false;
    const proof = await queries.proof(transaction);
    if (proof.type === 'refused') {
      metrics.unprovable(proof.code);
      log.warn({ code: proof.code }, 'no evidence of a transaction that the core is owed');
    } else if (proof.vault === vault) {
      await outbox.reoffer([{ jobId, bytes: proof.evidence }]);
      metrics.offers('reoffered', 1);
    } else {
      metrics.unprovable('OTHER_VAULT');
    }
    return true;
  }

  #take(delivery: Delivery): void {
    const { messageId, body, acknowledge, reject } = delivery;
    const event = openedBy(this.#deps.opener, 'agent-event', this.#options.network, messageId, body, decodeEvent);
    if (typeof event === 'string') {
      reject(event);
    } else if (!this.#options.vaults.some(({ address }) => address === event.vault)) {
      reject('VAULT_NOT_SERVED');
    } else if (event.evidence.length === 0) {
      // The comparison finds what the core is owed, and asks the agent for the reason.
      this.#deps.metrics.unprovable('NO_EVIDENCE');
      acknowledge();
    } else {
      this.#sealed
        .then(() => this.#offer(event))
        .then(acknowledge, (error: unknown) => this.#notOffered(error, delivery));
    }
  }

  /** Not what the core shows that it has. */
  async #offer({ transaction, evidence }: AgentEvent): Promise<void> {
    const jobId = this.#jobId(transaction);
    const known = this.#offering.get(jobId);
    if (known) return known;
    if ([...this.#booked.values()].some((booked) => booked.has(transaction))) return;
    const offered = this.#deps.outbox
      .offer([{ jobId, bytes: evidence }])
      .then(() => this.#deps.metrics.offers('offered', 1))
      .finally(() => this.#offering.delete(jobId));
    this.#offering.set(jobId, offered);
    return offered;
  }

  /** The event comes again, here or elsewhere; the comparison finds it too. */
  async #notOffered(error: unknown, delivery: Delivery): Promise<void> {
    this.#deps.metrics.offers('failed', 1);
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN';
    this.#deps.log.warn({ code }, 'evidence was not queued');
    if (await pauseUnlessAborted(this.#options.requeueMs, this.#stopping.signal)) delivery.requeue();
  }

  #jobId(transaction: Bytes32): string {
    return transactionJobId(this.#options.idKey, this.#options.network, transaction);
  }
}

/** Configuration and core disagree about where a vault is. */
export class VaultMismatchError extends Error {
  override readonly name = 'VaultMismatchError';
  readonly code = 'VAULT_MISMATCH' as const;
}
