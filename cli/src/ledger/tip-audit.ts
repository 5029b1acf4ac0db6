/**
 * A receipt that the ledger must contain: its entry and the signed root that it was made from. An older copy of a ledger, cut at
 * its end, lacks them; another history has others.
 */
import type { LedgerRecord } from '@drawbridge/protocol/ledger/ledger-record';
import { receiptLeaf } from '@drawbridge/protocol/ledger/receipt';
import { formatTransactionId } from '@drawbridge/protocol/ledger/transaction-id';
import type { Refusal } from '../refusal.ts';
import type { Audited, LedgerFacts } from './ledger-audit.ts';
import { refuseLedger } from './ledger-refusal.ts';
import { type ReceiptProof, transactionOf } from './receipt-verdict.ts';
import { sha256 } from './sha256.ts';

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

export class TipAudit {
  readonly #proof: ReceiptProof;
  readonly #leaf: Uint8Array;
  #entryFound = false;
  #rootFound = false;

  constructor(proof: ReceiptProof) {
    this.#proof = proof;
    this.#leaf = receiptLeaf(proof.receipt, sha256);
  }

  get transactionId(): string {
    return this.#proof.receipt.transaction_id;
  }

  see(record: LedgerRecord, { leaf, signature }: Audited): Refusal | undefined {
    if (signature && same(signature.root, this.#proof.root)) this.#rootFound = true;
    const { view, seqno } = transactionOf(this.#proof.receipt);
    if (record.seqno !== seqno) return undefined;
    this.#entryFound = true;
    const fits =
      'leaf' in this.#proof.receipt
        ? signature !== undefined && same(signature.root, this.#leaf)
        : same(leaf, this.#leaf);
    if (fits && record.view === view) return undefined;
    const here = formatTransactionId(record);
    const detail = `the ledger has ${here} where the receipt proves ${this.#proof.receipt.transaction_id} with other content`;
    return refuseLedger('tip', 'TIP_DIFFERS', `${detail}: nodes of one service signed two histories`);
  }

  finish({ lastSeqno }: LedgerFacts): Refusal | undefined {
    const { transaction_id } = this.#proof.receipt;
    if (!this.#entryFound) {
      return refuseLedger(
        'tip',
        'TIP_MISSING',
        `the ledger ends at seqno ${lastSeqno}, the receipt proves ${transaction_id}`,
      );
    }
    if (this.#rootFound) return undefined;
    const detail = `the ledger holds ${transaction_id}, but not the signature that the receipt was made from`;
    return refuseLedger('tip', 'TIP_ROOT_MISSING', `${detail}: it was cut behind it, or is another history`);
  }
}
