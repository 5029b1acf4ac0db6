/**
 * Lists a ledger's readable entries once a signature covers them. What no signature covers comes last, and is said to be so: whoever
 * has the files could have written it.
 */
import type { LedgerRecord } from '@drawbridge/protocol/ledger/ledger-record';
import { CliError } from '../cli-error.ts';
import type { Audited } from './ledger-audit.ts';
import { type ListedEntry, listedEntry } from './listing.ts';

/** UTF-16 units of words that may await a signature; a service signs at least every 1,000 entries. */
const MAX_WAITING = 64 * 2 ** 20;

type Waiting = Readonly<{ seqno: number; entry: ListedEntry }>;

/** `signed`: a signature that holds covers it. */
export type JudgedEntry = ListedEntry & Readonly<{ signed: boolean }>;

export class SignedListing {
  readonly #list: (entry: JudgedEntry) => void;
  #waiting: Waiting[] = [];
  #length = 0;

  constructor(list: (entry: JudgedEntry) => void) {
    this.#list = list;
  }

  /** @throws CliError where too much awaits a signature */
  see(record: LedgerRecord, audited: Audited): undefined {
    if (audited.signature) this.#release(audited.signature.size);
    const entry = listedEntry(record, audited);
    if (!entry) return;
    this.#length += lengthOf(entry);
    if (this.#length > MAX_WAITING) {
      throw new CliError(
        'FILE',
        `over ${MAX_WAITING} characters await a signature before seqno ${record.seqno}: no list`,
      );
    }
    this.#waiting.push({ seqno: record.seqno, entry });
  }

  /** The ledger has ended. */
  finish(): void {
    for (const { entry } of this.#waiting) this.#list({ ...entry, signed: false });
    this.#waiting = [];
  }

  /** A signature of `size` leaves covers the entries below. */
  #release(size: number): void {
    for (const { seqno, entry } of this.#waiting) if (seqno < size) this.#list({ ...entry, signed: true });
    this.#waiting = this.#waiting.filter(({ seqno }) => seqno >= size);
    this.#length = this.#waiting.reduce((sum, { entry }) => sum + lengthOf(entry), 0);
  }
}

const lengthOf = ({ what }: ListedEntry): number => what.reduce((sum, line) => sum + line.length, 0);
