/**
 * The ledger secrets: one for each epoch, the newest for what is written now, the earlier ones for what was. Every node has
 * all of them, so what one node sealed each of them opens. Sealed bytes begin with the epoch whose secret they are under.
 */
import { createCipheriv } from 'node:crypto';
import { CLAIM_SALT_BYTES } from '@drawbridge/protocol/ledger/claims';
import { FIRST_EPOCH } from '../membership/membership-state.ts';
import { hmacSha256, sha256 } from '../sha256.ts';
import { type Entropy, KeyRing, SEAL_OVERHEAD_BYTES, SealBrokenError } from './key-ring.ts';

/** u32, big-endian. */
const EPOCH_BYTES = 4;
const MAX_EPOCH: number = 2 ** 32 - 1;
/** Of a cipher whose key is used once. */
const FIRST_COUNTER: Uint8Array = new Uint8Array(16);
export const LEDGER_SECRET_BYTES = 32;
/** Sealed bytes: epoch 4 ‖ as `KeyRing` seals. */
export const LEDGER_SEAL_OVERHEAD_BYTES: number = EPOCH_BYTES + SEAL_OVERHEAD_BYTES;

export type LedgerSealPurpose = 'log' | 'snapshot';

type EpochKeys = Readonly<{ secret: Uint8Array; ring: KeyRing; commitKey: Uint8Array; claimsKey: Uint8Array }>;

export class LedgerKeys {
  readonly #entropy: Entropy | undefined;
  readonly #epochs = new Map<number, EpochKeys>();
  #epoch = 0;

  /** @throws RangeError unless each secret has 32 bytes and there is one at least */
  constructor(secrets: ReadonlyMap<number, Uint8Array>, entropy?: Entropy) {
    this.#entropy = entropy;
    if (secrets.size === 0) throw new RangeError('a ledger has a secret');
    for (const [epoch, secret] of secrets) this.add(epoch, secret);
  }

  /** The newest one that is known: what is sealed now is under its secret. */
  get epoch(): number {
    return this.#epoch;
  }

  /** @throws RangeError where the epoch has another secret, or for what is none */
  add(epoch: number, secret: Uint8Array): void {
    if (!Number.isSafeInteger(epoch) || epoch < FIRST_EPOCH || epoch > MAX_EPOCH) {
      throw new RangeError('an epoch is a whole number from 1 on');
    }
    if (secret.length !== LEDGER_SECRET_BYTES) throw new RangeError(`a ledger secret has ${LEDGER_SECRET_BYTES} bytes`);
    const known = this.#epochs.get(epoch);
    if (known) {
      if (Buffer.compare(known.secret, secret) !== 0) throw new RangeError(`epoch ${epoch} has another secret`);
      return;
    }
    const own = Uint8Array.from(secret);
    const ring = new KeyRing({ secret: own, ...(this.#entropy && { entropy: this.#entropy }) });
    const commitKey = ring.fixedKey('commit-evidence');
    this.#epochs.set(epoch, { secret: own, ring, commitKey, claimsKey: ring.fixedKey('claims') });
    this.#epoch = Math.max(this.#epoch, epoch);
  }

  /** By epoch, rising. To be sealed wherever it goes. */
  secrets(): ReadonlyMap<number, Uint8Array> {
    const rising = [...this.#epochs].sort(([a], [b]) => a - b);
    return new Map(rising.map(([epoch, { secret }]) => [epoch, secret]));
  }

  has(epoch: number): boolean {
    return this.#epochs.has(epoch);
  }

  /** Under the newest secret. `place` is authenticated, not stored: opening needs the same. */
  seal(purpose: LedgerSealPurpose, plaintext: Uint8Array, place?: Uint8Array): Uint8Array {
    const sealed = this.#of(this.#epoch).ring.seal(purpose, plaintext, place);
    const out = Buffer.allocUnsafe(EPOCH_BYTES + sealed.length);
    out.writeUInt32BE(this.#epoch);
    out.set(sealed, EPOCH_BYTES);
    return out;
  }

  /** @throws SealBrokenError, also for an epoch whose secret is not known here */
  open(purpose: LedgerSealPurpose, sealed: Uint8Array, place?: Uint8Array): Uint8Array {
    if (sealed.length < EPOCH_BYTES) throw new SealBrokenError(`sealed ${purpose} has an unknown form`);
    const epoch = Buffer.from(sealed.buffer, sealed.byteOffset, EPOCH_BYTES).readUInt32BE();
    return this.#of(epoch).ring.open(purpose, sealed.subarray(EPOCH_BYTES), place);
  }

  /**
   * `ce:<txid>:<hex>`: shown in receipts only, so that who sees an entry before it is committed cannot make a receipt of it.
   * @throws SealBrokenError for an unknown epoch
   */
  commitEvidence(epoch: number, txid: string): string {
    return `ce:${txid}:${hmacSha256(this.#of(epoch).commitKey, txid).toString('hex')}`;
  }

  /** SHA-256 of the text, which stands in the ledger. @throws SealBrokenError for an unknown epoch */
  commitEvidenceDigest(epoch: number, txid: string): Uint8Array {
    return sha256(Buffer.from(this.commitEvidence(epoch, txid)));
  }

  /**
   * Salts of an entry's claims, one after the other: the keystream of AES-256-CTR under a key of the epoch and the transaction.
   * @throws SealBrokenError for an unknown epoch
   */
  claimSalts(epoch: number, txid: string, count: number): Uint8Array {
    const key = hmacSha256(this.#of(epoch).claimsKey, txid);
    return createCipheriv('aes-256-ctr', key, FIRST_COUNTER).update(Buffer.alloc(count * CLAIM_SALT_BYTES));
  }

  #of(epoch: number): EpochKeys {
    const found = this.#epochs.get(epoch);
    if (!found) throw new SealBrokenError(`the ledger secret of epoch ${epoch} is not known here`);
    return found;
  }
}
