/** Messages that wait for a peer: the oldest make room, because raft sends again and newer ones say more. */

/** What a message costs beside its bytes. */
const OVERHEAD_BYTES = 64;
const GONE = new Uint8Array(0);

export class MessageQueue {
  readonly #maxBytes: number;
  readonly #messages: Uint8Array[] = [];
  /** Index of the oldest; what is before it is gone. */
  #first = 0;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get empty(): boolean {
    return this.#first === this.#messages.length;
  }

  /** How many older ones were dropped for it. The newest always stays. */
  push(message: Uint8Array): number {
    this.#messages.push(message);
    this.#bytes += message.length + OVERHEAD_BYTES;
    let dropped = 0;
    for (; this.#bytes > this.#maxBytes && this.#messages.length - this.#first > 1; dropped++) this.shift();
    return dropped;
  }

  shift(): Uint8Array | undefined {
    const message = this.#messages[this.#first];
    if (!message) return undefined;
    this.#messages[this.#first] = GONE;
    this.#first++;
    this.#bytes -= message.length + OVERHEAD_BYTES;
    // The gone part is cut off once it is the larger one: constant cost per message.
    if (this.#first * 2 > this.#messages.length) {
      this.#messages.splice(0, this.#first);
      this.#first = 0;
    }
    return message;
  }

  clear(): void {
    this.#messages.length = 0;
    this.#first = 0;
    this.#bytes = 0;
  }
}
