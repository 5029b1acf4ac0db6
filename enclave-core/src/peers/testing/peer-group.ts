/** Nodes on real sockets of 127.0.0.1 whose handlers write down what they are given. */
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import { NO_LIFE, type NodeLife } from '@drawbridge/protocol/ledger/node-life';
import type { RaftMessage } from '../../consensus/raft-types.ts';
import { seededEntropy } from '../../consensus/testing/deterministic-host.ts';
import type { PeerLimits } from '../peer-limits.ts';
import { PeerNetwork } from '../peer-network.ts';
import { type PeerTimers, systemTimers } from '../peer-timers.ts';
import type { Peer, PeerDirectory, PeerHandlers, PeerIdentity, PeerMethod } from '../peer-types.ts';
import type { TestIdentity, TestService } from './test-pki.ts';

export class TestDirectory implements PeerDirectory {
  readonly members = new Map<number, Peer>();
  readonly joiners = new Set<NodeId>();

  peers(): Iterable<Peer> {
    return this.members.values();
  }

  byNodeId(nodeId: NodeId): Peer | undefined {
    return [...this.members.values()].filter((peer) => peer.nodeId === nodeId).at(-1);
  }

  mayJoin(nodeId: NodeId): boolean {
    return this.joiners.has(nodeId);
  }
}

/** Resolves promises when something that a test waits for has come about; looked at after each event. */
export class Witness {
  readonly #waiting: { holds: () => boolean; resolve: () => void }[] = [];

  async until(holds: () => boolean): Promise<void> {
    if (holds()) return;
    await new Promise<void>((resolve) => this.#waiting.push({ holds, resolve }));
  }

  happened(): void {
    for (const waiting of this.#waiting.splice(0)) {
      if (waiting.holds()) waiting.resolve();
      else this.#waiting.push(waiting);
    }
  }
}

type Recorded<T> = Readonly<{ from: number } & T>;

export class RecordingHandlers implements PeerHandlers {
  readonly witness = new Witness();
  readonly received: Recorded<{ messages: readonly string[] }>[] = [];
  readonly snapshots: Recorded<{ message: string; content: Uint8Array }>[] = [];
  readonly requests: Recorded<{ method: PeerMethod; body: string }>[] = [];
  readonly joins: { nodeId: NodeId; body: string }[] = [];
  readonly clocks: Recorded<{ nowMs: number }>[] = [];
  readonly lost: number[] = [];
  answer: (method: PeerMethod | 'join', body: Uint8Array) => Promise<Uint8Array> = async (_method, body) => body;
  onMessages: (from: number, messages: readonly Uint8Array[]) => void = () => undefined;

  /** All messages in the order of arrival. */
  get messageTexts(): string[] {
    return this.received.flatMap(({ messages }) => messages);
  }

  messages(from: number, messages: readonly Uint8Array[]): void {
    this.received.push({ from, messages: messages.map(text) });
    this.onMessages(from, messages);
    this.witness.happened();
  }

  snapshot(from: number, message: Uint8Array, content: Uint8Array): void {
    this.snapshots.push({ from, message: text(message), content });
    this.witness.happened();
  }

  unreachable(raftId: number): void {
    this.lost.push(raftId);
    this.witness.happened();
  }

  async request(from: Peer, method: PeerMethod, body: Uint8Array): Promise<Uint8Array> {
    this.requests.push({ from: from.raftId, method, body: text(body) });
    this.witness.happened();
    return this.answer(method, body);
  }

  async join(nodeId: NodeId, body: Uint8Array): Promise<Uint8Array> {
    this.joins.push({ nodeId, body: text(body) });
    this.witness.happened();
    return this.answer('join', body);
  }

