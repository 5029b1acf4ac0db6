/** Ids that were used, for ever. */
export class SpentIds {
  readonly #keys: Set<string> = new Set();
  get size(): number {
    return this.#keys.size;
  }
  has(id: string): boolean {
    return this.#keys.has(id);
  }
  add(id: string): void {
    this.#keys.add(id);
  }
}
