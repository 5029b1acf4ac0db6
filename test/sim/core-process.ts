/**
 * A whole core node: settlement, ledger with its tree and signatures, snapshots that the ledger vouches for, forwarding,
 * membership, catching up by records. Its network, disk, clock, timers and randomness are the world's; its history is in memory.
 */
import { FileLogStore } from '@drawbridge/enclave-core/consensus/file-log-store';
import type { Disk } from '@drawbridge/enclave-core/consensus/log/disk';
import { EarlierSnapshots } from '@drawbridge/enclave-core/consensus/log/earlier-snapshots';
import type { ConfState, Role } from '@drawbridge/enclave-core/consensus/raft-types';
import type { ReplicaOptions } from '@drawbridge/enclave-core/consensus/replica-options';
import type { TransactionId } from '@drawbridge/enclave-core/core-service';
import { LedgerKeys } from '@drawbridge/enclave-core/keys/ledger-keys';
import { makeRekey, openRekey } from '@drawbridge/enclave-core/keys/rekey';
import { Ledger, type LedgerEntry } from '@drawbridge/enclave-core/ledger/ledger';
import { type AdmissionDesk, CoreNode, type Genesis } from '@drawbridge/enclave-core/node/core-node';
import { storageAfterLife } from '@drawbridge/enclave-core/node/earlier-life';
import type { NodeHost } from '@drawbridge/enclave-core/node/node-host';
import type { OpenPeers, Peers } from '@drawbridge/enclave-core/node/node-peers';
import type { NodeStorage, OpenStorage } from '@drawbridge/enclave-core/node/node-storage';
import type { NodeLog } from '@drawbridge/enclave-core/node-log';
import type { PeerDirectory, PeerHandlers, PeerMethod } from '@drawbridge/enclave-core/peers/peer-types';
import type { Platform } from '@drawbridge/enclave-core/platform/platform';
import type { Command } from '@drawbridge/enclave-core/settlement/command';
import type { EntryRecords } from '@drawbridge/enclave-core/settlement/record';
import type { SettlementState } from '@drawbridge/enclave-core/settlement/state';
import { GENESIS } from '@drawbridge/enclave-core/settlement/testing/world';
import { SERVICE_CERTIFICATE, type SimIdentity } from './identities.ts';
import { MemoryHistory } from './memory-history.ts';
import {
  type ProcessPorts,
  type ProcessStatus,
  type SimProcess,
  type Submitted,
  textOf,
  ticksOf,
  turnsOf,
  watchedStore,
} from './sim-process.ts';

export type CoreProcessOptions = Readonly<{
  raftId: number;
  joined: boolean;
  identity: SimIdentity;
  genesis: Genesis;
  /** Ledger secrets that the machine has kept, or that the node was given when it was admitted. */
  secrets: ReadonlyMap<number, Uint8Array>;
  saveSecrets: (secrets: ReadonlyMap<number, Uint8Array>) => void;
  protectsMemory: boolean;
  tickUs: number;
  replica: Partial<Omit<ReplicaOptions, 'id' | 'bootstrap' | 'logLevel'>>;
  segmentBytes: number;
  snapshotEvery: number;
  entriesInFlight: number;
  chunkBytes: number;
}>;

/** Asked too early. */
class NotReadyError extends Error {
  override readonly name = 'NotReadyError';
  readonly code = 'NOT_READY' as const;
}

const LOG = '/core/log';
const LEDGER = '/core/ledger';
const EARLIER = '/core/earlier';
const NO_MEMBERS: ConfState = { voters: [], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };
const CLOCK_EVERY_US = 1_000_000;
const SIGN_EVERY_MS = 50;

export class CoreProcess implements SimProcess {
  readonly raftId: number;
  readonly #options: CoreProcessOptions;
  readonly #ports: ProcessPorts;
  readonly #keys: LedgerKeys;
  readonly #host: NodeHost;
  #core: CoreNode | undefined;
  #peers: Readonly<{ directory: PeerDirectory; handlers: PeerHandlers }> | undefined;
  #entry: LedgerEntry | undefined;
  #records: EntryRecords[] = [];
  #shownIndex = 0;

  constructor(options: CoreProcessOptions, ports: ProcessPorts) {
    this.raftId = options.raftId;
    this.#options = options;
    this.#ports = ports;
    this.#host = hostOf(ports, options.tickUs);
    this.#keys = new LedgerKeys(options.secrets, ports.random.fork('keys'));
  }

