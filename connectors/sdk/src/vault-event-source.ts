/** The ports of a follower: the ledger that it reads, the evidence that it makes, the cursor that it returns to. */
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { AssetCode, NetworkId } from '@drawbridge/protocol/ids';

/** A vault event at the depth that the network's rule asks for. `raw` is what evidence is made from. */
export type FollowedEvent<Raw> = Readonly<{
  /** The vault's address in its network's canonical text (EVM: lower-case hex). */
  vault: string;
  /** The vault's own counter: 1, 2, 3 … */
  seq: number;
  blockNumber: number;
  blockHash: Bytes32;
  raw: Raw;
}>;

/**
 * Reads a ledger. Throws `LedgerUnavailableError` when it gives no answer, or none that holds together (a block that
 * changed between two questions): ask again.
 */
export interface VaultEventSource<Raw> {
  /** The highest block whose events are deep enough; −1 when there is none. */
  finalisedHead(): Promise<number>;
  /** All events of `vaults` in blocks `fromBlock` … `toBlock`, both included, in ledger order. */
  finalisedEvents(query: {
    vaults: readonly string[];
    fromBlock: number;
    toBlock: number;
  }): Promise<FollowedEvent<Raw>[]>;
  /** Those in later blocks, which are not deep enough and may yet go; none where every block counts at once. */
  comingEvents?(query: { vaults: readonly string[]; afterBlock: number }): Promise<FollowedEvent<Raw>[]>;
  /** Whether the block of the event is still the ledger's: false means that the finality rule was broken. */
  stillHolds(event: Pick<FollowedEvent<Raw>, 'blockNumber' | 'blockHash'>): Promise<boolean>;
}

export type EvidenceBuild =
  | Readonly<{ type: 'built'; bytes: Uint8Array }>
  /** Not yet, or not with these witnesses; `code` is for logs. */
  | Readonly<{ type: 'pending'; code: string }>;

export interface EvidenceBuilder<Raw> {
  /** It gains by being asked before an event is deep enough, and then answers that it is pending. */
  readonly gainsByAskingAhead?: boolean;
  build(event: FollowedEvent<Raw>, signal: AbortSignal): Promise<EvidenceBuild>;
}

/** The latest block that the core verified of a network that proves its blocks. */
export type TrackedHead = Readonly<{ number: number; hash: Bytes32 }>;

/** Where the core stands: the event that it expects next from each vault, and a block at or before that event. */
export type FollowerCursor = Readonly<{
  network: NetworkId;
  /** Absent for networks that are believed by observers. */
  head?: TrackedHead;
  vaults: readonly Readonly<{ asset: AssetCode; address: string; nextEventSeq: number; fromBlock: number }>[];
}>;

/** The core as a follower sees it. Throws when the core cannot be asked. */
export interface CursorSource {
  cursor(network: NetworkId): Promise<FollowerCursor>;
  /** The RSA key that evidence is sealed to: SPKI, PEM. */
  sealingKey(): Promise<string>;
}

/** One event's evidence under the id of its job. */
export type EvidenceOffer = Readonly<{ jobId: string; bytes: Uint8Array }>;

/** The queue as a follower sees it. */
export interface EvidenceOutbox {
  /** Puts items on the queue, in order. An item that is there already, in whatever state, is left alone. */
  offer(items: readonly EvidenceOffer[]): Promise<void>;
  /**
   * For items that were offered and that the core does not know: brings back those that were lost, that ended without
   * the core having taken them, or that failed some time ago.
   */
  reoffer(items: readonly EvidenceOffer[]): Promise<void>;
  /** The key to seal to from now on. */
  sealTo(publicKeyPem: string): void;
}
