/**
 * A history block: what one committed log entry left for readers, grouped into lists. A list is one participant's view of
 * one kind of record; its items are numbered from 1 without gaps over all blocks, so that a page is found by number.
 */
import type { AssetCode, ParticipantId, TransferId } from '@drawbridge/protocol/ids';
import {
  type EntryRecords,
  type ParticipantEvent,
  type StatementLine,
  TERMINAL_STATES,
  type Transfer,
  type TransferState,
} from '../settlement/record.ts';

export type HistoryBlock = Readonly<{
  seqno: number;
  /** By transfer key. */
  transfers: ReadonlyMap<string, Transfer>;
  /** Each by list label; an absent list has no item in this block. */
  ended: ReadonlyMap<string, readonly Transfer[]>;
  lines: ReadonlyMap<string, readonly StatementLine[]>;
  events: ReadonlyMap<string, readonly ParticipantEvent[]>;
}>;

/** Names a list, and says where a block holds its items. */
export type ListRef<T> = Readonly<{ label: string; itemsIn: (block: HistoryBlock) => readonly T[] | undefined }>;

const endedLabel = (participant: ParticipantId, state: string): string => `ended/${participant}/${state}`;
const linesLabel = (participant: ParticipantId, asset: string): string => `lines/${participant}/${asset}`;
const eventsLabel = (participant: ParticipantId): string => `events/${participant}`;

export const transferKey = (bank: ParticipantId, id: TransferId): string => `${bank}/${id}`;

export function endedList(participant: ParticipantId, state: TransferState): ListRef<Transfer> {
  const label = endedLabel(participant, state);
  return { label, itemsIn: (block) => block.ended.get(label) };
}
export function linesList(participant: ParticipantId, asset: AssetCode): ListRef<StatementLine> {
  const label = linesLabel(participant, asset);
  return { label, itemsIn: (block) => block.lines.get(label) };
}
export function eventsList(participant: ParticipantId): ListRef<ParticipantEvent> {
  const label = eventsLabel(participant);
  return { label, itemsIn: (block) => block.events.get(label) };
}

/** Lists by two names; keeps the label together once per list instead of once per item. */
class Lists<T> {
  readonly byLabel = new Map<string, T[]>();
  readonly #label: (participant: ParticipantId, rest: string) => string;
  readonly #byNames = new Map<ParticipantId, Map<string, T[]>>();

  constructor(label: (participant: ParticipantId, rest: string) => string) {
    this.#label = label;
  }

  add(participant: ParticipantId, rest: string, item: T): void {
    const list = this.#byNames.get(participant)?.get(rest);
    if (list) list.push(item);
    else this.#begin(participant, rest, item);
  }

  #begin(participant: ParticipantId, rest: string, item: T): void {
    const list = [item];
    const own = this.#byNames.get(participant) ?? new Map<string, T[]>();
    this.#byNames.set(participant, own.set(rest, list));
    this.byLabel.set(this.#label(participant, rest), list);
  }
}

/** What a block keeps of an entry's records: live transfers stay in the state, alarms go to the log. */
export type BlockRecords = Pick<EntryRecords, 'transfers' | 'lines' | 'events'>;

/** Only the last ended version of each transfer; `undefined` if nothing is left to keep. */
export function keptRecords(records: EntryRecords): BlockRecords | undefined {
  const transfers = records.transfers.filter((transfer) => TERMINAL_STATES.has(transfer.state));
  if (transfers.length === 0 && records.lines.length === 0 && records.events.length === 0) return undefined;
  return { transfers, lines: records.lines, events: records.events };
}

/** A list that records have items of. `first`: the number that the first item brings; 0 where items bring none. */
export type ListShare = { readonly label: string; readonly first: number; count: number };

/** Counts items by list, without a label for each. */
class Shares {
  readonly all: ListShare[] = [];
  readonly #label: (participant: ParticipantId, rest: string) => string;
  readonly #byNames = new Map<ParticipantId, Map<string, ListShare>>();

  constructor(label: (participant: ParticipantId, rest: string) => string) {
    this.#label = label;
  }

  count(participant: ParticipantId, rest: string, first = 0): void {
    const known = this.#byNames.get(participant)?.get(rest);
    if (known) known.count += 1;
    else this.#begin(participant, rest, first);
  }

  #begin(participant: ParticipantId, rest: string, first: number): void {
    const share = { label: this.#label(participant, rest), first, count: 1 };
    const own = this.#byNames.get(participant) ?? new Map<string, ListShare>();
    this.#byNames.set(participant, own.set(rest, share));
    this.all.push(share);
  }
}

/** The lists that the block of these records has items of, at a fraction of the cost of building it. */
export function sharesOf(
  records: BlockRecords,
): Readonly<{ numbered: readonly ListShare[]; ended: readonly ListShare[] }> {
  const [ended, lines, events] = [new Shares(endedLabel), new Shares(linesLabel), new Shares(eventsLabel)];
  for (const { terms, state } of records.transfers) {
    ended.count(terms.debtor, state);
    if (terms.creditor !== terms.debtor) ended.count(terms.creditor, state);
  }
  for (const { account, asset, line } of records.lines) lines.count(account, asset, line);
  for (const { participant, number } of records.events) events.count(participant, '', number);
  return { numbered: [...lines.all, ...events.all], ended: ended.all };
}

export function buildBlock(seqno: number, records: BlockRecords): HistoryBlock {
  const transfers = new Map<string, Transfer>();
  for (const transfer of records.transfers)
    transfers.set(transferKey(transfer.terms.debtor, transfer.terms.id), transfer);
  const ended = new Lists<Transfer>(endedLabel);
  for (const transfer of transfers.values()) {
    const { debtor, creditor } = transfer.terms;
    ended.add(debtor, transfer.state, transfer);
    if (creditor !== debtor) ended.add(creditor, transfer.state, transfer);
  }
  const lines = new Lists<StatementLine>(linesLabel);
  for (const line of records.lines) lines.add(line.account, line.asset, line);
  const events = new Lists<ParticipantEvent>(eventsLabel);
  for (const event of records.events) events.add(event.participant, '', event);
  return { seqno, transfers, ended: ended.byLabel, lines: lines.byLabel, events: events.byLabel };
}
