/**
 * Puts receipts together: the entry's leaf, its path to a root that a node has signed, that node's certificate, and, for who may
 * see it, one claim. Everything is at hand: the tree in the ledger, the claims in the history.
 */
import type { ParticipantId, TransferId } from '@drawbridge/protocol/ids';
import type { ClaimsTree } from '@drawbridge/protocol/ledger/claims';
import { readEntryFrame } from '@drawbridge/protocol/ledger/entry-frame';
import { writeSetDigest } from '@drawbridge/protocol/ledger/ledger-record';
import type { PathStep } from '@drawbridge/protocol/ledger/merkle-tree';
import type { ClaimsProof, ProofStep, Receipt } from '@drawbridge/protocol/ledger/receipt';
import { decodeSignatureEntry, type SignatureEntry } from '@drawbridge/protocol/ledger/signature-entry';
import { parseTransactionId } from '@drawbridge/protocol/ledger/transaction-id';
import { bytesToHex } from '@noble/hashes/utils.js';
import { type ReceiptService, SubmitError, type TransactionId } from '../core-service.ts';
import type { History } from '../history/history.ts';
import type { LedgerKeys } from '../keys/ledger-keys.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { MembershipState } from '../membership/membership-state.ts';
import type { TransferTerms } from '../settlement/command.ts';
import type { ParticipantEvent } from '../settlement/record.ts';
import { sha256 } from '../sha256.ts';
import { entryClaimsTree } from './entry-claims.ts';

/** How far back the events of a transfer that has not ended are looked for. */
const MAX_EVENTS_BACK = 1_000;

/** Entries whose claims are kept: a batch asks for as many receipts of one entry as it has transfers, one after the other. */
const KEPT_ENTRIES = 4;
type EntryClaims = Readonly<{ events: readonly ParticipantEvent[]; tree: ClaimsTree }>;

export type ReceiptDeskDependencies = Readonly<{
  keys: LedgerKeys;
  ledger: Pick<Ledger, 'receiptParts' | 'record'>;
  history: Pick<History, 'events' | 'eventSeqno' | 'blockEvents' | 'transfer' | 'transferSeqno'>;
  membership: () => MembershipState;
  liveTerms: (bank: ParticipantId, id: TransferId) => TransferTerms | undefined;
  /** Last number in a participant's stream. */
  eventCount: (participant: ParticipantId) => number;
  isCommitted: (view: number, seqno: number) => boolean;
  /** True once a signature in the ledger covers the entry; asks for one at once, waits a bounded time. */
  signed: (seqno: number) => Promise<boolean>;
  rollbackProtected: () => boolean;
}>;

export class ReceiptDesk implements ReceiptService {
  readonly #uses: ReceiptDeskDependencies;
  readonly #recent = new Map<number, Promise<EntryClaims | undefined>>();

  constructor(dependencies: ReceiptDeskDependencies) {
    this.#uses = dependencies;
  }

  async transaction(id: TransactionId): Promise<Receipt | undefined> {
    const parsed = parseTransactionId(id);
    if (!parsed || !this.#uses.isCommitted(parsed.view, parsed.seqno)) return undefined;
    return this.#receipt(parsed.seqno);
  }

  async event(participant: ParticipantId, number: number): Promise<Receipt | undefined> {
    const seqno = this.#uses.history.eventSeqno(participant, number);
    if (seqno === undefined) return undefined;
    return this.#claiming(seqno, (event) => event.participant === participant && event.number === number);
  }

  async transfer(
    participant: ParticipantId,
    bank: ParticipantId,
    id: TransferId,
    at?: TransactionId,
  ): Promise<Receipt | undefined> {
    const seqno = at === undefined ? this.#lastSeqno(participant, bank, id) : parseTransactionId(at)?.seqno;
    if (seqno === undefined) return undefined;
    return this.#claiming(
      seqno,
      ({ body, ...event }) =>
        event.participant === participant && body.type === 'transfer' && body.bank === bank && body.id === id,
    );
  }

