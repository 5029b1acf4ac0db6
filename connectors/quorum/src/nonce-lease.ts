/**
 * Lets one process at a time take nonces of one fee key. A courtesy among couriers, not a safeguard: without Redis, or
 * with a lease that ran out, two processes may take one nonce; then a node refuses one of the two transactions, and its
 * sender takes another nonce.
 */
import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { EvmAddress } from '@drawbridge/protocol/ids';
import type { Redis } from 'ioredis';

/** `next`: lowest nonce that the work left free, for whoever comes after; `undefined` where it took none. */
export type Leased<T> = Readonly<{ value: T; next: number | undefined }>;

export interface NonceLease {
  /** `hint`: lowest nonce that no other process took lately; the node's pool may not know all of them yet. */
  hold<T>(work: (hint: number | undefined) => Promise<Leased<T>>): Promise<T>;
}

export type RedisNonceLeaseOptions = Readonly<{
  chainId: number;
  address: EvmAddress;
  /** A holder that dies is waited for no longer than this. */
  leaseMs: number;
  /** How long to wait for the lease before going on without. */
  waitMs: number;
  /** How long a hint is believed: longer than pools need to exchange transactions. */
  hintMs: number;
}>;

const RETRY_MS = 5;
const RELEASE = `
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] ~= '' then redis.call('set', KEYS[2], ARGV[2], 'px', ARGV[3]) end
return redis.call('del', KEYS[1])`;

export class RedisNonceLease implements NonceLease {
  readonly #options: RedisNonceLeaseOptions;
  readonly #redis: Redis;
  readonly #onFallback: () => void;
  readonly #lockKey: string;
  readonly #hintKey: string;

  /** @param redis must fail commands at once when it is not connected. @param onFallback told when no lease was had. */
  constructor(options: RedisNonceLeaseOptions, redis: Redis, onFallback: () => void) {
    this.#options = options;
    this.#redis = redis;
    this.#onFallback = onFallback;
    const account = createHash('sha256').update(`${options.chainId} ${options.address}`).digest('hex').slice(0, 32);
    this.#lockKey = `drawbridge:nonce-lease:${account}`;
    this.#hintKey = `drawbridge:nonce-next:${account}`;
  }

  async hold<T>(work: (hint: number | undefined) => Promise<Leased<T>>): Promise<T> {
    const token = randomUUID();
    const hint = await this.#acquire(token);
    if (hint === 'none') {
      this.#onFallback();
      return (await work(undefined)).value;
    }
    let next: number | undefined;
    try {
      const leased = await work(hint);
      next = leased.next;
      return leased.value;
    } finally {
      await this.#release(token, next);
    }
  }

  async #acquire(token: string): Promise<number | undefined | 'none'> {
    const { leaseMs, waitMs } = this.#options;
    try {
      for (let waited = 0; waited <= waitMs; waited += RETRY_MS) {
        if ((await this.#redis.set(this.#lockKey, token, 'PX', leaseMs, 'NX')) === 'OK') {
          const hint = await this.#redis.get(this.#hintKey);
          return hint !== null && /^[0-9]{1,15}$/.test(hint) ? Number(hint) : undefined;
        }
        await delay(RETRY_MS);
      }
    } catch {
      // Redis is away: the node's own count has to do.
    }
    return 'none';
  }

  async #release(token: string, next: number | undefined): Promise<void> {
    const { hintMs } = this.#options;
    try {
      await this.#redis.eval(RELEASE, 2, this.#lockKey, this.#hintKey, token, next === undefined ? '' : next, hintMs);
    } catch {
      // The lease runs out by itself.
    }
  }
}

/** For a fee key that one process alone has. */
export class SoleNonceLease implements NonceLease {
  async hold<T>(work: (hint: number | undefined) => Promise<Leased<T>>): Promise<T> {
    return (await work(undefined)).value;
  }
}
