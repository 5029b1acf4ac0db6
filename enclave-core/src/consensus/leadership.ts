/** Who leads, whether this node can act as leader, and how it hands leadership over. */
import type { Role } from './raft-types.ts';

export type LeadershipHost = Readonly<{
  id: number;
  /** Ticks after which raft gives up handing over. */
  electionTicks: number;
  /** True while raft tries to hand over. */
  handingOver: () => boolean;
  onLeading: (leading: boolean) => void;
}>;

type Transfer = Readonly<{ to: number; deadline: number; resolve: (done: boolean) => void }>;

export class Leadership {
  readonly #host: LeadershipHost;
  #role: Role = 'follower';
  #leader: number | null = null;
  /** Term in which this node is the leader; 0 while it is not. */
  #ownTerm = 0;
  #leading = false;
  #tick = 0;
  #transfers: Transfer[] = [];

  constructor(host: LeadershipHost) {
    this.#host = host;
  }

  get role(): Role {
    return this.#role;
  }

  /** Raft id, null while unknown. */
  get leader(): number | null {
    return this.#leader;
  }

  /** An entry of this leader's own term is applied here, and with it everything that was ever answered before. */
  get leading(): boolean {
    return this.#leading;
  }

  changed(role: Role, leader: number | null, term: number): void {
    this.#role = role;
    this.#leader = leader;
    this.#ownTerm = role === 'leader' ? term : 0;
    if (role !== 'leader' && this.#leading) this.#setLeading(false);
    if (leader === null) return;
    this.#settle(({ to }) => (to === leader ? true : leader === this.#host.id ? undefined : false));
  }

  /** @param term of the last applied entry */
  applied(term: number): void {
    if (!this.#leading && this.#ownTerm > 0 && term === this.#ownTerm) this.#setLeading(true);
  }

  /** True once `to` leads, false when that did not come about. */
  transferred(to: number): Promise<boolean> {
    if (to === this.#leader) return Promise.resolve(true);
    return new Promise((resolve) => {
      this.#transfers.push({ to, deadline: this.#tick + 2 * this.#host.electionTicks, resolve });
    });
  }

  tick(): void {
    this.#tick += 1;
    if (this.#transfers.length === 0) return;
    const givenUp = this.#role === 'leader' && !this.#host.handingOver();
    this.#settle(({ deadline }) => (givenUp || deadline <= this.#tick ? false : undefined));
  }

  stop(): void {
    this.#settle(() => false);
    if (this.#leading) this.#setLeading(false);
  }

  #setLeading(leading: boolean): void {
    this.#leading = leading;
    this.#host.onLeading(leading);
  }

  #settle(outcome: (transfer: Transfer) => boolean | undefined): void {
    this.#transfers = this.#transfers.filter((transfer) => {
      const done = outcome(transfer);
      if (done !== undefined) transfer.resolve(done);
      return done === undefined;
    });
  }
}
