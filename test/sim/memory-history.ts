/** A node's history, in memory: it begins empty with each process, which makes it again from its ledger. */
import type { Page } from '@drawbridge/enclave-core/core-service';
import type { NodeHistory } from '@drawbridge/enclave-core/node/node-storage';
import type {
  EntryRecords,
  ParticipantEvent,
  StatementLine,
  Transfer,
  TransferState,
} from '@drawbridge/enclave-core/settlement/record';
import { TERMINAL_STATES } from '@drawbridge/enclave-core/settlement/record';
import type { AssetCode, ParticipantId, TransferId } from '@drawbridge/protocol/ids';

type Placed<T> = Readonly<{ seqno: number; item: T }>;

export class MemoryHistory implements NodeHistory {
  readonly isOutdated = false;
  readonly #onAppend: (seqno: number, records: EntryRecords) => void;
  #last = 0;
  #transfers: Placed<Transfer>[] = [];
  #lines: StatementLine[] = [];
  #events: Placed<ParticipantEvent>[] = [];

  constructor(onAppend: (seqno: number, records: EntryRecords) => void) {
    this.#onAppend = onAppend;
  }

  get lastSeqno(): number {
    return this.#last;
  }

  append(seqno: number, records: EntryRecords): void {
    this.#onAppend(seqno, records);
    if (seqno <= this.#last) return;
    this.#last = seqno;
    for (const item of records.transfers) if (TERMINAL_STATES.has(item.state)) this.#transfers.push({ seqno, item });
    this.#lines.push(...records.lines);
    for (const item of records.events) this.#events.push({ seqno, item });
  }

  /** It remembers nothing of a life before. */
  believe(): boolean {
    return false;
  }

  vouch(): void {}

  async drained(): Promise<void> {}

  async flush(): Promise<void> {}

  async close(): Promise<void> {}

  async clear(): Promise<void> {
    this.#last = 0;
    this.#transfers = [];
    this.#lines = [];
    this.#events = [];
  }

  transfer(bank: ParticipantId, id: TransferId): Transfer | undefined {
    return this.#find(bank, id)?.item;
  }

  transferSeqno(bank: ParticipantId, id: TransferId): number | undefined {
    return this.#find(bank, id)?.seqno;
  }

  #find(bank: ParticipantId, id: TransferId): Placed<Transfer> | undefined {
    return this.#transfers.find(({ item: { terms } }) => terms.debtor === bank && terms.id === id);
  }

  endedTransfers(participant: ParticipantId, state: TransferState, after: number, limit: number): Page<Transfer> {
    const ended = this.#transfers
      .map(({ item }) => item)
      .filter(({ terms, state: is }) => is === state && [terms.debtor, terms.creditor].includes(participant));
    return page(ended, after, limit);
  }

  statement(participant: ParticipantId, asset: AssetCode, after: number, limit: number): Page<StatementLine> {
    const lines = this.#lines.filter((line) => line.account === participant && line.asset === asset);
    return page(lines, after, limit);
  }

  events(participant: ParticipantId, after: number, limit: number): Page<ParticipantEvent> {
    return page(
      this.#eventsOf(participant).map(({ item }) => item),
      after,
      limit,
    );
  }

  eventSeqno(participant: ParticipantId, number: number): number | undefined {
    return this.#eventsOf(participant).find(({ item }) => item.number === number)?.seqno;
  }

  blockEvents(seqno: number): readonly ParticipantEvent[] {
    return this.#events.filter((event) => event.seqno === seqno).map(({ item }) => item);
  }

  #eventsOf(participant: ParticipantId): Placed<ParticipantEvent>[] {
    return this.#events.filter(({ item }) => item.participant === participant);
  }
}

/** `after` counts from the first of the list, as numbers of lines and events do. */
function page<T>(list: readonly T[], after: number, limit: number): Page<T> {
  const items = list.slice(after, after + limit);
  return after + limit < list.length ? { items, next: after + limit } : { items };
}
