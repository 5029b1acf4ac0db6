/**
 * Who the peers of a node are that is behind: what its ledger says, or what it was told by those who let it in or whom it asked,
 * whichever is of later. A leader that a node has never heard of could not bring it up to date otherwise. Which life a place is of
 * does not change by what a node is told: who tells it may be a past of the service that its host runs beside it.
 */
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import type { Peer, PeerDirectory } from '../peers/peer-types.ts';

/** `revision` of the membership that it is of. */
export type ToldPeers = Readonly<{ revision: number; peers: readonly Peer[] }>;

export class SeededDirectory implements PeerDirectory {
  readonly #ledger: PeerDirectory & Readonly<{ revision: number }>;
  #told: ToldPeers;

  constructor(ledger: PeerDirectory & Readonly<{ revision: number }>, told: ToldPeers) {
    this.#ledger = ledger;
    this.#told = told;
  }

  /** @returns whether it is news */
  tell(told: ToldPeers): boolean {
    if (told.revision <= Math.max(this.#told.revision, this.#ledger.revision)) return false;
    const lives = new Map(Array.from(this.peers(), ({ raftId, life }) => [raftId, life]));
    const peers = told.peers.map((peer) => ({ ...peer, life: lives.get(peer.raftId) ?? peer.life }));
    this.#told = { ...told, peers };
    return true;
  }

  peers(): Iterable<Peer> {
    return this.#isBehind ? this.#told.peers : this.#ledger.peers();
  }

  byNodeId(nodeId: NodeId): Peer | undefined {
    if (!this.#isBehind) return this.#ledger.byNodeId(nodeId);
    const places = this.#told.peers.filter((peer) => peer.nodeId === nodeId);
    return places.sort((a, b) => b.raftId - a.raftId)[0];
  }

  mayJoin(nodeId: NodeId): boolean {
    return this.#ledger.mayJoin(nodeId);
  }

  get #isBehind(): boolean {
    return this.#told.revision > this.#ledger.revision;
  }
}
