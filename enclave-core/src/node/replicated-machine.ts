/**
 * The replicated state machine: opens committed entries, applies them to settlement and membership, appends each to the ledger
 * with the digest of its claims, and hands what they left to history and to whoever waits. Everything here follows from the
 * log alone, so every node has the same state, the same ledger and the same tree.
 */
import type { LedgerKind } from '@drawbridge/protocol/ledger/ledger-kind';
import type { ServiceEntry } from '@drawbridge/protocol/ledger/service-entry';
import type { SignatureEntry } from '@drawbridge/protocol/ledger/signature-entry';
import type { ConfState, Entry as LogEntry } from '../consensus/raft-types.ts';
import type { History } from '../history/history.ts';
import type { LedgerKeys } from '../keys/ledger-keys.ts';
import type { RekeyEntry } from '../keys/rekey.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { applyService, type ServiceOutcome } from '../membership/apply-service.ts';
import { ledgerFacts, type MembershipState } from '../membership/membership-state.ts';
import type { Applied } from '../settlement/apply.ts';
import { Draft } from '../settlement/draft.ts';
import { type LedgerFacts, NO_FACTS } from '../settlement/ledger-facts.ts';
import type { Rulebook } from '../settlement/rules.ts';
import type { SettlementState } from '../settlement/state.ts';
import { entryClaimsDigest } from './entry-claims.ts';
import { openEntry } from './entry-envelope.ts';
import { RecentTrees } from './recent-trees.ts';
import type { ReplicatedState } from './state-image.ts';
import { viewAt, withEntry } from './view-history.ts';

/** A committed entry and what it left. */
export type AppliedEntry = Readonly<{
  index: number;
  term: number;
  kind: LedgerKind;
  /** Of its data. */
  bytes: number;
  /** Of settlement and governance. */
  applied?: Applied;
  service?: Readonly<{ entry: ServiceEntry; outcome: ServiceOutcome }>;
  signature?: SignatureEntry;
}>;

/** The state exactly at a snapshot mark; nothing in it changes any more once it is captured. */
export type MarkedState = Readonly<{ index: number; term: number; members: ConfState; state: ReplicatedState }>;

export type OpenRekey = (entry: RekeyEntry) => Readonly<{ epoch: number; secret: Uint8Array }> | undefined;

export type GenesisEntry = Pick<LogEntry, 'index' | 'term' | 'data'>;

export type ReplicatedMachineDependencies = Readonly<{
  keys: LedgerKeys;
  ledger: Pick<Ledger, 'append' | 'frontier' | 'resumeAt'>;
  history: Pick<History, 'append'>;
  rules: Rulebook;
  /** The new secret of a rekey, as this node can open it; nothing where it is not among those addressed. */
  openRekey: OpenRekey;
  /** Called before anything else is applied: must capture what it needs at once. */
  onMark: (marked: MarkedState) => void;
  /** After state, ledger and history have it. */
  onApplied: (entries: readonly AppliedEntry[]) => void;
}>;

/** This node and the others disagree about what the ledger says. It must stop, before anyone believes it. */
export class StateDivergedError extends Error {
  override readonly name = 'StateDivergedError';
  readonly code = 'STATE_DIVERGED' as const;
}

/** A rekey does not address this node: it was removed, or is not known under its key. */
export class NotAddressedError extends Error {
  override readonly name = 'NotAddressedError';
  readonly code = 'NOT_ADDRESSED' as const;
}

type Current = Omit<ReplicatedState, 'frontier'>;

export class ReplicatedMachine {
  readonly #uses: ReplicatedMachineDependencies;
  readonly #trees = new RecentTrees();
  #current: Current | undefined;
  #facts: LedgerFacts = NO_FACTS;
  /** Entries that a signature in the ledger covers; those restored from a snapshot count as covered by none. */
  #signedThrough = 0;

  constructor(dependencies: ReplicatedMachineDependencies) {
    this.#uses = dependencies;
  }

  /** The committed state. Another object after `restore`, so it must be asked for each time. */
  get settlement(): SettlementState {
    return this.#started().settlement;
  }

  get membership(): MembershipState {
    return this.#started().membership;
  }

  /** Index of the last applied entry; 0 before the first `restore`. */
  get index(): number {
    return this.#current?.index ?? 0;
  }

  /** View of the last applied entry. */
  get view(): number {
    return this.viewOf(this.index) ?? 0;
  }

  get signedThrough(): number {
    return this.#signedThrough;
  }

  get hasStarted(): boolean {
    return this.#current !== undefined;
  }

  /** All that it holds now, but for the tree, which is the ledger's. */
  replicated(): Omit<ReplicatedState, 'frontier'> {
    return this.#started();
  }

