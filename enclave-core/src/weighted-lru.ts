/** Keeps what was used last, up to a total weight. What alone weighs more than the bound is not kept. */
export class WeightedLru<K, V> {
  readonly #maxWeight: number;
  readonly #items = new Map<K, Readonly<{ value: V; weight: number }>>();
  #weight = 0;

  constructor(maxWeight: number) {
    this.#maxWeight = maxWeight;
  }

  get(key: K): V | undefined {
    const item = this.#items.get(key);
    if (!item) return undefined;
    this.#items.delete(key);
    this.#items.set(key, item);
    return item.value;
  }

  put(key: K, value: V, weight = 1): void {
    this.delete(key);
    this.#items.set(key, { value, weight });
    this.#weight += weight;
    for (const oldest of this.#items.keys()) {
      if (this.#weight <= this.#maxWeight) break;
      this.delete(oldest);
    }
  }

  delete(key: K): void {
    this.#weight -= this.#items.get(key)?.weight ?? 0;
    this.#items.delete(key);
  }

  clear(): void {
    this.#items.clear();
    this.#weight = 0;
  }
}
