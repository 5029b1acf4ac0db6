/** Requests that wait for something to answer: bounded in all, and for each participant. */
import type { ParticipantId } from '@drawbridge/protocol/ids';

export class RequestWaits {
  readonly #limits: Readonly<{ all: number; perParticipant: number }>;
  readonly #perParticipant = new Map<ParticipantId, number>();
  #all = 0;

  constructor(limits: Readonly<{ all: number; perParticipant: number }>) {
    this.#limits = limits;
  }

  hasRoomFor(participant: ParticipantId): boolean {
    const { all, perParticipant } = this.#limits;
    return this.#all < all && (this.#perParticipant.get(participant) ?? 0) < perParticipant;
  }

  async during<T>(participant: ParticipantId, wait: () => Promise<T>): Promise<T> {
    this.#count(participant, 1);
    try {
      return await wait();
    } finally {
      this.#count(participant, -1);
    }
  }

  #count(participant: ParticipantId, more: 1 | -1): void {
    this.#all += more;
    const own = (this.#perParticipant.get(participant) ?? 0) + more;
    if (own > 0) this.#perParticipant.set(participant, own);
    else this.#perParticipant.delete(participant);
  }
}