  /** View of a committed entry. */
  viewOf(seqno: number): number | undefined {
    return viewAt(this.#started().views, seqno);
  }

  /** @param genesisEntry what stands in the ledger at seqno 1; the first state alone does not hold it already */
  restore({ frontier, ...current }: ReplicatedState, genesisEntry?: GenesisEntry): void {
    const { ledger } = this.#uses;
    ledger.resumeAt(frontier);
    this.#signedThrough = 0;
    this.#current = current;
    this.#facts = ledgerFacts(current.membership);
    if (genesisEntry) this.#append(genesisEntry, 'genesis', current.membership.epoch);
    this.#trees.restart(ledger.frontier());
  }

  /**
   * @param members as they are before the batch; an entry that changes them is the last of its batch
   * @throws InvariantError, EntryUnreadableError, StateDivergedError, NotAddressedError: the node must stop
   */
  applyBatch(entries: readonly LogEntry[], members: ConfState): void {
    let draft = new Draft(this.#started().settlement, this.#uses.rules);
    let done: AppliedEntry[] = [];
    for (const entry of entries) {
      const applied = this.#apply(draft, entry);
      done.push(applied);
      if (applied.service?.entry.type !== 'snapshotMark') continue;
      draft.commit();
      this.#publish(done, entry);
      this.#uses.onMark({ index: entry.index, term: entry.term, members, state: this.#captured() });
      draft = new Draft(this.#started().settlement, this.#uses.rules);
      done = [];
    }
    draft.commit();
    const last = entries.at(-1);
    if (last && done.length > 0) this.#publish(done, last);
  }

  #publish(done: readonly AppliedEntry[], { index }: LogEntry): void {
    let { views } = this.#started();
    for (const entry of done) views = withEntry(views, { view: entry.term, seqno: entry.index });
    this.#current = { ...this.#started(), index, views };
    this.#uses.onApplied(done);
  }

  #apply(draft: Draft, entry: LogEntry): AppliedEntry {
    const { keys } = this.#uses;
    const { index, term } = entry;
    const opened = openEntry(keys, entry);
    const { epoch } = this.#started().membership;
    const place = { index, term, kind: opened.kind, bytes: entry.data.length };
    switch (opened.kind) {
      case 'settlement':
      case 'governance': {
        const applied = draft.apply(opened.entry, this.#facts);
        this.#append(entry, opened.kind, epoch, entryClaimsDigest(keys, epoch, `${term}.${index}`, applied.records));
        this.#uses.history.append(index, applied.records);
        return { ...place, applied };
      }
      case 'service': {
        const outcome = this.#applyService(draft, opened.service, index);
        this.#append(entry, opened.kind, epoch);
        return { ...place, service: { entry: opened.service, outcome } };
      }
      case 'signature':
        this.#takeSignature(opened.signature, index);
        this.#append(entry, opened.kind, epoch);
        return { ...place, signature: opened.signature };
      case 'empty':
      case 'members':
        this.#append(entry, opened.kind, epoch);
        return place;
    }
  }

  #append({ index, term, data }: GenesisEntry, kind: LedgerKind, epoch: number, claims: Uint8Array = NO_CLAIMS): void {
    const { keys, ledger, history } = this.#uses;
    ledger.append({
      kind,
      view: term,
      seqno: index,
      epoch,
      commitEvidenceDigest: keys.commitEvidenceDigest(epoch, `${term}.${index}`),
      claimsDigest: claims,
      data,
    });
    this.#trees.put(ledger.frontier());
    if (claims === NO_CLAIMS) history.append(index, NO_RECORDS);
  }

  #applyService(draft: Draft, entry: ServiceEntry, seqno: number): ServiceOutcome {
    const current = this.#started();
    const { state, outcome } = applyService(current.membership, entry, draft.registry, seqno);
    if (state !== current.membership) this.#facts = ledgerFacts(state);
    this.#current = { ...current, membership: state };
    if (entry.type === 'rekey' && outcome.ok) {
      const opened = this.#uses.openRekey(entry);
      if (!opened)
        throw new NotAddressedError(`the ledger has a new secret (epoch ${entry.epoch}) that is not for this node`);
      this.#uses.keys.add(opened.epoch, opened.secret);
    }
    return outcome;
  }

  /** What a leader signed must be what this node has. Trees of before a snapshot are not known any more. */
  #takeSignature({ size, root }: SignatureEntry, index: number): void {
    if (size > index) throw new StateDivergedError(`entry ${index} signs ${size} leaves`);
    const own = this.#trees.rootOf(size);
    if (own && !Buffer.from(own).equals(root)) {
      throw new StateDivergedError(
        `the signature at ${index} covers another ledger of ${size} entries than this node has`,
      );
    }
    this.#signedThrough = Math.max(this.#signedThrough, size - 1);
  }

  #captured(): ReplicatedState {
    return { ...this.#started(), frontier: this.#uses.ledger.frontier() };
  }

  #started(): Current {
    if (!this.#current) throw new Error('the state machine has no state yet');
    return this.#current;
  }
}

const NO_CLAIMS = new Uint8Array(32);
const NO_RECORDS = { transfers: [], lines: [], events: [], alarms: [] } as const;
