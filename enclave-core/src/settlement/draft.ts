/** One draft per Raft `Ready`: entries apply to it, queries keep reading the committed state until `commit`. */
import type { Entry, Outcome } from './command.ts';
import { InvariantError } from './invariant-error.ts';
import type { EntryRecords } from './record.ts';
import type { SettlementState } from './state.ts';

export type Applied = { outcomes: Outcome[]; records: EntryRecords };

export class Draft {
  readonly #base: SettlementState;

  constructor(base: SettlementState) {
    this.#base = base;
  }

  /** @throws InvariantError when the state contradicts itself; the node must stop. */
  apply(entry: Entry): Applied {
    throw new InvariantError(`entry of ${entry.commands.length} commands on ${this.#base.stampMs}`);
  }

  /** Makes everything applied visible to queries. The draft is spent. */
  commit(): void {
    throw new InvariantError('nothing was applied');
  }
}
