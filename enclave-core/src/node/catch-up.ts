/**
 * How a node that is far behind comes to a snapshot of which its leader sent the head: it asks for the entry that vouches for
 * the digest of the state there, under a signature that the service endorses; fetches the ledger's records up to there from
 * its peers, applies them as if they came one by one, and compares. So history and tree have no gap, nothing is believed but
 * what is vouched for, and what is kept is the image that this node made itself. A node that has a new place, and the disk of
 * its earlier life, begins with what the ledger there vouches for.
 */
import { decodeRecord, type LedgerRecord } from '@drawbridge/protocol/ledger/ledger-record';
import type { SnapshotPoint, SnapshotWriter } from '../consensus/ports.ts';
import type { History } from '../history/history.ts';
import type { LedgerKeys } from '../keys/ledger-keys.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { EarlierState } from './earlier-life.ts';
import { type Ask, PeerQuestions, type PeerQuestionsDependencies, UnfitAnswerError } from './peer-questions.ts';
import { decodeReceipt } from './peer-requests.ts';
import { replayBatches } from './replay-batches.ts';
import { type MarkedState, type ReplicatedMachine, StateDivergedError } from './replicated-machine.ts';
import { verifySnapshotEvidence } from './snapshot-evidence.ts';
import { evidenceSeqnoOf, type ReplicatedState, sealImage } from './state-image.ts';

export type CatchUpDependencies = PeerQuestionsDependencies &
  Readonly<{
    machine: () => ReplicatedMachine;
    ledger: Pick<Ledger, 'drained'>;
    history: Pick<History, 'drained'>;
    keys: LedgerKeys;
    /** Of this node, proven when it started. */
    earlier?: EarlierState;
    /** Begins with a state that ledger and history reach to. */
    restore: (state: ReplicatedState) => void;
    /** What the image stands on is durable. */
    durable: (index: number, digest: Uint8Array) => Promise<void>;
    /** PEM that this node was told to trust. */
    serviceCertificate: string;
  }>;

export class CatchUp {
  readonly #uses: CatchUpDependencies;
  #target: SnapshotWriter | undefined;
  /** Of the state there, once it is written. */
  #digest: Promise<Buffer> | undefined;

  constructor(dependencies: CatchUpDependencies) {
    this.#uses = dependencies;
  }

  /** True when the mark is one of the past that is only passed by; the state at that of the target is captured and written. */
  passes(marked: MarkedState): boolean {
    const target = this.#target;
    if (!target) return false;
    if (marked.index === target.point.index) {
      this.#digest = sealImage(this.#uses.keys, marked.state, (piece) => target.add(piece));
      // Looked at when all is applied.
      this.#digest.catch(() => undefined);
    }
    return true;
  }

  /**
   * @param head of the snapshot
   * @param into where the image goes, sealed; to be kept after that
   * @throws StateDivergedError where what the records lead to is not what the ledger vouches for
   */
  async install(from: number, head: Uint8Array, into: SnapshotWriter, signal: AbortSignal): Promise<void> {
    const { log, machine, durable } = this.#uses;
    const { point } = into;
    this.#restoreEarlier(point.index);
    const begin = machine().index;
    log.info({ fromSeqno: begin + 1, toSeqno: point.index, peer: from }, 'catching up by records of the ledger');
    const questions = new PeerQuestions(this.#uses, from, signal);
    const evidenceSeqno = evidenceSeqnoOf(head);
    this.#target = into;
    this.#digest = undefined;
    try {
      const digest = await questions.untilAnswered((ask) => this.#provenDigest(ask, point.index, evidenceSeqno));
      await this.#applyUpTo(questions, point, signal);
      await this.#compare(point.index, digest);
      await durable(point.index, digest);
      log.info({ seqno: point.index, entries: point.index - begin }, 'caught up');
    } finally {
      this.#target = undefined;
      this.#digest = undefined;
    }
  }

  /** Goes on from what an earlier life of this node left, so that only what it missed is to be fetched. */
  #restoreEarlier(target: number): void {
    const { earlier, machine, restore, log } = this.#uses;
    // A snapshot that is sent names this node as a member, and so is of after its earlier life; Raft goes by the one that is sent.
    if (!earlier || earlier.index >= target || machine().index >= earlier.index) return;
    const state = earlier.take();
    if (!state) return;
    restore(state);
    log.info({ seqno: earlier.index }, 'goes on from a snapshot that an earlier life of this node left');
  }

  /** @throws UnfitAnswerError where a peer's answers prove nothing */
  async #provenDigest(ask: Ask, seqno: number, evidenceSeqno: number): Promise<Uint8Array | undefined> {
    const receiptBytes = await ask('receipt', evidenceSeqno);
    const recordBytes = receiptBytes && (await ask('ledger', evidenceSeqno));
    if (!recordBytes) return undefined;
    const [evidence] = recordsOf(recordBytes, evidenceSeqno, evidenceSeqno);
    if (!evidence) throw new RangeError('a peer sent no record');
    const { serviceCertificate } = this.#uses;
    const receipt = decodeReceipt(receiptBytes);
    const proven = verifySnapshotEvidence({ receipt, evidence, serviceCertificate, seqno });
    if (!proven.ok) throw new UnfitAnswerError(proven.reason);
    return proven.digest;
  }

  async #compare(seqno: number, vouchedFor: Uint8Array): Promise<void> {
    const digest = await this.#digest;
    if (!digest) throw new StateDivergedError(`the ledger has no snapshot mark at ${seqno}`);
    if (digest.equals(vouchedFor)) return;
    throw new StateDivergedError(
      `the records of the ledger lead to another state at ${seqno} than the one that it vouches for`,
    );
  }

  async #applyUpTo(questions: PeerQuestions, at: SnapshotPoint, signal: AbortSignal): Promise<void> {
    const machine = this.#uses.machine();
    while (machine.index < at.index) {
      const first = machine.index + 1;
      const records = await questions.untilAnswered(async (ask) => {
        const body = await ask('ledger', first);
        return body && recordsOf(body, first, at.index);
      });
      for await (const entries of replayBatches(records, at.index)) {
        signal.throwIfAborted();
        machine.applyBatch(entries, at.confState);
        await this.#uses.ledger.drained();
        await this.#uses.history.drained();
      }
    }
  }
}

/** @throws RangeError, ProtocolError unless these are the records from `first` on, whole and without a gap */
function recordsOf(body: Uint8Array, first: number, last: number): LedgerRecord[] {
  const records: LedgerRecord[] = [];
  for (let offset = 0; offset < body.length && first + records.length <= last; ) {
    const read = decodeRecord(body, offset);
    if (read === 'torn') throw new RangeError('a peer sent half a record');
    if (read.record.seqno !== first + records.length) throw new RangeError('a peer sent other records than asked for');
    records.push(read.record);
    offset = read.next;
  }
  return records;
}
