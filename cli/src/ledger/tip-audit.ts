/**
 * A receipt that the ledger must contain: its entry and the signed root that it was made from. An older copy of a ledger, cut at
 * its end, lacks them; another history has others. The receipt of a signature proves its root alone, so it says nothing of what
 * should stand at the number in the file.
 */
import type { LedgerRecord } from '@drawbridge/protocol/ledger/ledger-record';
import { receiptLeaf } from '@drawbridge/protocol/ledger/receipt';
import { formatTransactionId } from '@drawbridge/protocol/ledger/transaction-id';
import { sameBytes } from '../bytes.ts';
import type { Refusal } from '../refusal.ts';
import type { Audited, LedgerFacts } from './ledger-audit.ts';
import { refuseLedger } from './ledger-refusal.ts';
import { type ReceiptProof, transactionOf } from './receipt-verdict.ts';
import { sha256 } from './sha256.ts';

export class TipAudit {
  readonly #proof: ReceiptProof;
  readonly #leaf: Uint8Array;
  #entryFound = false;
  #rootFound: string | undefined;

  constructor(proof: ReceiptProof) {
    this.#proof = proof;
    this.#leaf = receiptLeaf(proof.receipt, sha256);
  }

  /** Of the entry that was found; of a signature where it stands in the ledger. */
  get transactionId(): string {
    const { receipt } = this.#proof;
    return 'leaf' in receipt ? (this.#rootFound ?? receipt.transaction_id) : receipt.transaction_id;
  }

  see(record: LedgerRecord, { leaf, signature }: Audited): Refusal | undefined {
    if (signature && sameBytes(signature.root, this.#proof.root)) this.#rootFound ??= formatTransactionId(record);
    const { receipt } = this.#proof;
    const { view, seqno } = transactionOf(receipt);
    if ('leaf' in receipt || record.seqno !== seqno) return undefined;
    this.#entryFound = true;
    if (sameBytes(leaf, this.#leaf) && record.view === view) return undefined;
    const here = formatTransactionId(record);
    const detail = `the ledger has ${here} where the receipt proves ${receipt.transaction_id} with other content`;
    return refuseLedger('tip', 'TIP_DIFFERS', `${detail}: nodes of one service signed two histories`);
  }

  finish({ lastSeqno }: LedgerFacts): Refusal | undefined {
    const { receipt } = this.#proof;
    const { transaction_id } = receipt;
    if ('leaf' in receipt) {
      if (this.#rootFound !== undefined) return undefined;
      const detail = `the ledger, which ends at seqno ${lastSeqno}, does not hold the signature that the receipt is of`;
      return refuseLedger('tip', 'TIP_ROOT_MISSING', `${detail}: it was cut before it, or is another history`);
    }
    if (!this.#entryFound) {
      return refuseLedger(
        'tip',
        'TIP_MISSING',
        `the ledger ends at seqno ${lastSeqno}, the receipt proves ${transaction_id}`,
      );
    }
    if (this.#rootFound !== undefined) return undefined;
    const detail = `the ledger holds ${transaction_id}, but not the signature that the receipt was made from`;
    return refuseLedger('tip', 'TIP_ROOT_MISSING', `${detail}: it was cut behind it, or is another history`);
  }
}
