/** What the peer network is told and given, and who a peer is. */
import type { KeyObject } from 'node:crypto';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import type { NodeLife } from '@drawbridge/protocol/ledger/node-life';
import type { Entropy } from '../consensus/wasi-shim.ts';
import type { NodeLog } from '../node-log.ts';
import type { PeerLimits } from './peer-limits.ts';
import type { PeerTimers } from './peer-timers.ts';

/** `address` is `host:port`; an IPv6 host stands in brackets. `life`: of the process that has the place; no other is its peer. */
export type Peer = Readonly<{ raftId: number; nodeId: NodeId; address: string; life: NodeLife }>;

/** The members as the applied ledger has them. Asked anew for every connection and after `directoryChanged`. */
export interface PeerDirectory {
  /** May name this node itself; it is passed over. */
  peers(): Iterable<Peer>;
  /** Of two rows of one key, as during a replacement, the newer: that is the process which is alive. */
  byNodeId(nodeId: NodeId): Peer | undefined;
  /** Whether the key may ask to become a member. */
  mayJoin(nodeId: NodeId): boolean;
}

export type PeerMethod = 'submit' | 'ledger' | 'receipt';

/**
 * Calls come in the order of arrival on one connection. `from` is who the certificate says, by the directory. What an
 * answer rejects with reaches the caller as its `code` alone. Byte arrays may be kept; they are not used again.
 */
export interface PeerHandlers {
  /** All messages that arrived together. */
  messages(from: number, messages: readonly Uint8Array[]): void;
  /** Called once all of `content` is there. */
  snapshot(from: number, message: Uint8Array, content: Uint8Array): void;
  /** Messages to this peer were lost or will be. Repeated while that lasts. */
  unreachable(raftId: number): void;
  request(from: Peer, method: PeerMethod, body: Uint8Array): Promise<Uint8Array>;
  /** From a key that `mayJoin` names, member or not. */
  join(nodeId: NodeId, body: Uint8Array): Promise<Uint8Array>;
  /** Unix ms of the peer's clock when it wrote the frame. */
  clock(raftId: number, peerNowMs: number): void;
}

/** `key`: EC P-384, PKCS#8 PEM or a key object. `certificate`: PEM, endorsed by the service; of a joiner, signed by itself. */
export type PeerIdentity = Readonly<{ key: string | KeyObject; certificate: string }>;

export type PeerNetworkOptions = Readonly<{
  host: string;
  /** 0: any free port. */
  port: number;
  identity: PeerIdentity;
  /** Of this process; told to every peer. */
  life: NodeLife;
  /** PEM; the only root that peers are checked against. */
  serviceCertificate: string;
  limits?: Partial<PeerLimits>;
}>;

export type PeerNetworkDependencies = Readonly<{
  directory: PeerDirectory;
  handlers: PeerHandlers;
  log: NodeLog;
  timers: PeerTimers;
  /** Spreads the attempts to connect again. */
  entropy: Entropy;
  /** Unix ms; sent to peers, and compared with validity periods. */
  nowMs: () => number;
}>;
