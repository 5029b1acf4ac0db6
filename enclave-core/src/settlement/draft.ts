/**
 * One draft per Raft `Ready`: its entries apply to the draft, while queries keep reading the committed state, until
 * `commit` brings all of it in at once. A draft that is not committed leaves no trace.
 */
import { type Applied, applyEntry } from './apply.ts';
import type { Entry } from './command.ts';
import { InvariantError } from './invariant-error.ts';
import { Overlay } from './overlay.ts';
import type { SettlementState } from './state.ts';

export class Draft {
  readonly #base: SettlementState;
  readonly #overlay: Overlay;
  readonly #revision: number;
  #phase: 'open' | 'broken' | 'committed' = 'open';

  /** Only one draft of a state may be open at a time. */
  constructor(base: SettlementState) {
    this.#base = base;
    this.#overlay = new Overlay(base);
    this.#revision = base.revision;
  }

  /** @throws InvariantError when the state contradicts itself: the draft takes nothing more, and the node must stop. */
  apply(entry: Entry): Applied {
    this.#expectOpen();
    this.#phase = 'broken';
    const applied = applyEntry(this.#overlay, entry);
    this.#phase = 'open';
    return applied;
  }

  /** Makes everything applied visible to queries. The draft is spent. */
  commit(): void {
    this.#expectOpen();
    this.#phase = 'committed';
    this.#overlay.merge();
    this.#base.revision += 1;
  }

  #expectOpen(): void {
    if (this.#phase !== 'open') throw new InvariantError(`a draft is used that is ${this.#phase}`);
    if (this.#base.revision !== this.#revision) throw new InvariantError('another draft was committed in between');
  }
}
