/** Who wants to know when a participant's stream has grown. */
import type { ParticipantId } from '@drawbridge/protocol/ids';
import type { AppliedEntry } from './replicated-machine.ts';

export class ParticipantListeners {
  readonly #listeners = new Map<ParticipantId, Set<() => void>>();

  add(participant: ParticipantId, listener: () => void): () => void {
    const set = this.#listeners.get(participant) ?? new Set();
    this.#listeners.set(participant, set);
    // A function of its own, so that one listener added twice is two.
    const call = (): void => listener();
    set.add(call);
    return () => {
      set.delete(call);
      if (set.size === 0 && this.#listeners.get(participant) === set) this.#listeners.delete(participant);
    };
  }

  /** Calls each listener once, however many events came. */
  notify(entries: readonly AppliedEntry[]): void {
    if (this.#listeners.size === 0) return;
    const concerned = new Set<ParticipantId>();
    for (const { applied } of entries)
      for (const { participant } of applied?.records.events ?? []) concerned.add(participant);
    for (const participant of concerned) for (const call of [...(this.#listeners.get(participant) ?? [])]) call();
  }
}
