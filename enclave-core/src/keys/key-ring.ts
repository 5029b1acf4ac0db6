/**
 * Encryption at rest: AES-256-GCM, key = HKDF-SHA256(secret, salt, purpose), nonce = counter.
 *
 * Each ring draws a fresh 256-bit salt and counts from 0 per purpose, so no (key, nonce) pair can repeat: not within a
 * ring (the counter), not after a restart (the salt), and not after the host restored an older disk (nothing on the disk
 * decides either). Salt and counter travel with the ciphertext; whoever has the secret opens it, whichever process sealed.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomFillSync } from 'node:crypto';
import { WeightedLru } from '../weighted-lru.ts';

/** What a key is for; nothing sealed for one purpose opens under another. */
export type SealPurpose = 'log' | 'snapshot' | 'history' | 'bundle' | 'genesis' | 'ledger-secret';
/** Purposes of keys that authenticate or index, and are the same in every process. */
export type FixedPurpose = 'history-index' | 'commit-evidence' | 'claims';

const VERSION = 1;
const SALT_BYTES = 32;
const COUNTER_BYTES = 8;
const TAG_BYTES = 16;
const COUNTER_AT = 1 + SALT_BYTES;
const TAG_AT = COUNTER_AT + COUNTER_BYTES;
/** Sealed bytes: version 1 ‖ salt 32 ‖ counter 8 (big-endian) ‖ tag 16 ‖ ciphertext. */
export const SEAL_OVERHEAD_BYTES: number = TAG_AT + TAG_BYTES;

/** Messages under one key, after which a new salt is drawn; SP 800-38D asks for at most 2³² of a key. */
export const MAX_SEALS_PER_KEY: number = 2 ** 32;
/** Keys of past salts that stay derived. */
export const MAX_CACHED_KEYS = 64;

/** Bytes that this secret did not seal for this purpose and place: damaged, forged, moved, or of another service. */
export class SealBrokenError extends Error {
  override readonly name = 'SealBrokenError';
  readonly code = 'SEAL_BROKEN' as const;
}

/** Random bytes; the same interface as the consensus engine's. */
export type Entropy = Readonly<{ fill: (target: Uint8Array) => void }>;

const SYSTEM_ENTROPY: Entropy = {
  fill: (target) => {
    randomFillSync(target);
  },
};

export type KeyRingOptions = Readonly<{
  secret: Uint8Array;
  maxSealsPerKey?: number;
  maxCachedKeys?: number;
  /** Where salts come from: the system, unless a simulation replays them. */
  entropy?: Entropy;
}>;

type SealingKey = { salt: Buffer; key: Buffer; counter: number };

const infoOf = (purpose: SealPurpose | FixedPurpose): string => `drawbridge/${purpose}/1`;
const EMPTY = new Uint8Array(0);

export class KeyRing {
  readonly #secret: Uint8Array;
  readonly #maxSealsPerKey: number;
  readonly #entropy: Entropy;
  readonly #sealing = new Map<SealPurpose, SealingKey>();
  readonly #opening: WeightedLru<string, Buffer>;

  constructor(options: KeyRingOptions) {
    this.#secret = options.secret;
    this.#maxSealsPerKey = options.maxSealsPerKey ?? MAX_SEALS_PER_KEY;
    this.#entropy = options.entropy ?? SYSTEM_ENTROPY;
    this.#opening = new WeightedLru(options.maxCachedKeys ?? MAX_CACHED_KEYS);
  }

  /** `place` is authenticated, not stored: opening needs the same. */
  seal(purpose: SealPurpose, plaintext: Uint8Array, place: Uint8Array = EMPTY): Uint8Array {
    const current = this.#sealingKey(purpose);
    const sealed = Buffer.allocUnsafe(SEAL_OVERHEAD_BYTES + plaintext.length);
    sealed[0] = VERSION;
    current.salt.copy(sealed, 1);
    sealed.writeBigUInt64BE(BigInt(current.counter), COUNTER_AT);
    current.counter += 1;
    const cipher = createCipheriv('aes-256-gcm', current.key, nonceOf(sealed));
    cipher.setAAD(place);
    cipher.update(plaintext).copy(sealed, SEAL_OVERHEAD_BYTES);
    cipher.final();
    cipher.getAuthTag().copy(sealed, TAG_AT);
    return sealed;
  }

  /** @throws SealBrokenError */
  open(purpose: SealPurpose, sealed: Uint8Array, place: Uint8Array = EMPTY): Uint8Array {
    if (sealed.length < SEAL_OVERHEAD_BYTES || sealed[0] !== VERSION) {
      throw new SealBrokenError(`sealed ${purpose} has an unknown form`);
    }
    const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
    const key = this.#openingKey(purpose, bytes.subarray(1, COUNTER_AT));
    const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(bytes), { authTagLength: TAG_BYTES });
    decipher.setAAD(place);
    decipher.setAuthTag(bytes.subarray(TAG_AT, SEAL_OVERHEAD_BYTES));
    const plaintext = decipher.update(bytes.subarray(SEAL_OVERHEAD_BYTES));
    try {
      decipher.final();
    } catch (cause) {
      throw new SealBrokenError(`sealed ${purpose} does not open under this key`, { cause });
    }
    return plaintext;
  }

  /** 32 bytes that every process with this secret derives alike. Never used with a nonce. */
  fixedKey(purpose: FixedPurpose): Uint8Array {
    return Buffer.from(hkdfSync('sha256', this.#secret, EMPTY, infoOf(purpose), 32));
  }

  #sealingKey(purpose: SealPurpose): SealingKey {
    const current = this.#sealing.get(purpose);
    if (current && current.counter < this.#maxSealsPerKey) return current;
    const salt = Buffer.alloc(SALT_BYTES);
    this.#entropy.fill(salt);
    const fresh = { salt, key: this.#derive(purpose, salt), counter: 0 };
    this.#sealing.set(purpose, fresh);
    return fresh;
  }

  #openingKey(purpose: SealPurpose, salt: Buffer): Buffer {
    const current = this.#sealing.get(purpose);
    if (current?.salt.equals(salt)) return current.key;
    const name = `${purpose}:${salt.toString('base64')}`;
    const key = this.#opening.get(name) ?? this.#derive(purpose, salt);
    this.#opening.put(name, key);
    return key;
  }

  #derive(purpose: SealPurpose, salt: Uint8Array): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#secret, salt, infoOf(purpose), 32));
  }
}

/** 12 bytes: 4 zero, then the counter as it stands in the sealed bytes. */
function nonceOf(sealed: Buffer): Buffer {
  const nonce = Buffer.alloc(12);
  sealed.copy(nonce, 4, COUNTER_AT, TAG_AT);
  return nonce;
}
