/** A network of nodes in one process: messages arrive in a later turn, or not at all where a test has cut the line. */
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import type { RaftMessage } from '../../consensus/raft-types.ts';
import type { PeerDirectory, PeerHandlers, PeerMethod } from '../../peers/peer-types.ts';
import type { OpenPeers, Peers } from '../node-peers.ts';

type Line = Readonly<{ raftId: number; directory: PeerDirectory; handlers: PeerHandlers }>;

const unreachable = (): Error => Object.assign(new Error('the peer is not reached'), { code: 'UNREACHABLE' });

export class LoopbackNetwork {
  readonly #lines = new Map<number, Line>();
  readonly #cut = new Set<number>();
  /** What becomes of a node's answer on its way. */
  spoil: (answering: number, method: PeerMethod, answer: Uint8Array) => Uint8Array = (_answering, _method, answer) =>
    answer;

  /** What a node is given to open its peers with. */
  opener(raftId: number): OpenPeers {
    return async (directory, handlers) => {
      this.#lines.set(raftId, { raftId, directory, handlers });
      return this.#peersOf(raftId);
    };
  }

  /** Nothing passes to or from these any more. */
  cut(...raftIds: number[]): void {
    for (const id of raftIds) this.#cut.add(id);
  }

  heal(): void {
    this.#cut.clear();
  }

  /** Tells all other nodes a node's clock, as its peers' connections do. */
  tellClock(from: number, clockMs: number): void {
    for (const { raftId, handlers } of this.#lines.values()) {
      if (raftId !== from && this.#reach(from, raftId)) handlers.clock(from, clockMs);
    }
  }

  /** Asks a node to be admitted. */
  join(raftId: number, nodeId: NodeId, body: Uint8Array): Promise<Uint8Array> {
    const line = this.#lines.get(raftId);
    return line ? line.handlers.join(nodeId, body) : Promise.reject(unreachable());
  }

  #reach(from: number, to: number): Line | undefined {
    return this.#cut.has(from) || this.#cut.has(to) ? undefined : this.#lines.get(to);
  }

  #peersOf(self: number): Peers {
    const deliver = (to: number, call: (line: Line) => void): void => {
      setImmediate(() => {
        const line = this.#reach(self, to);
        if (line) call(line);
      });
    };
    return {
      send: (messages: readonly RaftMessage[]) => {
        for (const { to, bytes } of messages) deliver(to, ({ handlers }) => handlers.messages(self, [bytes]));
      },
      sendSnapshot: async (message, content) => {
        const line = this.#reach(self, message.to);
        if (!line) throw unreachable();
        deliver(message.to, ({ handlers }) => handlers.snapshot(self, message.bytes, content));
      },
      request: async (raftId: number, method: PeerMethod, body: Uint8Array) => {
        const line = this.#reach(self, raftId);
        const own = this.#lines.get(self);
        if (!line || !own) throw unreachable();
        const from = Array.from(line.directory.peers()).find((peer) => peer.raftId === self);
        if (!from) throw unreachable();
        return this.spoil(raftId, method, await line.handlers.request(from, method, body));
      },
      directoryChanged: () => undefined,
      close: async () => {
        this.#lines.delete(self);
      },
    };
  }
}
