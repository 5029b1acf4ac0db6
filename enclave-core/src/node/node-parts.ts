/** The parts of a running node and what passes between them. Put together by `startNode`; `CoreNode` shows them to the API. */
import type { NetworkId } from '@drawbridge/protocol/ids';
import type { ServiceEntry } from '@drawbridge/protocol/ledger/service-entry';
import type { SignatureEntry } from '@drawbridge/protocol/ledger/signature-entry';
import type { Replica } from '../consensus/replica.ts';
import { ReplicaError } from '../consensus/replica-error.ts';
import { SubmitError } from '../core-service.ts';
import type { ServiceOutcome } from '../membership/apply-service.ts';
import { isRekeyDue, rekeyRecipients } from '../membership/membership-state.ts';
import { RELEASED_RULES } from '../settlement/rules.ts';
import { CatchUp } from './catch-up.ts';
import { type ClockReading, ClockSamples } from './clock-samples.ts';
import type { CoreNodeDependencies, CoreNodeOptions } from './core-node.ts';
import { DeadlineTimer } from './deadline-timer.ts';
import { sealEntry, serviceEnvelope, signatureEnvelope } from './entry-envelope.ts';
import { Forwarder } from './forwarder.ts';
import { LedgerMender } from './ledger-mender.ts';
import { MarkedImage } from './marked-image.ts';
import { MemberDirectory } from './member-directory.ts';
import { MembershipDuty } from './membership-duty.ts';
import { noPeers, type Peers } from './node-peers.ts';
import type { NodeStorage } from './node-storage.ts';
import { OutboxWaiters } from './outbox-waiters.ts';
import { ParticipantListeners } from './participant-listeners.ts';
import { Proposer } from './proposer.ts';
import { ReceiptDesk } from './receipt-desk.ts';
import { type AppliedEntry, ReplicatedMachine } from './replicated-machine.ts';
import { SignatureDuty } from './signature-duty.ts';
import { SignedOutbox } from './signed-outbox.ts';
import { SnapshotDuty } from './snapshot-duty.ts';
import type { ReplicatedState } from './state-image.ts';
import { ThreeVoters } from './three-voters.ts';
import { Waiters } from './waiters.ts';

const SIGNATURE_TIMEOUT_MS = 5_000;

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'UNEXPECTED';

export class NodeParts {
  readonly options: CoreNodeOptions;
  readonly uses: CoreNodeDependencies;
  readonly storage: NodeStorage;
  readonly machine: ReplicatedMachine;
  readonly directory: MemberDirectory;
  readonly clocks = new ClockSamples();
  readonly listeners = new ParticipantListeners();
  readonly applied: Waiters;
  readonly signed: Waiters;
  readonly proposer: Proposer;
  readonly forwarder: Forwarder;
  readonly receipts: ReceiptDesk;
  readonly signatures: SignatureDuty;
  readonly snapshots: SnapshotDuty;
  readonly memberships: MembershipDuty;
  readonly catchUp: CatchUp;
  /** The ledger for readers. */
  readonly ledger: LedgerMender;
  readonly deadlines: DeadlineTimer;
  readonly signedOutbox = new SignedOutbox();
  readonly outboxWaiters: OutboxWaiters;
  readonly threeVoters = new ThreeVoters();
  peers: Peers = noPeers;
  serviceStatus: 'open' | 'stopping' | 'failed' = 'open';
  startupSeqno = 0;
  /** Rejects when the node fails. */
  readonly failure: Promise<never>;
  #rejectFailure: (error: unknown) => void = () => undefined;
  #replica: Replica | undefined;
  #letGoOnce: Promise<void> | undefined;
  #secretsSaved: Promise<void> = Promise.resolve();

