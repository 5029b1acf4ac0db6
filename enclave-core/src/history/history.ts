/**
 * History: ended transfers, statements and events of all time, so that the state need not remember them. Derived from the
 * ledger: whatever is missing or lost is made again by replaying it, so a write here never delays an answer. What was
 * answered and is not yet stored stands in a tail in memory, which readers see as one with the store.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AssetCode, ParticipantId, TransferId } from '@drawbridge/protocol/ids';
import type { HistoryReader, Page } from '../core-service.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { EntryRecords, ParticipantEvent, StatementLine, Transfer, TransferState } from '../settlement/record.ts';
import { WeightedLru } from '../weighted-lru.ts';
import {
  type BlockRecords,
  buildBlock,
  endedList,
  eventsList,
  type HistoryBlock,
  keptRecords,
  type ListRef,
  linesList,
  sharesOf,
  transferKey,
} from './block.ts';
import { decodeBlock, encodeBlock } from './block-codec.ts';
import { HistoryDamagedError } from './history-damaged-error.ts';
import {
  HISTORY_FORMAT,
  type HistoryMeta,
  isVouched,
  openMeta,
  sealMeta,
  type Vouched,
  withVouched,
} from './history-meta.ts';
import { IndexKeys } from './index-keys.ts';
import { listPage, type Stretch } from './list-page.ts';
import { LmdbStore, type StoredBlock } from './lmdb-store.ts';
import { Tail, TailBlock } from './tail.ts';
import { TransferIndex } from './transfer-index.ts';

export type HistoryOptions = Readonly<{
  dir: string;
  /** Memory for decoded blocks. Default 64 MiB. */
  cacheBytes?: number;
  /** How long a block may wait to be stored with others. Default 250 ms. */
  flushMs?: number;
  /** Tail above which writers should wait for `drained`. Default 24 MiB, about 12,000 payments. */
  maxTailBytes?: number;
  /** Ended transfers, or blocks, whose places gather in memory before they are stored. Default 16,384. */
  gatheredPlaces?: number;
}>;

export type HistoryDependencies = Readonly<{
  keys: KeyRing;
  /** A write failed: the disk is full or broken. The history takes no more. */
  onFailure: (error: unknown) => void;
}>;

/** Transfers of one transaction. */
const TRANSFERS_PER_WRITE = 4_096;
/** Transfers that are made ready to be stored before other work gets its turn. */
const TRANSFERS_PER_TURN = 200;
const placeOf = (seqno: number): Uint8Array => Buffer.from(`block/${seqno}`);
/** About what a record takes in memory, decoded. */
const RECORD_BYTES = 400;
const bytesOf = (records: BlockRecords): number =>
  RECORD_BYTES * (1 + records.transfers.length + records.lines.length + records.events.length);

export class History implements HistoryReader {
  readonly #store: LmdbStore;
  readonly #keys: KeyRing;
  readonly #index: IndexKeys;
  readonly #options: HistoryOptions;
  #places: TransferIndex;
  #indexed: number;
  #isOutdated: boolean;
  #vouched: readonly Vouched[];
  #vouchedStored = true;
  /** What is stored of later entries is compared with what comes of them again. */
  #believed = Number.POSITIVE_INFINITY;
  /** Decoded blocks, weighed by the bytes that they take about. */
  readonly #cache: WeightedLru<number, HistoryBlock>;
  readonly #tail = new Tail();
  readonly #onFailure: (error: unknown) => void;
  readonly #flushMs: number;
  readonly #maxTailBytes: number;
  /** Next number of each list of ended transfers, as far as it was asked. */
  readonly #endedNext = new Map<string, number>();
  /** Newest entry that was appended, and newest whose block the store holds. */
  #appended: number;
  #stored: number;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #failure: unknown;
  /** Who waits for the tail to get shorter. */
  #waiting: (() => void)[] = [];

