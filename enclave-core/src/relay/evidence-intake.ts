/**
 * The core's side of the relay from the networks: opens sealed items, verifies each by the rule of its network and
 * proposes what it proves; headers first, since events are believed for the blocks that they stand in. Refusals say which
 * check failed; nothing unverified is ever proposed.
 */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { MAX_EVIDENCE_ITEMS } from '@drawbridge/protocol/api/relay';
import { decodeHeaderBatch, evidenceKindOf, type HeaderBatch } from '@drawbridge/protocol/consensus-evidence';
import { isCordaEvidence } from '@drawbridge/protocol/corda-evidence';
import type { NetworkId } from '@drawbridge/protocol/ids';
import type { CoreService, EvidenceResult } from '../core-service.ts';
import { type Recipient, recipientOf } from '../keys/sealed-to-key.ts';
import type { Outcome } from '../settlement/command.ts';
import { checkObserved, checkSealed, type VaultEventCommand } from './event-evidence.ts';
import { type Checked, protocolRefusal, type Refused, refused, verdict } from './evidence-verdict.ts';
import { HeaderIntake } from './header-intake.ts';
import { checkNotarised, type StateEventCommand } from './notary-evidence.ts';
import { openBody } from './sealed-body.ts';
import { recoverSealer } from './secp256k1.ts';

type SealedItem = Readonly<{ jobId: string; sealed: string }>;
/** Something and its place in the request. */
type Placed<T> = Readonly<{ at: number; value: T }>;

export class EvidenceIntake {
  readonly #core: Pick<CoreService, 'submit' | 'view'>;
  readonly #headers: HeaderIntake;
  #recipient: (Recipient & Readonly<{ pem: string; publicPem: string }>) | undefined;

  constructor(core: Pick<CoreService, 'submit' | 'view'>) {
    this.#core = core;
    this.#headers = new HeaderIntake(core, recoverSealer);
  }

  /** Public half (SPKI, PEM) of the key that evidence must be sealed to. */
  sealingPublicKey(): string {
    return this.#openWith().publicPem;
  }

  /**
   * One result per item, in their order, after commit.
   * @throws SubmitError, RangeError for more items than one call may have
   */
  async accept(network: NetworkId, items: readonly SealedItem[]): Promise<EvidenceResult[]> {
    if (items.length > MAX_EVIDENCE_ITEMS) throw new RangeError(`at most ${MAX_EVIDENCE_ITEMS} items of evidence`);
    const answers = new Map<number, Outcome | Refused>();
    const batches: Placed<HeaderBatch>[] = [];
    const events: Placed<Uint8Array>[] = [];
    for (const [at, item] of items.entries()) {
      const opened = this.#open(network, item);
      if (!opened.ok) answers.set(at, opened);
      else if (opened.value instanceof Uint8Array) events.push({ at, value: opened.value });
      else batches.push({ at, value: opened.value });
      await nextTurn();
    }
    await this.#takeHeaders(batches, answers);
    await this.#takeEvents(network, events, answers);
    return items.map(({ jobId }, at) => {
      const answer = answers.get(at);
      if (!answer) throw new Error(`an item of ${items.length} was not answered`);
      return verdict(jobId, answer);
    });
  }

  /** A batch of headers decoded, anything else as bytes. */
  #open(network: NetworkId, { jobId, sealed }: SealedItem): Checked<HeaderBatch | Uint8Array> {
    try {
      const bytes = openBody(this.#openWith(), { purpose: 'evidence', network, jobId }, fromBase64(sealed));
      if (evidenceKindOf(bytes) !== 'headers') return { ok: true, value: bytes };
      const batch = decodeHeaderBatch(bytes);
      return batch.network === network ? { ok: true, value: batch } : NETWORK_MISMATCH;
    } catch (error) {
      return protocolRefusal(error);
    }
  }

