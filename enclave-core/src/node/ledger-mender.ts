/**
 * What rots on this node's disk is whole on another's: where reading the ledger finds a closed chunk damaged, the chunk is
 * fetched from a peer, compared with the own tree, put in its place, and read again.
 */
import { basename } from 'node:path';
import { parseChunkName } from '@drawbridge/protocol/ledger/chunk';
import type { Ledger } from '../ledger/ledger.ts';
import { LedgerDamagedError } from '../ledger/ledger-errors.ts';
import type { NodeLog } from '../node-log.ts';
import type { PeerMethod } from '../peers/peer-types.ts';
import { encodeSeqno } from './peer-requests.ts';

const REQUEST_TIMEOUT_MS = 30_000;

type Readable = Pick<Ledger, 'record' | 'records' | 'receiptParts'>;

export type LedgerMenderDependencies = Readonly<{
  ledger: Readable & Pick<Ledger, 'repair'>;
  request: (raftId: number, method: PeerMethod, body: Uint8Array, timeoutMs: number) => Promise<Uint8Array>;
  others: () => readonly number[];
  log: NodeLog;
}>;

/** Reads as the ledger does. @throws LedgerDamagedError where no peer could help either */
export class LedgerMender implements Readable {
  readonly #uses: LedgerMenderDependencies;
  /** By first seqno: who reads the same chunk waits for the same repair. */
  readonly #mending = new Map<number, Promise<boolean>>();

  constructor(dependencies: LedgerMenderDependencies) {
    this.#uses = dependencies;
  }

  record(seqno: number): ReturnType<Ledger['record']> {
    return this.#reading(() => this.#uses.ledger.record(seqno));
  }

  records(fromSeqno: number, maxBytes: number): ReturnType<Ledger['records']> {
    return this.#reading(() => this.#uses.ledger.records(fromSeqno, maxBytes));
  }

  receiptParts(seqno: number): ReturnType<Ledger['receiptParts']> {
    return this.#reading(() => this.#uses.ledger.receiptParts(seqno));
  }

  async #reading<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof LedgerDamagedError) || !(await this.#mend(error))) throw error;
      return await read();
    }
  }

  #mend({ file, offset, reason }: LedgerDamagedError): Promise<boolean> {
    const chunk = parseChunkName(basename(file));
    // The open chunk is being written, and what it lacks comes from the log at the next start.
    if (chunk?.last === undefined) return Promise.resolve(false);
    const { first } = chunk;
    const known = this.#mending.get(first);
    if (known) return known;
    this.#uses.log.warn({ code: 'LEDGER_DAMAGED', file, offset, reason }, 'a chunk of the ledger is damaged');
    const mending = this.#fetch(first).finally(() => this.#mending.delete(first));
    this.#mending.set(first, mending);
    return mending;
  }

  async #fetch(first: number): Promise<boolean> {
    const { ledger, request, others, log } = this.#uses;
    for (const peer of others()) {
      try {
        await ledger.repair(first, (from) => request(peer, 'ledger', encodeSeqno(from), REQUEST_TIMEOUT_MS));
        log.info({ firstSeqno: first, peer }, 'the damaged chunk was replaced by what a peer has');
        return true;
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? String(error.code) : 'UNEXPECTED';
        log.warn({ code, firstSeqno: first, peer }, 'a peer could not help with the damaged chunk');
      }
    }
    return false;
  }
}