  constructor(options: CoreNodeOptions, uses: CoreNodeDependencies, storage: NodeStorage) {
    this.options = options;
    this.uses = uses;
    this.storage = storage;
    this.failure = new Promise((_, reject) => {
      this.#rejectFailure = reject;
    });
    // Only a start waits for it; later failures go to `onFailed`.
    this.failure.catch(() => undefined);
    const { timers } = uses.host;
    this.applied = new Waiters(timers, () => this.machine.index);
    this.signed = new Waiters(timers, () => this.machine.signedThrough);
    this.outboxWaiters = new OutboxWaiters(timers, (network) => this.signedOutbox.end(network));
    this.machine = this.#makeMachine();
    const registry = () => this.machine.settlement.header.registry;
    this.directory = new MemberDirectory(
      () => (this.machine.hasStarted ? this.machine.membership : undefined),
      (nodeId) => this.machine.hasStarted && registry().nodes.has(nodeId),
    );
    this.ledger = new LedgerMender({
      ledger: storage.ledger,
      request: (raftId, method, body, timeoutMs) => this.peers.request(raftId, method, body, { timeoutMs }),
      others: () => this.others(),
      log: uses.log,
    });
    this.proposer = this.#makeProposer();
    this.forwarder = this.#makeForwarder();
    this.receipts = this.#makeReceipts();
    this.signatures = this.#makeSignatures();
    this.snapshots = this.#makeSnapshots();
    this.memberships = this.#makeMemberships();
    this.catchUp = this.#makeCatchUp();
    this.deadlines = new DeadlineTimer({
      nextDeadlineMs: () => this.machine.settlement.nextDeadlineMs(),
      clockMs: () => this.clockReading().stampMs,
      stampMs: () => this.machine.settlement.stampMs,
      timers,
      onDue: () =>
        this.leads ? this.proposer.submit([{ type: 'clock' }]) : Promise.reject(new Error('another node leads')),
    });
  }

  get replica(): Replica {
    if (!this.#replica) throw new SubmitError('STOPPING', 'the node has not started');
    return this.#replica;
  }

  set replica(replica: Replica) {
    this.#replica = replica;
  }

  get hasReplica(): boolean {
    return this.#replica !== undefined;
  }

  /** This node leads, and has applied all that was answered before. */
  get leads(): boolean {
    return this.serviceStatus === 'open' && this.#replica?.leading === true;
  }

  /** Raft ids of the other nodes. */
  others(): number[] {
    return Array.from(this.directory.peers(), ({ raftId }) => raftId).filter((id) => id !== this.options.raftId);
  }

  rollbackProtected(): boolean {
    return this.uses.platform.protectsMemory && this.replica.status().members.voters.length >= 3;
  }

  clockReading(): ClockReading {
    const { raftId } = this.options;
    const { nowMs, monotonicMs } = this.uses.host;
    const { voters } = this.replica.status().members;
    return this.clocks.read(raftId, voters, { clockMs: nowMs(), monotonicMs: monotonicMs() });
  }

  /** @throws SubmitError */
  async barrier(): Promise<void> {
    if (this.serviceStatus !== 'open') throw new SubmitError('STOPPING', 'the core is stopping');
    try {
      await this.replica.readIndex();
    } catch (cause) {
      if (!(cause instanceof ReplicaError)) throw cause;
      if (cause.code === 'STOPPED') throw new SubmitError('STOPPING', 'the core is stopping', { cause });
      if (cause.code === 'OVERLOADED') throw new SubmitError('OVERLOADED', 'too many reads wait; ask again', { cause });
      throw new SubmitError('NOT_LEADER', 'no leader confirmed that this node is up to date; ask again', { cause });
    }
  }

  /** Place in a network's outbox up to which a signature in the ledger covers the instructions; asks for one where it does not. */
  async signedOutboxEnd(network: NetworkId): Promise<number> {
    const { waitsFor } = this.signedOutbox;
    if (waitsFor !== undefined) {
      this.signatures.hurry();
      await this.signed.reach(waitsFor, this.options.signatureTimeoutMs ?? SIGNATURE_TIMEOUT_MS);
    }
    return this.signedOutbox.end(network);
  }

  /** Begins with a state that the ledger vouches for. */
  restore(state: ReplicatedState): void {
    this.machine.restore(state);
    this.signedOutbox.restart(state.index, state.settlement.outboxEnds);
  }

  /** Puts what the service says of itself into the ledger. @throws ReplicaError */
  async proposeService(entry: ServiceEntry): Promise<ServiceOutcome> {
    const { index } = await this.replica.propose(serviceEnvelope(entry));
    const outcome = this.#serviceOutcomes.get(index);
    this.#serviceOutcomes.delete(index);
    if (!outcome) throw new Error(`entry ${index} was applied and left no outcome`);
    return outcome;
  }

  /** Of service entries, for whoever proposed them; a few at most wait. */
  readonly #serviceOutcomes = new Map<number, ServiceOutcome>();

  onApplied(entries: readonly AppliedEntry[]): void {
    for (const { index, applied, service } of entries) {
      if (service) this.#noteService(index, service.entry, service.outcome);
      for (const { type, network, asset, code } of applied?.records.alarms ?? []) {
        const alarm = { code: type, network, asset, cause: code, seqno: index };
        this.uses.log.warn(alarm, 'alarm: operators must look at this lane');
      }
    }
    this.signedOutbox.applied(this.machine.index, this.machine.settlement.outboxEnds);
    this.signedOutbox.signedThrough(this.machine.signedThrough);
    this.proposer.settle(entries);
    this.listeners.notify(entries);
    this.applied.wake();
    this.signed.wake();
    this.outboxWaiters.wake();
    if (!this.#replica) return;
    this.deadlines.rearm();
    this.signatures.applied(entries);
    if (this.signedOutbox.waitsFor !== undefined) this.signatures.hurry();
    this.snapshots.applied(entries);
  }

  #noteService(index: number, entry: ServiceEntry, outcome: ServiceOutcome): void {
    if (this.leads) this.#serviceOutcomes.set(index, outcome);
    if (entry.type === 'admitNode' || entry.type === 'updateNode' || entry.type === 'nodeLeft')
      this.peers.directoryChanged();
    if (entry.type === 'rekey' && outcome.ok) this.#secretsSaved = this.uses.saveSecrets();
  }

  #makeMachine(): ReplicatedMachine {
    const { keys, rules, openRekey } = this.uses;
    const { ledger, history } = this.storage;
    return new ReplicatedMachine({
      keys,
      ledger,
      history,
      rules: rules ?? RELEASED_RULES,
      openRekey,
      onMark: (marked) => {
        if (!this.catchUp.passes(marked) && this.#replica) this.snapshots.marked(marked);
      },
      onApplied: (entries) => this.onApplied(entries),
    });
  }

  #makeProposer(): Proposer {
    const { keys } = this.uses;
    const { history, ledger } = this.storage;
    return new Proposer(this.options.proposer ?? {}, {
      seal: (entry) => sealEntry(keys, entry),
      clock: () => this.clockReading(),
      version: () => this.machine.settlement.header.registry.protocolVersion,
      appliedStampMs: () => this.machine.settlement.stampMs,
      propose: (data) => this.replica.propose(data),
      drained: async () => {
        await history.drained();
        await ledger.drained();
      },
      onFailure: (error) => this.fail(error),
    });
  }

