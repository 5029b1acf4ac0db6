/** What came in since the last turn, in order and bounded: messages of peers, calls, ticks. */

export type Inbound = Readonly<{ from: number; messages: readonly Uint8Array[] }>;

export class Inbox {
  readonly #maxBytes: number;
  readonly #maxTicks: number;
  #messages: Inbound[] = [];
  #bytes = 0;
  #commands: (() => void)[] = [];
  #ticks = 0;

  /**
   * @param maxBytes of messages; what exceeds it is lost, and raft sends again
   * @param maxTicks a process that slept must not believe that all that time passed in silence
   */
  constructor(maxBytes: number, maxTicks: number) {
    this.#maxBytes = maxBytes;
    this.#maxTicks = maxTicks;
  }

  /** False: no room. */
  put(from: number, messages: readonly Uint8Array[]): boolean {
    let bytes = 0;
    for (const message of messages) bytes += message.length;
    if (this.#bytes + bytes > this.#maxBytes) return false;
    this.#bytes += bytes;
    this.#messages.push({ from, messages });
    return true;
  }

  command(command: () => void): void {
    this.#commands.push(command);
  }

  tick(): void {
    this.#ticks = Math.min(this.#ticks + 1, this.#maxTicks);
  }

  takeMessages(): readonly Inbound[] {
    if (this.#messages.length === 0) return [];
    const messages = this.#messages;
    this.#messages = [];
    this.#bytes = 0;
    return messages;
  }

  takeCommands(): readonly (() => void)[] {
    if (this.#commands.length === 0) return [];
    const commands = this.#commands;
    this.#commands = [];
    return commands;
  }

  takeTicks(): number {
    const ticks = this.#ticks;
    this.#ticks = 0;
    return ticks;
  }
}