  /** Entry in which a participant was last told of a transfer. */
  #lastSeqno(participant: ParticipantId, bank: ParticipantId, id: TransferId): number | undefined {
    const { history, eventCount } = this.#uses;
    const ended = history.transferSeqno(bank, id);
    if (ended !== undefined) return ended;
    const last = eventCount(participant);
    const { items } = history.events(participant, Math.max(0, last - MAX_EVENTS_BACK), MAX_EVENTS_BACK);
    const found = items.findLast(({ body }) => body.type === 'transfer' && body.bank === bank && body.id === id);
    return found && history.eventSeqno(participant, found.number);
  }

  /** With the claim of the last event of the entry that `isMeant` chooses. */
  async #claiming(seqno: number, isMeant: (event: ParticipantEvent) => boolean): Promise<Receipt | undefined> {
    const claims = await this.#claims(seqno);
    const place = claims?.events.findLastIndex(isMeant) ?? -1;
    return claims && place >= 0 ? this.#receipt(seqno, claims.tree.prove(place)) : undefined;
  }

  /** Made once for all who ask for it in a row. */
  #claims(seqno: number): Promise<EntryClaims | undefined> {
    const known = this.#recent.get(seqno);
    if (known) return known;
    const made = this.#readClaims(seqno);
    this.#recent.set(seqno, made);
    const [oldest] = this.#recent.keys();
    if (this.#recent.size > KEPT_ENTRIES && oldest !== undefined) this.#recent.delete(oldest);
    const forget = (): void => {
      if (this.#recent.get(seqno) === made) this.#recent.delete(seqno);
    };
    // What is not here yet, or could not be read, is looked for again.
    made.then((claims) => claims ?? forget(), forget);
    return made;
  }

  async #readClaims(seqno: number): Promise<EntryClaims | undefined> {
    const { keys, history, ledger, liveTerms } = this.#uses;
    const events = history.blockEvents(seqno);
    const record = events.length > 0 ? await ledger.record(seqno) : undefined;
    if (!record) return undefined;
    const tree = entryClaimsTree(
      keys,
      { epoch: record.epoch, txid: `${record.view}.${seqno}` },
      events,
      (bank, id) => liveTerms(bank, id) ?? history.transfer(bank, id)?.terms,
    );
    return { events, tree };
  }

  async #receipt(seqno: number, claims?: ClaimsProof): Promise<Receipt | undefined> {
    const { keys, ledger, signed } = this.#uses;
    const own = await ledger.record(seqno);
    // A signature is its own receipt: the root that it signs, with nothing to be folded.
    if (own?.kind === 'signature') {
      const signed = decodeSignatureEntry(readEntryFrame(own.data).payload);
      return { ...this.#signedBy(signed, `${own.view}.${seqno}`), proof: [], leaf: bytesToHex(signed.root) };
    }
    if (!(await signed(seqno))) {
      throw new SubmitError('NOT_LEADER', 'no signature covers this transaction yet; ask again');
    }
    const parts = await ledger.receiptParts(seqno);
    if (!parts) return undefined;
    const { record, path, signature } = parts;
    const txid: TransactionId = `${record.view}.${seqno}`;
    return {
      ...this.#signedBy(signature, txid),
      ...(claims && { claims_proof: claims }),
      proof: path.map(step),
      leaf_components: {
        write_set_digest: bytesToHex(writeSetDigest(record, sha256)),
        commit_evidence: keys.commitEvidence(record.epoch, txid),
        claims_digest: bytesToHex(record.claimsDigest),
      },
    };
  }

  #signedBy(signature: SignatureEntry, txid: TransactionId) {
    return {
      ...this.#signer(signature),
      signature: Buffer.from(signature.signature).toString('base64'),
      transaction_id: txid,
      rollbackProtected: this.#uses.rollbackProtected(),
    };
  }

  #signer({ nodeId }: SignatureEntry): Pick<Receipt, 'cert' | 'node_id' | 'platform'> {
    for (const node of this.#uses.membership().nodes.values()) {
      if (node.nodeId === nodeId) return { cert: node.certificate, node_id: nodeId, platform: node.platform };
    }
    throw new Error('a signature in the ledger is by a node that the ledger does not know');
  }
}

const step = (at: PathStep): ProofStep =>
  'left' in at ? { left: bytesToHex(at.left) } : { right: bytesToHex(at.right) };