  #makeForwarder(): Forwarder {
    const { timers, monotonicMs } = this.uses.host;
    return new Forwarder(this.options.forwarder ?? {}, {
      leads: () => this.leads,
      leader: () => {
        const { leader } = this.replica.status();
        return leader === null || leader === this.options.raftId ? undefined : leader;
      },
      submitHere: (commands) => this.proposer.submit(commands),
      request: (raftId, body, timeoutMs) => this.peers.request(raftId, 'submit', body, { timeoutMs }),
      applied: this.applied,
      timers,
      monotonicMs,
    });
  }

  #makeReceipts(): ReceiptDesk {
    const { keys } = this.uses;
    return new ReceiptDesk({
      keys,
      ledger: this.ledger,
      history: this.storage.history,
      membership: () => this.machine.membership,
      liveTerms: (bank, id) => this.machine.settlement.liveTransfer(bank, id)?.terms,
      lastEventOf: (participant, bank, id) => this.machine.settlement.lastEventOf(participant, bank, id),
      lastEventOfLock: ({ network, asset, lockId }) =>
        this.machine.settlement.unmatchedLock(network, asset, lockId)?.lastEvent,
      isCommitted: (view, seqno) => seqno <= this.machine.index && this.machine.viewOf(seqno) === view,
      signed: (seqno) => {
        if (this.machine.signedThrough < seqno) this.signatures.hurry();
        return this.signed.reach(seqno, this.options.signatureTimeoutMs ?? SIGNATURE_TIMEOUT_MS);
      },
      rollbackProtected: (seqno, platform) =>
        this.uses.platform.protectsMemory &&
        this.uses.platform.kind === platform &&
        this.threeVoters.had(seqno, this.replica),
      log: this.uses.log,
    });
  }

  #makeSignatures(): SignatureDuty {
    const { identity, host } = this.uses;
    const { ledger } = this.storage;
    return new SignatureDuty(this.options.signatures ?? {}, {
      ...identity,
      ...host,
      leads: () => this.leads,
      tree: () => ({ size: ledger.lastSeqno + 1, root: ledger.root(), children: ledger.rootChildren() }),
      view: () => this.replica.status().term,
      propose: (entry: SignatureEntry) => this.replica.propose(signatureEnvelope(entry)),
    });
  }

  #makeSnapshots(): SnapshotDuty {
    return new SnapshotDuty(this.options.snapshots ?? {}, {
      leads: () => this.leads,
      propose: (entry) => this.proposeService(entry),
      write: (marked) =>
        new MarkedImage(marked, {
          keys: this.uses.keys,
          replica: this.replica,
          durable: (index, digest) => this.#durable(index, digest),
          // What vouches for it is durable: those of an earlier life are not needed any more.
          kept: async () => this.storage.earlier?.discard(),
        }),
      failed: (error) => this.fail(error),
    });
  }

  /** What a snapshot stands on, the secrets that it is sealed with among it, is durable before it is. */
  async #durable(index: number, digest: Uint8Array): Promise<void> {
    const { history, ledger } = this.storage;
    history.vouch(index, digest);
    await Promise.all([history.flush(), ledger.flush(), this.#secretsSaved]);
  }

  #makeMemberships(): MembershipDuty {
    const registry = () => this.machine.settlement.header.registry;
    return new MembershipDuty(this.options.membership ?? {}, {
      self: this.options.raftId,
      protectsMemory: this.uses.platform.protectsMemory,
      log: this.uses.log,
      leads: () => this.leads,
      membership: () => this.machine.membership,
      mayTakePart: (nodeId) => registry().nodes.has(nodeId),
      members: () => this.replica.status().members,
      progress: () => this.replica.progress(),
      lastIndex: () => this.replica.status().lastIndex,
      changeMembers: (change) => this.replica.changeMembers(change),
      transferLeadership: (to) => this.replica.transferLeadership(to),
      propose: (entry) => this.proposeService(entry),
      rekeyIfDue: async () => {
        const { membership } = this.machine;
        if (!isRekeyDue(membership, registry())) return;
        await this.proposeService(this.uses.makeRekey(rekeyRecipients(membership, registry()) ?? []));
      },
      timers: this.uses.host.timers,
    });
  }

  #makeCatchUp(): CatchUp {
    const { serviceCertificate, log, host } = this.uses;
    const { ledger, history, earlier } = this.storage;
    return new CatchUp({
      machine: () => this.machine,
      ledger,
      history,
      ...(earlier && { earlier }),
      restore: (state) => {
        this.restore(state);
        this.peers.directoryChanged();
      },
      keys: this.uses.keys,
      durable: (index, digest) => this.#durable(index, digest),
      request: (raftId, method, body, timeoutMs) => this.peers.request(raftId, method, body, { timeoutMs }),
      others: () => this.others(),
      serviceCertificate,
      log,
      timers: host.timers,
    });
  }

  async stop(timeoutMs: number): Promise<void> {
    if (this.serviceStatus !== 'open') return;
    const { timers } = this.uses.host;
    const cancel = timers.after(timeoutMs, () => this.proposer.abort());
    await this.proposer.close();
    cancel();
    this.serviceStatus = 'stopping';
    await this.#end();
    await this.#replica?.stop();
    await this.snapshots.stop();
    await this.peers.close();
    await this.storage.history.flush();
    await this.storage.ledger.flush();
    await this.storage.history.close();
    await this.storage.ledger.close();
    await this.storage.log.close();
  }

  async #end(): Promise<void> {
    this.deadlines.stop();
    this.signatures.stop();
    this.memberships.stop();
    this.applied.end();
    this.signed.end();
    this.outboxWaiters.end();
  }

  fail(error: unknown): void {
    if (this.serviceStatus === 'failed') return;
    this.serviceStatus = 'failed';
    const detail = error instanceof Error ? error.message : String(error);
    this.uses.log.error(
      { code: codeOf(error), detail },
      'the node has stopped and must be started again by an operator',
    );
    this.proposer.abort();
    this.#rejectFailure(error);
    void this.abandon().finally(() => this.uses.onFailed(error));
  }

  /** Lets go of everything, once, without asking whether it worked. */
  abandon(): Promise<void> {
    this.#letGoOnce ??= this.#letGo();
    return this.#letGoOnce;
  }

  async #letGo(): Promise<void> {
    await this.#end();
    const { history, ledger, log } = this.storage;
    const ends = [
      () => this.#replica?.stop(),
      () => this.snapshots.stop(),
      () => this.peers.close(),
      () => history.close(),
      () => ledger.close(),
      () => log.close(),
    ];
    for (const end of ends) {
      await Promise.resolve(end()).catch((error: unknown) =>
        this.uses.log.warn({ code: codeOf(error) }, 'while stopping'),
      );
    }
  }
}
