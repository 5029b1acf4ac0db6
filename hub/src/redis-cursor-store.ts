/** Outbox cursors, kept in the Redis that holds the jobs, so that both are lost together or not at all. */
import type { NetworkId } from '@drawbridge/protocol/ids';
import type { Redis } from 'ioredis';
import type { CursorStore } from './outbox-pump.ts';

export class RedisCursorStore implements CursorStore {
  readonly #redis: Redis;
  readonly #service: string;

  /** `service`: a service made anew begins at the start of its own outbox, whatever another left in the Redis. */
  constructor(redis: Redis, service: string) {
    this.#redis = redis;
    this.#service = service;
  }

  #key(network: NetworkId): string {
    return `drawbridge:outbox-cursor:${this.#service}:${network}`;
  }

  async read(network: NetworkId): Promise<number> {
    const text = await this.#redis.get(this.#key(network));
    return text !== null && /^[0-9]{1,15}$/.test(text) ? Number(text) : 0;
  }

  async write(network: NetworkId, cursor: number): Promise<void> {
    await this.#redis.set(this.#key(network), String(cursor));
  }
}
