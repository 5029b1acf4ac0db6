/**
 * Ids that were used, for ever: transfers (scoped to their bank), locks (scoped to their vault), instructions. Only the
 * first 128 bits of SHA-256 over scope and id are kept, in 256 shards by their first byte, which grow one at a time. Nobody
 * can choose ids that crowd a shard without finding partial preimages of SHA-256, and that would cost him time alone.
 */

import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { InstructionId, LockId, ParticipantId, TransferId, VaultKey } from '@drawbridge/protocol/ids';
import type { StateRef } from '@drawbridge/protocol/state-ref';
import { sha256OfText } from '../sha256.ts';
import { type Key, keyOfWords, Shard, sortedKeys } from './spent-shard.ts';

/** An id in its scope, hashed once for all look-ups of one command. */
export type SpentMark = Key & Readonly<{ text: string }>;

/** Longest id in its scope, in characters. */
const MAX_MARK = 256;

function mark(text: string): SpentMark {
  if (text.length > MAX_MARK) throw new RangeError(`an id in its scope has at most ${MAX_MARK} characters`);
  const digest = sha256OfText(text);
  const { a, b, c, d } = keyOfWords(wordIn(digest, 0), wordIn(digest, 4), wordIn(digest, 8), wordIn(digest, 12));
  return { a, b, c, d, text };
}

/** Big-endian, of characters that are bytes. */
const wordIn = (bytes: string, i: number): number =>
  ((bytes.charCodeAt(i) << 24) |
    (bytes.charCodeAt(i + 1) << 16) |
    (bytes.charCodeAt(i + 2) << 8) |
    bytes.charCodeAt(i + 3)) >>>
  0;

/**
 * Bank and UUID without its first hyphen: no separator is needed before 35 characters of fixed form, and with a LEI the
 * text fits one block of SHA-256. Locks hold two slashes, transactions and former states three, overflowed locks four, and instructions no hyphen, so none reads
 * as another.
 */
export const transferMark = (bank: ParticipantId, id: TransferId): SpentMark =>
  mark(bank + id.slice(0, 8) + id.slice(9));
export const lockMark = (vault: VaultKey, lockId: LockId): SpentMark => mark(`${vault}/${lockId}`);
/** A lock past `unmatchedLocksPerVault`, with the particulars that the state does not keep. At most 219 characters. */
export const overflowMark = (
  vault: VaultKey,
  { lockId, depositor, amountMinor }: Readonly<{ lockId: LockId; depositor: Bytes32; amountMinor: bigint }>,
): SpentMark => mark(`${vault}/${lockId}/${depositor}/${amountMinor}`);
/** A notarised transaction that was applied. Three slashes, as the next, and another letter between them. */
export const transactionMark = (vault: VaultKey, transactionId: Bytes32): SpentMark =>
  mark(`${vault}/t/${transactionId}`);
/** A state of a vault on Corda that has a successor. */
export const formerTipMark = (vault: VaultKey, ref: StateRef): SpentMark => mark(`${vault}/s/${ref}`);
export const instructionMark = (id: InstructionId): SpentMark => mark(id);

const SHARDS = 256;

/** Fewer ids than these are never worth being encoded before they are asked for. */
const MIN_LATER = 1024;

/**
 * One shard as it was: the one of now without what came since, because ids are never taken out. Where more came than there was,
 * the shard is encoded before it is asked for, so that what is held is never more than a copy of it.
 */
class CapturedShard {
  readonly #shard: Shard;
  readonly #count: number;
  #later = new Shard();
  #encoded: Uint8Array | undefined;

  constructor(shard: Shard) {
    this.#shard = shard;
    this.#count = shard.count;
  }

  /** The shard has a further key. */
  came(key: Key): void {
    if (this.#encoded) return;
    this.#later.add(key);
    if (this.#later.count > Math.max(MIN_LATER, this.#count)) this.#encoded = this.#take();
  }

  encode(): Uint8Array {
    return this.#encoded ?? this.#take();
  }

  get bytes(): number {
    return this.#later.table.byteLength + (this.#encoded?.byteLength ?? 0);
  }

  #take(): Uint8Array {
    const bytes = sortedKeys(this.#shard, this.#later);
    this.#later = new Shard();
    return bytes;
  }
}

/** All ids as they were when they were captured. Of two captures each is of its own time. */
export type CapturedIds = Readonly<{
  /** Shards that there are. */
  shards: number;
  /** The keys of each shard in rising order, 16 bytes each; a shard that was given out is not held any longer. To be read once. */
  encode: () => Generator<Uint8Array, void, undefined>;
  /** Ends it, however much of it was read: until then what is added is noted twice. */
  release: () => void;
}>;

export class SpentIds {
  readonly #shards: readonly Shard[] = Array.from({ length: SHARDS }, () => new Shard());
  /** Of each capture that is not released, the shards that were not read yet. */
  readonly #captures = new Set<(CapturedShard | undefined)[]>();

  get size(): number {
    return this.#shards.reduce((sum, shard) => sum + shard.count, 0);
  }

  /** Bytes that the tables take. */
  get tableBytes(): number {
    return this.#shards.reduce((sum, shard) => sum + shard.table.byteLength, 0);
  }

  /** Captures that were neither read to their end nor released. */
  get captures(): number {
    return this.#captures.size;
  }

  /** Bytes that they hold besides the tables. */
  get capturedBytes(): number {
    return [...this.#captures].flat().reduce((sum, shard) => sum + (shard?.bytes ?? 0), 0);
  }

  #shardOf(key: Key): Shard {
    const shard = this.#shards[key.a >>> 24];
    if (shard === undefined) throw new RangeError('shard number is one byte');
    return shard;
  }

  has(mark: SpentMark): boolean {
    return this.#shardOf(mark).has(mark);
  }

  /** @returns whether the id is new; adding one twice changes nothing. */
  add(mark: SpentMark): boolean {
    const isNew = this.#shardOf(mark).add(mark);
    if (isNew) for (const shards of this.#captures) shards[mark.a >>> 24]?.came(mark);
    return isNew;
  }

  /** The keys of each shard in rising order, 16 bytes each: the same bytes in whatever order they were added. */
  toShards(): Uint8Array[] {
    return [...this.capture().encode()];
  }

  /** The ids as they are now, at the cost of nothing; each shard's bytes come when they are asked for, with what that costs. */
  capture(): CapturedIds {
    const shards: (CapturedShard | undefined)[] = this.#shards.map((shard) => new CapturedShard(shard));
    const captures = this.#captures.add(shards);
    const release = (): void => void captures.delete(shards);
    const encode = function* (): Generator<Uint8Array, void, undefined> {
      try {
        for (const [number, shard] of shards.entries()) {
          if (!shard || !captures.has(shards)) throw new RangeError('a capture is read once, before it is released');
          const bytes = shard.encode();
          shards[number] = undefined;
          yield bytes;
        }
      } finally {
        release();
      }
    };
    return { shards: SHARDS, encode, release };
  }

  /** @throws RangeError unless `shards` is what `toShards` gives: 256 lists of rising keys, each in its shard. */
  static fromShards(shards: readonly Uint8Array[]): SpentIds {
    if (shards.length !== SHARDS) throw new RangeError('spent ids must have 256 shards');
    const ids = new SpentIds();
    for (const [number, bytes] of shards.entries()) ids.#shards[number]?.fill(bytes, number);
    return ids;
  }
}
