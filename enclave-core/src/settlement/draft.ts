/**
 * One draft per Raft `Ready`: its entries apply to the draft, while queries keep reading the committed state, until
 * `commit` brings all of it in at once. A draft that is not committed leaves no trace.
 */
import type { Registry } from '@drawbridge/governance/registry';
import type { Applied } from './apply.ts';
import type { Entry } from './command.ts';
import { InvariantError } from './invariant-error.ts';
import { type LedgerFacts, NO_FACTS } from './ledger-facts.ts';
import { Overlay } from './overlay.ts';
import { RELEASED_RULES, type Rulebook, VersionUnknownError } from './rules.ts';
import type { SettlementState } from './state.ts';

export class Draft {
  readonly #base: SettlementState;
  readonly #overlay: Overlay;
  readonly #revision: number;
  readonly #rules: Rulebook;
  #phase: 'open' | 'broken' | 'committed' = 'open';

  /** Only one draft of a state may be open at a time. */
  constructor(base: SettlementState, rules: Rulebook = RELEASED_RULES) {
    this.#base = base;
    this.#rules = rules;
    this.#overlay = new Overlay(base);
    this.#revision = base.revision;
  }

  get registry(): Registry {
    return this.#overlay.registry;
  }

  /**
   * @param facts as of this entry; the ones before it may have changed them
   * @throws InvariantError when the state contradicts itself: the draft takes nothing more, and the node must stop.
   * VersionUnknownError where governance has switched to rules that this program does not have
   */
  apply(entry: Entry, facts: LedgerFacts = NO_FACTS): Applied {
    this.#expectOpen();
    this.#phase = 'broken';
    const { protocolVersion } = this.#overlay.registry;
    const rules = this.#rules.get(protocolVersion);
    if (!rules) {
      const known = Math.max(...this.#rules.keys());
      throw new VersionUnknownError(
        `the ledger was switched to protocol version ${protocolVersion}, this program knows ${known}: upgrade this node`,
      );
    }
    // A leader proposes only after it has applied all that stands before, the switch included.
    if (entry.version !== protocolVersion) {
      throw new InvariantError(`an entry of version ${entry.version} stands under version ${protocolVersion}`);
    }
    this.#overlay.facts = facts;
    const applied = rules(this.#overlay, entry);
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