  clock(raftId: number, peerNowMs: number): void {
    this.clocks.push({ from: raftId, nowMs: peerNowMs });
    this.witness.happened();
  }
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
export const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

export function raftMessage(to: number, content: string | Uint8Array, snapshotIndex = 0): RaftMessage {
  return { to, type: 3, snapshotIndex, bytes: typeof content === 'string' ? bytes(content) : content };
}

export type LogLine = Readonly<{ level: 'info' | 'warn' | 'error'; fields: object; message: string }>;

export class TestNode {
  readonly raftId: number;
  readonly life: NodeLife;
  readonly identity: TestIdentity;
  readonly network: PeerNetwork;
  readonly directory: TestDirectory;
  readonly handlers: RecordingHandlers;
  readonly log: LogLine[];

  constructor(
    raftId: number,
    identity: TestIdentity,
    parts: Readonly<{
      life: NodeLife;
      network: PeerNetwork;
      directory: TestDirectory;
      handlers: RecordingHandlers;
      log: LogLine[];
    }>,
  ) {
    this.raftId = raftId;
    this.identity = identity;
    this.life = parts.life;
    this.network = parts.network;
    this.directory = parts.directory;
    this.handlers = parts.handlers;
    this.log = parts.log;
  }

  get peer(): Peer {
    return { raftId: this.raftId, nodeId: this.identity.nodeId, address: this.network.address, life: this.life };
  }

  async until(holds: () => boolean): Promise<void> {
    await this.handlers.witness.until(holds);
  }

  logged(code: string): boolean {
    return this.log.some(({ fields }) => 'code' in fields && fields.code === code);
  }
}

export type NodeSettings = Readonly<{
  identity?: TestIdentity;
  shown?: PeerIdentity;
  /** Default: none, as on `virtual`. */
  life?: NodeLife;
  limits?: Partial<PeerLimits>;
  timers?: PeerTimers;
  nowMs?: () => number;
}>;

export class PeerGroup {
  readonly service: TestService;
  readonly nodes: TestNode[] = [];

  constructor(service: TestService) {
    this.service = service;
  }

  /** A node that knows nobody yet and that nobody knows. */
  async start(raftId: number, settings: NodeSettings = {}): Promise<TestNode> {
    const identity = settings.identity ?? (await this.service.node());
    const life = settings.life ?? NO_LIFE;
    const directory = new TestDirectory();
    const handlers = new RecordingHandlers();
    const log: LogLine[] = [];
    const write =
      (level: LogLine['level']) =>
      (fields: object, message: string): void => {
        log.push({ level, fields, message });
        handlers.witness.happened();
      };
    const network = await PeerNetwork.listen(
      {
        host: '127.0.0.1',
        port: 0,
        identity: settings.shown ?? identity,
        life,
        serviceCertificate: this.service.certificate,
        limits: { minRetryMs: 1, maxRetryMs: 8, ...settings.limits },
      },
      {
        directory,
        handlers,
        log: { info: write('info'), warn: write('warn'), error: write('error') },
        timers: settings.timers ?? systemTimers,
        entropy: seededEntropy(raftId),
        nowMs: settings.nowMs ?? Date.now,
      },
    );
    const node = new TestNode(raftId, identity, { life, network, directory, handlers, log });
    this.nodes.push(node);
    return node;
  }

  /** Nodes 1 to `count`, each connected to each other. */
  async cluster(count: number, settings: NodeSettings = {}): Promise<TestNode[]> {
    const nodes: TestNode[] = [];
    for (let raftId = 1; raftId <= count; raftId++) nodes.push(await this.start(raftId, settings));
    await this.connect(nodes);
    return nodes;
  }

  /** Makes the nodes members for each other and waits until they have met. */
  async connect(nodes: readonly TestNode[]): Promise<void> {
    for (const node of nodes) {
      for (const other of nodes) node.directory.members.set(other.raftId, other.peer);
    }
    for (const node of nodes) node.network.directoryChanged();
    for (const node of nodes) {
      for (const other of nodes) if (other !== node) await node.until(() => node.network.reachable(other.raftId));
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.splice(0).map(({ network }) => network.close()));
  }
}
