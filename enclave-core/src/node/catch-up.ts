/**
 * How a node that is far behind comes to a snapshot that its leader sent: it fetches the ledger's records up to there from its
 * peers, applies them as if they came one by one, and compares. So history and tree have no gap, and nothing is believed but
 * what a signed entry vouches for: the digest of the state, in the ledger, under a signature that the service endorses.
 */
import { decodeRecord, type LedgerRecord } from '@drawbridge/protocol/ledger/ledger-record';
import type { Receipt } from '@drawbridge/protocol/ledger/receipt';
import type { SnapshotPoint } from '../consensus/ports.ts';
import type { History } from '../history/history.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { NodeLog } from '../node-log.ts';
import type { PeerMethod } from '../peers/peer-types.ts';
import type { StateImage } from './image-pieces.ts';
import { decodeReceipt, encodeSeqno } from './peer-requests.ts';
import { replayBatches } from './replay-batches.ts';
import { type MarkedState, type ReplicatedMachine, StateDivergedError } from './replicated-machine.ts';
import { verifySnapshotEvidence } from './snapshot-evidence.ts';
import { evidenceSeqnoOf, imageOf } from './state-image.ts';
import type { Timers } from './timers.ts';

const REQUEST_TIMEOUT_MS = 30_000;
const RETRY_MS = 500;

export type CatchUpDependencies = Readonly<{
  machine: () => ReplicatedMachine;
  ledger: Pick<Ledger, 'drained' | 'flush'>;
  history: Pick<History, 'drained' | 'flush'>;
  request: (raftId: number, method: PeerMethod, body: Uint8Array, timeoutMs: number) => Promise<Uint8Array>;
  /** Raft ids of the others, any of which may have the records. */
  others: () => readonly number[];
  /** PEM that this node was told to trust. */
  serviceCertificate: string;
  log: NodeLog;
  timers: Timers;
}>;

export class CatchUp {
  readonly #uses: CatchUpDependencies;
  #target = 0;
  #image: Promise<StateImage> | undefined;

  constructor(dependencies: CatchUpDependencies) {
    this.#uses = dependencies;
  }

  /** True when the mark is one of the past that is only passed by; that of the target is captured to be compared. */
  passes(marked: MarkedState): boolean {
    if (this.#target === 0) return false;
    if (marked.index === this.#target) {
      this.#image = imageOf(marked.state);
      // Looked at when all is applied.
      this.#image.catch(() => undefined);
    }
    return true;
  }

  /** @throws StateDivergedError where what the records lead to is not what the ledger vouches for */
  async install(from: number, at: SnapshotPoint, content: Uint8Array, signal: AbortSignal): Promise<void> {
    const { log, ledger, history, machine } = this.#uses;
    const begin = machine().index;
    log.info({ fromSeqno: begin + 1, toSeqno: at.index, peer: from }, 'catching up by records of the ledger');
    this.#target = at.index;
    this.#image = undefined;
    try {
      await this.#applyUpTo(from, at, signal);
      await this.#compare(from, at, evidenceSeqnoOf(content), signal);
      await history.flush();
      await ledger.flush();
    } finally {
      this.#target = 0;
    }
    log.info({ seqno: at.index, entries: at.index - begin }, 'caught up');
  }

  async #applyUpTo(from: number, at: SnapshotPoint, signal: AbortSignal): Promise<void> {
    const machine = this.#uses.machine();
    while (machine.index < at.index) {
      const body = await this.#ask(from, 'ledger', encodeSeqno(machine.index + 1), signal);
      const records = recordsOf(body, machine.index + 1, at.index);
      for await (const entries of replayBatches(records, at.index)) {
        signal.throwIfAborted();
        machine.applyBatch(entries, at.confState);
        await this.#uses.ledger.drained();
        await this.#uses.history.drained();
      }
    }
  }

  async #compare(from: number, at: SnapshotPoint, evidenceSeqno: number, signal: AbortSignal): Promise<void> {
    const image = await this.#image;
    if (!image) throw new StateDivergedError(`the ledger has no snapshot mark at ${at.index}`);
    const receipt: Receipt = decodeReceipt(await this.#ask(from, 'receipt', encodeSeqno(evidenceSeqno), signal));
    const records = await this.#ask(from, 'ledger', encodeSeqno(evidenceSeqno), signal);
    const [evidence] = recordsOf(records, evidenceSeqno, evidenceSeqno);
    const { serviceCertificate } = this.#uses;
    const refused = verifySnapshotEvidence({
      receipt,
      evidence,
      serviceCertificate,
      seqno: at.index,
      digest: image.digest,
    });
    if (refused !== undefined)
      throw new StateDivergedError(`the snapshot at ${at.index} is not vouched for: ${refused}`);
  }

  /** Asks the sender of the snapshot first, then the others, again and again until the replica stops. */
  async #ask(from: number, method: PeerMethod, body: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    for (;;) {
      for (const peer of [from, ...this.#uses.others().filter((id) => id !== from)]) {
        signal.throwIfAborted();
        const answer = await this.#uses.request(peer, method, body, REQUEST_TIMEOUT_MS).catch(() => undefined);
        if (answer && answer.length > 0) return answer;
      }
      await new Promise<void>((resolve) => void this.#uses.timers.after(RETRY_MS, resolve));
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