  /** Batches come in any order: one that leaves a gap is tried again as long as others move the head. */
  async #takeHeaders(batches: readonly Placed<HeaderBatch>[], answers: Map<number, Outcome | Refused>): Promise<void> {
    let waiting = batches;
    let moved = true;
    while (waiting.length > 0 && moved) {
      moved = false;
      const again: Placed<HeaderBatch>[] = [];
      for (const batch of waiting) {
        const outcome = await this.#headers.accept(batch.value);
        answers.set(batch.at, outcome);
        if (outcome.ok) moved = true;
        else if (outcome.code === 'HEADER_GAP') again.push(batch);
      }
      waiting = again;
    }
  }

  async #takeEvents(
    network: NetworkId,
    items: readonly Placed<Uint8Array>[],
    answers: Map<number, Outcome | Refused>,
  ): Promise<void> {
    const proven: Placed<VaultEventCommand>[] = [];
    const due: Placed<VaultEventCommand | StateEventCommand>[] = [];
    for (const { at, value } of items) {
      const checked = this.#check(network, value);
      if (!checked.ok) answers.set(at, checked);
      else if (checked.value.type === 'stateEvent') due.push({ at, value: checked.value });
      else proven.push({ at, value: checked.value });
      await nextTurn();
    }
    proven.sort((a, b) => a.value.event.seq - b.value.event.seq);
    const ends = new Map<string, number>();
    for (const item of proven) {
      const untimely = this.#untimely(item.value, ends);
      if (untimely) answers.set(item.at, untimely);
      else due.push(item);
    }
    const committed = due.length === 0 ? [] : await this.#core.submit(due.map(({ value }) => value));
    for (const [i, { at }] of due.entries()) {
      const answer = committed[i];
      if (!answer) throw new Error(`submit answered ${committed.length} of ${due.length}`);
      answers.set(at, answer.outcome);
    }
  }

  #check(network: NetworkId, bytes: Uint8Array): Checked<VaultEventCommand | StateEventCommand> {
    const { view } = this.#core;
    const registered = view.network(network);
    if (!registered) return refused('NETWORK_UNKNOWN', 'no such network is registered');
    try {
      if (isCordaEvidence(bytes)) return checkNotarised(view, registered, bytes);
      return evidenceKindOf(bytes) === 'event'
        ? checkSealed(view, registered, bytes)
        : checkObserved(view, registered, bytes);
    } catch (error) {
      return protocolRefusal(error);
    }
  }

  /**
   * What the committed state already answers, as `apply` would: couriers come back with the same items again and again,
   * and what changes nothing shall not fill the ledger. `ends`: the counter after the last one proposed, by asset.
   */
  #untimely({ network, asset, event }: VaultEventCommand, ends: Map<string, number>): Outcome | undefined {
    const expectedSeq = this.#core.view.vaultLedger(network, asset)?.nextEventSeq ?? 0;
    if (event.seq < expectedSeq) return { ok: false, code: 'EVENT_SEEN', detail: 'the event was applied', expectedSeq };
    const end = ends.get(asset) ?? expectedSeq;
    if (event.seq > end) return { ok: false, code: 'EVENT_EARLY', detail: 'an earlier event comes first', expectedSeq };
    ends.set(asset, event.seq + 1);
    return undefined;
  }

  #openWith(): Recipient & Readonly<{ publicPem: string }> {
    const pem = this.#core.view.secrets.sealingKey;
    if (this.#recipient?.pem !== pem) {
      const privateKey = createPrivateKey(pem);
      const publicKey = createPublicKey(privateKey);
      const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
      this.#recipient = { pem, privateKey, publicPem, name: recipientOf(publicKey) };
    }
    return this.#recipient;
  }
}

const NETWORK_MISMATCH = refused('NETWORK_MISMATCH', 'the headers are of another network');

/** Base64 as Node reads it; what is not base64 is then no envelope. */
const fromBase64 = (text: string): Uint8Array => Buffer.from(text, 'base64');