  async start(): Promise<void> {
    const { raftId, joined, identity, genesis, replica, snapshotEvery, protectsMemory, entriesInFlight } =
      this.#options;
    const { engine, observer, random } = this.#ports;
    const keys = this.#keys;
    const platform: Platform = { kind: protectsMemory ? 'test-protected-memory' : 'virtual', protectsMemory };
    const entropy = random.fork('rekey');
    this.#core = await CoreNode.start(
      {
        raftId,
        joined,
        replica: { ...replica, logLevel: 'error' },
        snapshots: { snapshotEveryEntries: snapshotEvery },
        signatures: { signEveryMs: SIGN_EVERY_MS },
        proposer: { maxEntriesInFlight: entriesInFlight },
      },
      {
        identity,
        keys,
        // In clear: the world has no eavesdroppers, and RSA is neither quick nor the same each time.
        openRekey: (entry) => openRekey(entry, identity.nodeId, (_place, sealed) => sealed, keys),
        makeRekey: (nodes) => makeRekey({ keys, nodes, entropy, sealTo: (_key, _place, plaintext) => plaintext }),
        saveSecrets: async () => this.#options.saveSecrets(keys.secrets()),
        openStorage:
          joined && protectsMemory ? await this.#storageAfterLife() : (onFailure) => this.#openStorage(onFailure),
        platform,
        engine,
        genesis: async () => genesis,
        serviceCertificate: SERVICE_CERTIFICATE,
        openPeers: (directory, handlers) => this.#openPeers(directory, handlers),
        host: this.#host,
        log: this.#log(),
        onFailed: (error) => observer.failed(error),
      },
    );
  }

  /** Where memory is protected each start has a new place, and the disk is of an earlier life. */
  async #storageAfterLife(): Promise<OpenStorage> {
    const { disk } = this.#ports;
    const snapshots = new EarlierSnapshots(disk, EARLIER);
    await snapshots.takeFrom(LOG);
    await emptied(disk, [LOG]);
    return storageAfterLife((onFailure) => this.#openStorage(onFailure), {
      snapshots,
      keys: this.#keys,
      serviceCertificate: SERVICE_CERTIFICATE,
      discard: () => emptied(disk, [LEDGER, EARLIER]),
      log: this.#log(),
    });
  }

  async #openStorage(onFailure: (error: unknown) => void): Promise<NodeStorage> {
    const { disk } = this.#ports;
    const { segmentBytes, chunkBytes } = this.#options;
    const log = await FileLogStore.open(
      { directory: LOG, segmentBytes, maxFrameBytes: 16 * 1024, snapshotsKept: 2 },
      { entropy: this.#host.entropy, disk },
    );
    const ledger = await Ledger.open(
      { directory: LEDGER, serviceId: GENESIS.serviceId, chunkBytes },
      { disk, timers: this.#host.timers, onFailure },
    );
    const { observer } = this.#ports;
    const append = ledger.append.bind(ledger);
    ledger.append = (entry) => {
      append(entry);
      this.#entry = entry;
      observer.root(entry.seqno, ledger.root());
    };
    const history = new MemoryHistory((seqno, records) => this.#left(seqno, records));
    return { log: watchedStore(log, this.#ports), ledger, history };
  }

  /** Each entry goes to the ledger, and then what it left to the history; a history that is made again has no entries. */
  #left(seqno: number, records: EntryRecords): void {
    const entry = this.#entry;
    this.#entry = undefined;
    if (entry?.seqno !== seqno || entry.kind === 'genesis') return;
    const { kind, view, data, claimsDigest, commitEvidenceDigest } = entry;
    const content = Buffer.concat([Buffer.from(`${kind} `), data, claimsDigest, commitEvidenceDigest]);
    const taken = records.transfers
      .filter(({ terms }) => !terms.source && !terms.destination)
      .map(({ terms }) => `${terms.debtor}/${terms.id}`);
    this.#records.push(records);
    this.#ports.observer.applied([{ index: seqno, term: view, content, effects: textOf(records), records, taken }]);
  }

  async #openPeers(...[directory, handlers]: Parameters<OpenPeers>): Promise<Peers> {
    this.#peers = { directory, handlers };
    const { send, sendSnapshot, request, plant } = this.#ports;
    this.#sendClock();
    return {
      send: (messages) => send(plant.send ? messages.map(plant.send) : messages),
      sendSnapshot,
      request: (raftId, method, body, { timeoutMs }) => request(raftId, method, body, timeoutMs),
      directoryChanged: () => undefined,
      close: async () => {
        this.#peers = undefined;
      },
    };
  }

  #sendClock(): void {
    const { after, gate, request } = this.#ports;
    after(CLOCK_EVERY_US, 'clock', () => {
      gate.enter(() => {
        const body = Buffer.from(String(this.#ports.wallMs()));
        for (const { raftId } of this.#peers?.directory.peers() ?? []) {
          if (raftId !== this.raftId) request(raftId, 'clock', body, 1_000).catch(() => undefined);
        }
      });
      if (gate.alive) this.#sendClock();
    });
  }

  #log(): NodeLog {
    const { observer } = this.#ports;
    return {
      info: (fields, message) => {
        if (message.startsWith('goes on from a snapshot')) observer.inherited();
        if ('role' in fields && 'view' in fields) observer.role(fields.role as Role, Number(fields.view));
        // Also of a node that is still starting: after all lost their power there is no other.
        if ('voters' in fields && 'seqno' in fields) {
          observer.members({ ...NO_MEMBERS, ...(fields as Partial<ConfState>) }, Number(fields.seqno));
        }
      },
      warn: () => undefined,
      error: () => undefined,
    };
  }

  get ready(): boolean {
    return this.#core !== undefined;
  }

  get appliedIndex(): number {
    return this.#core ? placeOf(this.#core.committed()).index : 0;
  }

  get state(): SettlementState | undefined {
    return this.#core?.view as SettlementState | undefined;
  }

  get members(): ConfState {
    return this.#running().members();
  }

  /** Where others are admitted. */
  get desk(): AdmissionDesk {
    return this.#running().desk();
  }

  get secrets(): ReadonlyMap<number, Uint8Array> {
    return this.#keys.secrets();
  }

  status(): ProcessStatus {
    const { role, view, committedSeqno, lastSeqno } = this.#running().status();
    return { role: role === 'learner' ? 'follower' : role, term: view, commit: committedSeqno, lastIndex: lastSeqno };
  }

  receive(from: number, messages: readonly Uint8Array[]): void {
    const { receive } = this.#ports.plant;
    if (receive) for (const message of messages) receive(message);
    this.#peers?.handlers.messages(from, messages);
  }

  receiveSnapshot(from: number, message: Uint8Array, content: Uint8Array): void {
    this.#peers?.handlers.snapshot(from, message, content);
  }

  unreachable(raftId: number): void {
    this.#peers?.handlers.unreachable(raftId);
  }

  async answer(from: number, method: string, body: Uint8Array): Promise<Uint8Array> {
    if (!this.#peers) throw new NotReadyError('the node is not there yet');
    const { directory, handlers } = this.#peers;
    if (method === 'clock') {
      handlers.clock(from, Number(Buffer.from(body).toString()));
      return new Uint8Array(0);
    }
    const peer = Array.from(directory.peers()).find(({ raftId }) => raftId === from);
    if (!peer) throw new NotReadyError(`node ${from} is not known here`);
    return handlers.request(peer, method as PeerMethod, body);
  }

  async submit(command: Command): Promise<Submitted> {
    const [committed] = await this.#running().submit([command]);
    if (!committed) throw new Error('a command was committed without an answer');
    return { ...placeOf(committed.transactionId), outcome: committed.outcome };
  }

  async read<T>(view: (state: SettlementState) => T): Promise<Readonly<{ index: number; value: T }>> {
    const core = this.#running();
    if (!this.#ports.plant.readsAlone) await core.barrier();
    return { index: this.appliedIndex, value: view(core.view as SettlementState) };
  }

  async transferLeadership(to: number): Promise<boolean> {
    return this.#running().transferLeadership(to);
  }

  inspect(): void {
    const { observer, plant } = this.#ports;
    const state = this.state;
    if (!state) return;
    const index = this.appliedIndex;
    for (const records of this.#records.splice(0)) plant.spoil?.(records, state);
    if (index === this.#shownIndex) return;
    this.#shownIndex = index;
    observer.state(index, state, 'batch');
  }

  #running(): CoreNode {
    if (!this.#core) throw new NotReadyError('the node has not started');
    return this.#core;
  }
}

function placeOf(id: TransactionId): Readonly<{ index: number; term: number }> {
  const [term, index] = id.split('.').map(Number);
  return { index: index ?? 0, term: term ?? 0 };
}

function hostOf(ports: ProcessPorts, tickUs: number): NodeHost {
  const { nowUs, wallMs, after, gate, random } = ports;
  return {
    nowMs: wallMs,
    monotonicMs: () => nowUs() / 1000,
    // As Node's: whole milliseconds, one at least.
    timers: { after: (ms, call) => after(1000 * Math.max(1, Math.trunc(ms)), 'timer', () => gate.enter(call)) },
    ticker: { start: ticksOf(ports, tickUs) },
    scheduler: { defer: turnsOf(ports) },
    clock: { nowNs: () => BigInt(nowUs()) * 1000n },
    entropy: random.fork('entropy'),
  };
}

async function emptied(disk: Disk, folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    for (const name of await disk.list(folder)) await disk.remove(`${folder}/${name}`);
    await disk.syncDirectory(folder);
  }
}
