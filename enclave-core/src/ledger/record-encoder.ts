/** Encodes and hashes records without memory of their own for each step: this runs for every entry on every node. */
import { Buffer } from 'node:buffer';
import { DIGEST_BYTES } from '@drawbridge/protocol/ledger/hash';
import {
  type LedgerRecord,
  recordBytes,
  writeRecord,
  writeSetBytes,
  writeWriteSet,
} from '@drawbridge/protocol/ledger/ledger-record';
import { sha256 } from '../sha256.ts';

/** Records share pieces of memory of this size; one of more than a quarter of it gets its own. */
const SLAB_BYTES: number = 256 * 1024;
/** Longer write sets are hashed from memory of their own. */
const SCRATCH_BYTES: number = 64 * 1024;

const scratch: Buffer = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
const leafScratch: Buffer = Buffer.allocUnsafeSlow(3 * DIGEST_BYTES);

/** The same as `leafOf` of the protocol. */
export function hashLeaf(record: LedgerRecord): Uint8Array {
  const length = writeSetBytes(record);
  const writeSet = length <= SCRATCH_BYTES ? scratch.subarray(0, length) : Buffer.allocUnsafeSlow(length);
  writeWriteSet(writeSet, 0, record);
  leafScratch.set(sha256(writeSet), 0);
  leafScratch.set(record.commitEvidenceDigest, DIGEST_BYTES);
  leafScratch.set(record.claimsDigest, 2 * DIGEST_BYTES);
  return sha256(leafScratch);
}

export class RecordEncoder {
  #slab: Buffer = Buffer.alloc(0);
  #used = 0;

  /** Bytes that nothing else will ever change. @throws ProtocolError `LEDGER_INVALID` */
  encode(record: LedgerRecord): Uint8Array {
    const length = recordBytes(record);
    if (length > SLAB_BYTES / 4) {
      const own = Buffer.allocUnsafeSlow(length);
      writeRecord(own, 0, record);
      return own;
    }
    if (this.#used + length > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#used = 0;
    }
    const end = writeRecord(this.#slab, this.#used, record);
    const bytes = this.#slab.subarray(this.#used, end);
    this.#used = end;
    return bytes;
  }
}
