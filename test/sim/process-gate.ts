/**
 * Everything that reaches a process of the world comes through its gate: a stopped process (SIGSTOP) gets it when it goes
 * on, a dead one never.
 */
export class ProcessGate {
  #state: 'running' | 'paused' | 'dead' = 'running';
  readonly #waiting: (() => void)[] = [];

  get alive(): boolean {
    return this.#state !== 'dead';
  }

  get paused(): boolean {
    return this.#state === 'paused';
  }

  enter(run: () => void): void {
    if (this.#state === 'running') run();
    else if (this.#state === 'paused') this.#waiting.push(run);
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    for (const run of this.#waiting.splice(0)) this.enter(run);
  }

  end(): void {
    this.#state = 'dead';
    this.#waiting.length = 0;
  }
}
