/** Changes to one table of the state, laid over the committed rows. */
export class Rows<K, V> {
  readonly #base: ReadonlyMap<K, V>;
  /** `undefined` stands for a row that was removed. */
  readonly #changed: Map<K, V | undefined> = new Map();

  constructor(base: ReadonlyMap<K, V>) {
    this.#base = base;
  }

  get(key: K): V | undefined {
    const changed = this.#changed.get(key);
    if (changed !== undefined) return changed;
    return this.#changed.has(key) ? undefined : this.#base.get(key);
  }

  set(key: K, value: V): void {
    this.#changed.set(key, value);
  }

  delete(key: K): void {
    this.#changed.set(key, undefined);
  }

  /** Whether the committed row, if there is one, counts no more. */
  hasChanged(key: K): boolean {
    return this.#changed.has(key);
  }

  changes(): Iterable<readonly [K, V | undefined]> {
    return this.#changed;
  }

  /** All rows as they are now, in no order that may matter. */
  *values(): Generator<V> {
    for (const [key, value] of this.#base) if (!this.#changed.has(key)) yield value;
    for (const value of this.#changed.values()) if (value !== undefined) yield value;
  }
}
