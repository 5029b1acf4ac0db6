/** Since when a node can be missed: what a group of fewer than three answered, a rolled-back disk may have forgotten. */
import type { ConfState } from '../consensus/raft-types.ts';

const ENOUGH = 3;

export class ThreeVoters {
  #since: number | undefined;

  /** @param index of the entry or snapshot that brought these members */
  changed(members: ConfState, index: number): void {
    this.#since = hasEnough(members) ? (this.#since ?? index) : undefined;
  }

  /**
   * Whether an entry came when the group had three voters or more, and has had them ever since. What was before this process
   * began is not known, and counts as less.
   * @param now the present members, and the index that brought them
   */
  had(seqno: number, now: Readonly<{ members: ConfState; membersIndex: number }>): boolean {
    return hasEnough(now.members) && seqno > (this.#since ?? now.membersIndex);
  }
}

/** While the members change, both groups decide. */
const hasEnough = ({ voters, votersOutgoing }: ConfState): boolean =>
  voters.length >= ENOUGH && (votersOutgoing.length === 0 || votersOutgoing.length >= ENOUGH);
