/**
 * Puts receipts together: the entry's leaf, its path to a root that a node has signed, that node's certificate, and, for who may
 * see it, one claim. Everything is at hand: the tree in the ledger, the claims in the history.
 */
import type { ParticipantId, TransferId } from '@drawbridge/protocol/ids';
import type { ClaimsTree } from '@drawbridge/protocol/ledger/claims';
import { readEntryFrame } from '@drawbridge/protocol/ledger/entry-frame';
import { type LedgerRecord, writeSetDigest } from '@drawbridge/protocol/ledger/ledger-record';
import type { PathStep } from '@drawbridge/protocol/ledger/merkle-tree';
import type { ClaimsProof, ProofStep, Receipt } from '@drawbridge/protocol/ledger/receipt';
import { decodeSignatureEntry, type SignatureEntry } from '@drawbridge/protocol/ledger/signature-entry';
import { parseTransactionId } from '@drawbridge/protocol/ledger/transaction-id';
import { bytesToHex } from '@noble/hashes/utils.js';
import { type LockName, type ReceiptService, SubmitError, type TransactionId } from '../core-service.ts';
import type { History } from '../history/history.ts';
import type { LedgerKeys } from '../keys/ledger-keys.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { MembershipState } from '../membership/membership-state.ts';
import type { NodeLog } from '../node-log.ts';
import type { TransferTerms } from '../settlement/command.ts';
import type { ParticipantEvent } from '../settlement/record.ts';
import { sha256 } from '../sha256.ts';
import { entryClaimsTree } from './entry-claims.ts';

/** Entries whose claims are kept: a batch asks for as many receipts of one entry as it has transfers, one after the other. */
const KEPT_ENTRIES = 4;
type EntryClaims = Readonly<{ events: readonly ParticipantEvent[]; tree: ClaimsTree }>;

export type ReceiptDeskDependencies = Readonly<{
  keys: LedgerKeys;
  ledger: Pick<Ledger, 'receiptParts' | 'record'>;
  history: Pick<History, 'eventSeqno' | 'blockEvents' | 'transfer' | 'transferSeqno'>;
  membership: () => MembershipState;
  liveTerms: (bank: ParticipantId, id: TransferId) => TransferTerms | undefined;
  /** Number of the event that told `participant` last of a live transfer. */
  lastEventOf: (participant: ParticipantId, bank: ParticipantId, id: TransferId) => number | undefined;
  /** Number of the event that told the bank that it concerns last of a lock in suspense. */
  lastEventOfLock: (lock: LockName) => number | undefined;
  isCommitted: (view: number, seqno: number) => boolean;
  /** True once a signature in the ledger covers the entry; asks for one at once, waits a bounded time. */
  signed: (seqno: number) => Promise<boolean>;
  /** Whether a rolled-back disk would have been noticed since the entry, on the platform of the node that signed. */
  rollbackProtected: (seqno: number, platform: string) => boolean;
  log: Pick<NodeLog, 'error'>;
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
    const { history, lastEventOf } = this.#uses;
    const number = lastEventOf(participant, bank, id);
    return number === undefined ? history.transferSeqno(bank, id) : history.eventSeqno(participant, number);
  }

  async lock(
    participant: ParticipantId,
    { network, asset, lockId }: LockName,
    at?: TransactionId,
  ): Promise<Receipt | undefined> {
    const { history, lastEventOfLock } = this.#uses;
    const number = lastEventOfLock({ network, asset, lockId });
    const last = number === undefined ? undefined : history.eventSeqno(participant, number);
    const seqno = at === undefined ? last : parseTransactionId(at)?.seqno;
    if (seqno === undefined) return undefined;
    return this.#claiming(
      seqno,
      ({ body, ...event }) =>
        event.participant === participant &&
        body.type === 'lock' &&
        body.network === network &&
        body.asset === asset &&
        body.lockId === lockId,
    );
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
    if (Buffer.from(tree.root).equals(record.claimsDigest)) return { events, tree };
    // A proof of other claims than the ledger has would only be refused by whoever checks it.
    this.#uses.log.error({ code: 'CLAIMS_DIFFER', seqno }, 'alarm: the history claims otherwise than the ledger');
    return undefined;
  }

  async #receipt(seqno: number, claims?: ClaimsProof): Promise<Receipt | undefined> {
    const { keys, ledger, signed } = this.#uses;
    const own = await ledger.record(seqno);
    // A signature is its own receipt: the root that it signs, with nothing to be folded.
    if (own?.kind === 'signature') {
      const signed = decodeSignatureEntry(readEntryFrame(own.data).payload);
      return { ...this.#signedBy(signed, own), proof: [], leaf: bytesToHex(signed.root) };
    }
    if (!(await signed(seqno))) {
      throw new SubmitError('NOT_LEADER', 'no signature covers this transaction yet; ask again');
    }
    const parts = await ledger.receiptParts(seqno);
    if (!parts) return undefined;
    const { record, path, signature } = parts;
    const txid: TransactionId = `${record.view}.${seqno}`;
    return {
      ...this.#signedBy(signature, record),
      ...(claims && { claims_proof: claims }),
      proof: path.map(proofStep),
      leaf_components: {
        write_set_digest: bytesToHex(writeSetDigest(record, sha256)),
        commit_evidence: keys.commitEvidence(record.epoch, txid),
        claims_digest: bytesToHex(record.claimsDigest),
      },
    };
  }

  #signedBy(signature: SignatureEntry, { view, seqno }: Pick<LedgerRecord, 'view' | 'seqno'>) {
    const signer = this.#signer(signature);
    return {
      ...signer,
      signature: Buffer.from(signature.signature).toString('base64'),
      transaction_id: `${view}.${seqno}` as const,
      rollbackProtected: this.#uses.rollbackProtected(seqno, signer.platform),
    };
  }

  #signer({ nodeId }: SignatureEntry): Pick<Receipt, 'cert' | 'node_id' | 'platform'> {
    for (const node of this.#uses.membership().nodes.values()) {
      if (node.nodeId === nodeId) return { cert: node.certificate, node_id: nodeId, platform: node.platform };
    }
    throw new Error('a signature in the ledger is by a node that the ledger does not know');
  }
}

export const proofStep = (at: PathStep): ProofStep =>
  'left' in at ? { left: bytesToHex(at.left) } : { right: bytesToHex(at.right) };
