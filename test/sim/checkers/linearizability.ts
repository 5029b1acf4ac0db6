/**
 * Decides, call by call and answer by answer, whether what clients saw could have happened one at a time, each operation
 * between its call and its answer (Herlihy and Wing 1990). Follows every explanation that is still possible, as in Wing
 * and Gong's search, but forwards: a violation shows with the answer that has no explanation. Knows nothing of how the
 * system orders things; the witness check of `real-time-order.ts` does.
 */
import { Violation } from './violation.ts';

/** What one object does. `Output` values are compared as text. */
export type Model<State, Input> = Readonly<{
  initial: State;
  /** Every way in which an operation can take effect on a state. */
  effects: (state: State, input: Input) => readonly Readonly<{ state: State; output: string }>[];
  key: (state: State) => string;
}>;

/** A state that is possible now, and the outputs of those operations under way that took effect already. */
type Explanation<State> = Readonly<{ state: State; done: ReadonlyMap<number, string> }>;

/** Explanations beyond which the history is left undecided. */
const MAX_EXPLANATIONS = 20_000;

export class Linearizability<State, Input> {
  readonly #model: Model<State, Input>;
  readonly #name: string;
  readonly #pending = new Map<number, Input>();
  #explanations: readonly Explanation<State>[];
  #answered = 0;
  #undecided = false;

  /** `name` of the object, for the report. */
  constructor(name: string, model: Model<State, Input>) {
    this.#name = name;
    this.#model = model;
    this.#explanations = [{ state: model.initial, done: new Map() }];
  }

  /** Operations answered so far. */
  get answered(): number {
    return this.#answered;
  }

  /** Too much was under way at once to go on. */
  get undecided(): boolean {
    return this.#undecided;
  }

  called(operation: number, input: Input): void {
    if (!this.#undecided) this.#pending.set(operation, input);
  }

  /** It certainly never took effect. */
  refused(operation: number): void {
    this.#keep((explanation) => (explanation.done.has(operation) ? undefined : explanation));
    this.#pending.delete(operation);
  }

  /** @throws Violation when nothing explains the answer */
  answeredWith(operation: number, output: string): void {
    if (this.#undecided) return;
    this.#answered += 1;
    const reached = this.#closure();
    if (!reached) {
      this.#undecided = true;
      this.#pending.clear();
      return;
    }
    this.#explanations = reached;
    this.#keep(({ state, done }) => {
      if (done.get(operation) !== output) return undefined;
      const rest = new Map(done);
      rest.delete(operation);
      return { state, done: rest };
    });
    this.#pending.delete(operation);
    if (this.#explanations.length === 0) {
      throw new Violation(
        'linearizability',
        `${this.#name}: nothing explains that operation ${operation} was answered with ${output}`,
      );
    }
  }

  #keep(change: (explanation: Explanation<State>) => Explanation<State> | undefined): void {
    const kept = new Map<string, Explanation<State>>();
    for (const explanation of this.#explanations) {
      const changed = change(explanation);
      if (changed) kept.set(this.#keyOf(changed), changed);
    }
    this.#explanations = [...kept.values()];
  }

  /** Everything that can have happened by now; undefined when it is too much. */
  #closure(): readonly Explanation<State>[] | undefined {
    const reached = new Map(this.#explanations.map((explanation) => [this.#keyOf(explanation), explanation]));
    // A map gives what is added while it is gone through.
    for (const { state, done } of reached.values()) {
      for (const [operation, input] of this.#pending) {
        if (done.has(operation)) continue;
        for (const effect of this.#model.effects(state, input)) {
          const next = { state: effect.state, done: new Map(done).set(operation, effect.output) };
          reached.set(this.#keyOf(next), next);
          if (reached.size > MAX_EXPLANATIONS) return undefined;
        }
      }
    }
    return [...reached.values()];
  }

  #keyOf({ state, done }: Explanation<State>): string {
    const outputs = [...done].sort(([a], [b]) => a - b).map(([operation, output]) => `${operation}=${output}`);
    return `${this.#model.key(state)}|${outputs.join()}`;
  }
}
