/**
 * A participant's claims held against the ledger: every one leads to the claims digest of its entry, and their numbers run from 1
 * without a gap, so that none was left out before the last.
 */
import type { ParticipantId } from '@drawbridge/protocol/ids';
import type { BankExportPage, ExportItem } from '@drawbridge/protocol/ledger/bank-export';
import { parseClaim } from '@drawbridge/protocol/ledger/claim-text';
import { claimsDigestOf } from '@drawbridge/protocol/ledger/claims';
import type { LedgerRecord } from '@drawbridge/protocol/ledger/ledger-record';
import { isProtocolError } from '@drawbridge/protocol/protocol-error';
import type { Refusal } from '../refusal.ts';
import type { LedgerFacts } from './ledger-audit.ts';
import { refuseLedger } from './ledger-refusal.ts';
import { sha256 } from './sha256.ts';

export type ExportFacts = Readonly<{ participant: ParticipantId | undefined; lastNumber: number }>;

const refuse = (code: string, detail: string): Refusal => refuseLedger('export', code, detail);

export class ExportAudit {
  readonly #pages: AsyncIterator<BankExportPage>;
  #items: readonly ExportItem[] = [];
  #at = 0;
  #participant: ParticipantId | undefined;
  #lastNumber = 0;
  #lastSeqno = 0;
  /** Of a page that is about another participant. */
  #foreign: Refusal | undefined;

  private constructor(pages: AsyncIterator<BankExportPage>) {
    this.#pages = pages;
  }

  static async begin(pages: AsyncIterable<BankExportPage>): Promise<ExportAudit> {
    const audit = new ExportAudit(pages[Symbol.asyncIterator]());
    await audit.#turn();
    return audit;
  }

  facts(): ExportFacts {
    return { participant: this.#participant, lastNumber: this.#lastNumber };
  }

  /** Only where an item is about this entry there is anything to wait for. */
  see(record: LedgerRecord): Refusal | undefined | Promise<Refusal | undefined> {
    const next = this.#items[this.#at];
    return next !== undefined && next.seqno <= record.seqno ? this.#take(record) : this.#foreign;
  }

  finish({ lastSeqno, signature }: LedgerFacts): Refusal | undefined {
    if (this.#foreign) return this.#foreign;
    const next = this.#items[this.#at];
    if (next !== undefined) {
      return refuse('EXPORT_BEYOND', `it goes on at seqno ${next.seqno}, the ledger ends at ${lastSeqno}`);
    }
    if (this.#lastSeqno >= (signature?.size ?? 1)) {
      return refuse('EXPORT_UNSIGNED', `no signature covers seqno ${this.#lastSeqno} yet: copy the ledger again later`);
    }
    return undefined;
  }

  async #take(record: LedgerRecord): Promise<Refusal | undefined> {
    for (let item = this.#items[this.#at]; item && item.seqno <= record.seqno; item = this.#items[this.#at]) {
      const refusal = this.#judge(item, record);
      if (refusal) return refusal;
      this.#at += 1;
      if (this.#at === this.#items.length) await this.#turn();
    }
    return this.#foreign;
  }

  #judge({ seqno, claims_proof }: ExportItem, record: LedgerRecord): Refusal | undefined {
    const number = this.#lastNumber + 1;
    if (seqno !== record.seqno) {
      return refuse('EXPORT_ORDER', `item ${number} is at seqno ${seqno}, behind one at ${this.#lastSeqno}`);
    }
    let event: ReturnType<typeof parseClaim>['event'];
    try {
      event = parseClaim(claims_proof.claim).event;
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      return refuse('EXPORT_CLAIM', `item ${number}: ${error.message}`);
    }
    if (event.participant !== this.#participant) {
      return refuse('EXPORT_PARTICIPANT', `item ${number} is an event of another participant`);
    }
    if (event.number !== number) {
      return refuse('EXPORT_GAP', `event ${number} must come here, the claim is of event ${event.number}`);
    }
    if (Buffer.compare(claimsDigestOf(claims_proof, sha256), record.claimsDigest) !== 0) {
      return refuse('EXPORT_MISMATCH', `event ${number} does not lead to the claims digest of entry ${seqno}`);
    }
    this.#lastNumber = number;
    this.#lastSeqno = seqno;
    return undefined;
  }

  /** On to the next page that has items. */
  async #turn(): Promise<void> {
    do {
      const { done, value } = await this.#pages.next();
      this.#at = 0;
      this.#items = done ? [] : value.items;
      if (done) return;
      this.#participant ??= value.participant;
      if (value.participant !== this.#participant) {
        this.#foreign = refuse('EXPORT_PARTICIPANT', 'its pages are about different participants');
        this.#items = [];
        return;
      }
    } while (this.#items.length === 0);
  }
}
