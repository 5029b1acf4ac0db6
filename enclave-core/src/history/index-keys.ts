/** Keys of the history's index: what a secret key makes of names and ids, so that the disk shows neither bank nor id. */
import { createCipheriv, createHmac } from 'node:crypto';
import type { ParticipantId, TransferId } from '@drawbridge/protocol/ids';
import { WeightedLru } from '../weighted-lru.ts';

export const INDEX_HASH_BYTES = 16;
const UUID_BYTES = 16;
/** Keys of banks and hashes of list labels that stay computed; their number grows with participants, not with payments. */
const MAX_CACHED = 65_536;

type TransferName = Readonly<{ debtor: ParticipantId; id: TransferId }>;

export class IndexKeys {
  readonly #key: Uint8Array;
  readonly #lists = new WeightedLru<string, Buffer>(MAX_CACHED);
  readonly #banks = new WeightedLru<ParticipantId, Buffer>(MAX_CACHED);

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /**
   * Keys of transfers, in their order: AES-256 of the id's 16 bytes under a key of its bank. An id is exactly one block
   * and never repeats within a bank, so the bare cipher is a keyed hash without collisions, and a batch costs one call.
   */
  transfers(names: readonly TransferName[]): Buffer[] {
    const found = new Array<Buffer>(names.length);
    for (const [bank, places] of placesByBank(names)) {
      const ids = Buffer.allocUnsafe(places.length * UUID_BYTES);
      for (const [at, place] of places.entries()) {
        writeUuid(names[place]?.id ?? '', ids, at * UUID_BYTES);
      }
      const hidden = createCipheriv('aes-256-ecb', this.#bankKey(bank), null).setAutoPadding(false).update(ids);
      for (const [at, place] of places.entries()) {
        found[place] = hidden.subarray(at * UUID_BYTES, (at + 1) * UUID_BYTES);
      }
    }
    return found;
  }

  list(label: string): Buffer {
    const known = this.#lists.get(label);
    if (known) return known;
    const hash = this.#hmac(`list/${label}`).subarray(0, INDEX_HASH_BYTES);
    this.#lists.put(label, hash);
    return hash;
  }

  #bankKey(bank: ParticipantId): Buffer {
    const key = this.#banks.get(bank) ?? this.#hmac(`bank/${bank}`);
    this.#banks.put(bank, key);
    return key;
  }

  #hmac(name: string): Buffer {
    return createHmac('sha256', this.#key).update(name).digest();
  }
}

/** Lower-case hex with hyphens, as ids were read. */
function writeUuid(id: string, target: Uint8Array, at: number): void {
  let byte = at;
  for (let i = 0; i < id.length; i += 2) {
    if (id.charCodeAt(i) === HYPHEN) i += 1;
    target[byte++] = (nibble(id.charCodeAt(i)) << 4) | nibble(id.charCodeAt(i + 1));
  }
}
const HYPHEN = 0x2d;
/** Of `0` to `9` and `a` to `f`. */
const nibble = (code: number): number => (code < 0x61 ? code - 0x30 : code - 0x57);

function placesByBank(names: readonly TransferName[]): Map<ParticipantId, number[]> {
  const places = new Map<ParticipantId, number[]>();
  for (const [place, { debtor: bank }] of names.entries()) {
    const list = places.get(bank);
    if (list) list.push(place);
    else places.set(bank, [place]);
  }
  return places;
}
