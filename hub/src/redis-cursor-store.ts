/** Outbox cursors, kept in the Redis that holds the jobs, so that both are lost together or not at all. */
import type { NetworkId } from '@drawbridge/protocol/ids';
import type { Redis } from 'ioredis';
import type { CursorStore } from './outbox-pump.ts';

const key = (network: NetworkId): string => `drawbridge:outbox-cursor:${network}`;

export class RedisCursorStore implements CursorStore {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  async read(network: NetworkId): Promise<number> {
    const text = await this.#redis.get(key(network));
    return text !== null && /^[0-9]{1,15}$/.test(text) ? Number(text) : 0;
  }

  async write(network: NetworkId, cursor: number): Promise<void> {
    await this.#redis.set(key(network), String(cursor));
  }
}
