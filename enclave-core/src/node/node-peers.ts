/** What a node is to its peers: who they are by the ledger, what they may ask, and what becomes of what they send. */
import type { PeerTransport } from '../consensus/ports.ts';
import type { PeerHandlers, PeerMethod } from '../peers/peer-types.ts';
import type { MemberDirectory } from './member-directory.ts';

/** The network of nodes, as a node uses it; `PeerNetwork` is one, a simulation has another. */
export interface Peers extends PeerTransport {
  /** @throws with a code: `UNREACHABLE` if it was certainly not sent */
  request(
    raftId: number,
    method: PeerMethod,
    body: Uint8Array,
    options: Readonly<{ timeoutMs: number }>,
  ): Promise<Uint8Array>;
  /** The ledger says something else of who is a member. */
  directoryChanged(): void;
  close(): Promise<void>;
}

export type OpenPeers = (directory: MemberDirectory, handlers: PeerHandlers) => Promise<Peers>;

const alone = (): never => {
  throw Object.assign(new Error('this node has no peers'), { code: 'UNREACHABLE' });
};

/** Of a node that stays alone. */
export const noPeers: Peers = {
  send: () => undefined,
  sendSnapshot: async () => alone(),
  request: async () => alone(),
  directoryChanged: () => undefined,
  close: async () => undefined,
};