  constructor(options: HistoryOptions, dependencies: HistoryDependencies) {
    this.#keys = dependencies.keys;
    this.#onFailure = dependencies.onFailure;
    this.#index = new IndexKeys(dependencies.keys.fixedKey('history-index'));
    this.#cache = new WeightedLru(options.cacheBytes ?? 64 * 2 ** 20);
    this.#flushMs = options.flushMs ?? 250;
    this.#maxTailBytes = options.maxTailBytes ?? 24 * 2 ** 20;
    this.#store = new LmdbStore(options.dir);
    const meta = this.#openMeta();
    this.#isOutdated = meta.format !== HISTORY_FORMAT;
    const { seqno, indexed, stores, vouched = [] } = meta;
    this.#vouched = vouched;
    this.#stored = seqno;
    this.#appended = seqno;
    this.#indexed = indexed;
    this.#options = options;
    this.#places = this.#placesAfter(stores);
    if (!this.#isOutdated) this.#gatherAgain();
  }

  /** Written in another format: it holds nothing that can be read, and must be cleared before use. */
  get isOutdated(): boolean {
    return this.#isOutdated;
  }

  /** Newest log entry that the history covers; 0 if none. */
  get lastSeqno(): number {
    return this.#appended;
  }

  /** Takes what entry `seqno` left. An entry that is covered already is passed over, so a replay may begin early. */
  append(seqno: number, records: EntryRecords): void {
    if (seqno <= this.#appended) {
      if (seqno > this.#believed) this.#demandSame(seqno, keptRecords(records));
      return;
    }
    this.#appended = seqno;
    const kept = keptRecords(records);
    if (!kept) return;
    this.#tail.push(new TailBlock(seqno, kept, this.#number(kept), bytesOf(kept)));
    this.#timer ??= setTimeout(() => void this.#write(), this.#flushMs);
  }

  #demandSame(seqno: number, kept: BlockRecords | undefined): void {
    // What is in the tail came in this life.
    if (seqno > this.#stored) return;
    const sealed = this.#store.block(seqno);
    const stored = sealed && Buffer.from(this.#keys.open('history', sealed, placeOf(seqno)));
    const same = kept ? stored?.equals(encodeBlock(kept)) === true : stored === undefined;
    if (!same) throw new HistoryDamagedError(`the history has something else of entry ${seqno} than the ledger`);
  }

  /** All up to an entry is of the state with this digest: known at the next start, once it was flushed. */
  vouch(seqno: number, digest: Uint8Array): void {
    this.#vouched = withVouched(this.#vouched, seqno, digest);
    this.#vouchedStored = false;
  }

  /**
   * Whether it goes to that entry of the ledger with that state there, as it said itself when it was there. What it has of later
   * entries is compared as they come again.
   */
  believe(seqno: number, digest: Uint8Array): boolean {
    if (this.#stored < seqno || !isVouched(this.#vouched, seqno, digest)) return false;
    this.#believed = seqno;
    return true;
  }

  /** Resolves at once while the tail is small; else when it is. */
  async drained(): Promise<void> {
    while (this.#tail.bytes > this.#maxTailBytes && this.#failure === undefined) {
      const shorter = new Promise<void>((resolve) => this.#waiting.push(resolve));
      // A write that was ending may have taken none of it.
      await Promise.race([shorter, this.#write()]);
    }
  }

  /** Resolves when all that was appended is on the disk. Throws what made writing fail. */
  async flush(): Promise<void> {
    await this.#write();
    // A running write took what was there when it began; one more takes the rest, even if that is the position alone.
    if (this.#stored < this.#appended || !this.#vouchedStored) await this.#write();
    if (this.#failure !== undefined) throw this.#failure;
    await this.#store.sync();
  }

  /** Forgets all: the ledger that follows is another than the one that was covered. */
  async clear(): Promise<void> {
    await this.flush();
    await this.#store.clear();
    this.#cache.clear();
    this.#endedNext.clear();
    this.#stored = 0;
    this.#appended = 0;
    this.#indexed = 0;
    this.#vouched = [];
    this.#believed = Number.POSITIVE_INFINITY;
    this.#isOutdated = false;
    this.#places = this.#placesAfter(0);
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#writing;
    await this.#store.close();
  }

  transfer(bank: ParticipantId, id: TransferId): Transfer | undefined {
    const key = transferKey(bank, id);
    const recent = this.#tail.transfer(key);
    if (recent) return recent;
    const seqno = this.#storedTransferSeqno(bank, id);
    return seqno === undefined ? undefined : this.#block(seqno).transfers.get(key);
  }

  endedTransfers(participant: ParticipantId, state: TransferState, after: number, limit: number): Page<Transfer> {
    return this.#page(endedList(participant, state), after, limit);
  }

  statement(participant: ParticipantId, asset: AssetCode, after: number, limit: number): Page<StatementLine> {
    return this.#page(linesList(participant, asset), after, limit);
  }

  events(participant: ParticipantId, after: number, limit: number): Page<ParticipantEvent> {
    return this.#page(eventsList(participant), after, limit);
  }

  /** Entry in which a transfer ended. */
  transferSeqno(bank: ParticipantId, id: TransferId): number | undefined {
    return this.#tail.transferSeqno(transferKey(bank, id)) ?? this.#storedTransferSeqno(bank, id);
  }

  #storedTransferSeqno(bank: ParticipantId, id: TransferId): number | undefined {
    const [hash] = this.#index.transfers([{ debtor: bank, id }]);
    return hash && this.#places.find(hash);
  }

  #placesAfter(stores: number): TransferIndex {
    const { gatheredPlaces } = this.#options;
    return new TransferIndex(this.#store.runs, stores, { ...(gatheredPlaces && { gathered: gatheredPlaces }) });
  }

  /** What had gathered when it was closed, which was not more than fits. */
  #gatherAgain(): void {
    for (const { seqno, sealed } of this.#store.blocksAfter(this.#indexed)) {
      const { transfers } = decodeBlock(this.#keys.open('history', sealed, placeOf(seqno)));
      this.#places.add(this.#keysOf(transfers), seqno);
    }
  }

  #keysOf(transfers: readonly Transfer[]): Buffer[] {
    return this.#index.transfers(transfers.map(({ terms }) => terms));
  }

  /** Entry that left the event of this number in a participant's stream. */
  eventSeqno(participant: ParticipantId, number: number): number | undefined {
    const list = eventsList(participant);
    for (const { seqno, block } of this.#tail.list(list.label)) {
      if (list.itemsIn(block)?.some((event) => event.number === number)) return seqno;
    }
    for (const { seqno } of this.#store.listFrom(this.#index.list(list.label), number)) {
      if (seqno > this.#stored) return undefined;
      const events = list.itemsIn(this.#block(seqno)) ?? [];
      return events.some((event) => event.number === number) ? seqno : undefined;
    }
    return undefined;
  }

  /** All events that an entry left, in their order. */
  blockEvents(seqno: number): readonly ParticipantEvent[] {
    const recent = this.#tail.blocks.find((block) => block.seqno === seqno);
    if (recent) return recent.records.events;
    const sealed = seqno <= this.#stored ? this.#store.block(seqno) : undefined;
    return sealed ? decodeBlock(this.#keys.open('history', sealed, placeOf(seqno))).events : [];
  }

  #page<T>(list: ListRef<T>, after: number, limit: number): Page<T> {
    return listPage(list, this.#stretches(list, after + 1), { after, limit });
  }

  *#stretches({ label }: ListRef<unknown>, from: number): Generator<Stretch> {
    const tail = this.#tail.list(label);
    const firstInTail = tail[0]?.firsts.get(label) ?? Number.POSITIVE_INFINITY;
    if (firstInTail > from) {
      for (const { first, seqno } of this.#store.listFrom(this.#index.list(label), from)) {
        if (seqno > this.#stored) break;
        yield { first, block: this.#block(seqno) };
      }
    }
    for (const { block, firsts } of tail) yield { first: firsts.get(label) ?? 0, block };
  }

  #block(seqno: number): HistoryBlock {
    const cached = this.#cache.get(seqno);
    if (cached) return cached;
    const sealed = this.#store.block(seqno);
    if (!sealed) throw new HistoryDamagedError(`the history lacks its block ${seqno}`);
    const records = decodeBlock(this.#keys.open('history', sealed, placeOf(seqno)));
    const block = buildBlock(seqno, records);
    this.#cache.put(seqno, block, bytesOf(records));
    return block;
  }

  /** Number of the first item of each list. Lines and events bring theirs; ended transfers are counted here. */
  #number(records: BlockRecords): Map<string, number> {
    const { numbered, ended } = sharesOf(records);
    const firsts = new Map<string, number>();
    for (const { label, first } of numbered) firsts.set(label, first);
    for (const { label, count } of ended) {
      const first = this.#endedNext.get(label) ?? this.#storedCount(label) + 1;
      firsts.set(label, first);
      this.#endedNext.set(label, first + count);
    }
    return firsts;
  }

  #storedCount(label: string): number {
    const last = this.#store.lastOfList(this.#index.list(label));
    return last ? last.first - 1 + (this.#block(last.seqno).ended.get(label)?.length ?? 0) : 0;
  }

  #write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    try {
      const upTo = this.#appended;
      while ((this.#tail.blocks[0]?.seqno ?? Number.POSITIVE_INFINITY) <= upTo) await this.#writeSome(upTo);
      if (this.#stored < upTo || !this.#vouchedStored) await this.#commit([], upTo);
    } catch (error) {
      this.#failure ??= error;
      this.#wakeWaiting();
      this.#onFailure(error);
    }
  }

  #wakeWaiting(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Stores the oldest blocks of the tail, as many as one transaction should take, then drops them from it. */
  async #writeSome(upTo: number): Promise<void> {
    const blocks: StoredBlock[] = [];
    const written: TailBlock[] = [];
    let transfers = 0;
    let turn = 1;
    for (const item of this.#tail.blocks) {
      const { seqno, records } = item;
      const count = records.transfers.length;
      if (seqno > upTo || (transfers > 0 && transfers + count > TRANSFERS_PER_WRITE)) break;
      transfers += 1 + count;
      blocks.push(this.#seal(item));
      this.#places.add(this.#keysOf(records.transfers), seqno);
      written.push(item);
      if (transfers > turn * TRANSFERS_PER_TURN) {
        turn += 1;
        await nextTurn();
      }
    }
    await this.#commit(blocks, blocks.at(-1)?.seqno ?? this.#stored);
    this.#tail.drop(written.length);
    this.#wakeWaiting();
    for (const item of written) if (item.isBuilt) this.#cache.put(item.seqno, item.block, item.bytes);
  }

  async #commit(blocks: readonly StoredBlock[], seqno: number): Promise<void> {
    const runs = this.#places.isFull ? this.#places.changes() : undefined;
    const stores = this.#places.stores + (runs ? 1 : 0);
    const indexed = runs ? seqno : this.#indexed;
    const vouched = this.#vouched;
    const meta = sealMeta(this.#keys, { format: HISTORY_FORMAT, seqno, indexed, stores, vouched });
    await this.#store.write({ blocks, ...(runs && { runs }), meta });
    if (runs) this.#places.stored();
    this.#vouchedStored ||= vouched === this.#vouched;
    this.#indexed = indexed;
    this.#stored = seqno;
  }

  #seal({ seqno, records, firsts }: TailBlock): StoredBlock {
    return {
      seqno,
      sealed: this.#keys.seal('history', encodeBlock(records), placeOf(seqno)),
      lists: Array.from(firsts, ([label, first]) => ({ hash: this.#index.list(label), first })),
    };
  }

  /** @throws SealBrokenError; then the store is closed again */
  #openMeta(): HistoryMeta {
    try {
      return openMeta(this.#keys, this.#store.meta());
    } catch (error) {
      void this.#store.close();
      throw error;
    }
  }
}
