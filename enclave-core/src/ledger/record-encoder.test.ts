import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { encodeRecord, leafOf } from '@drawbridge/protocol/ledger/ledger-record';
import { expect, test } from '@jest/globals';
import { sha256 as portable } from '@noble/hashes/sha2.js';
import { sha256 } from '../sha256.ts';
import { hashLeaf, RecordEncoder } from './record-encoder.ts';
import { EntrySource } from './testing/ledger-entries.ts';

const sizes = [0, 1, 30, 5_000, 60_000, 65_500, 65_514, 65_515, 200_000, 300_000];

test('records are encoded and hashed as the protocol says, whatever their size, and stay as they are', () => {
  const source = new EntrySource({ signEvery: 9, dataBytes: (seqno) => sizes[seqno % sizes.length] ?? 0 });
  const encoder = new RecordEncoder();
  const entries = source.range(1, 60);
  const encoded = entries.map((entry) => encoder.encode(entry));
  for (const [at, entry] of entries.entries()) {
    expect(Buffer.compare(encoded[at] ?? Buffer.alloc(0), encodeRecord(entry))).toBe(0);
    expect(Buffer.compare(hashLeaf(entry), leafOf(entry, portable))).toBe(0);
  }
});

test('the hash is SHA-256 of every byte value', () => {
  for (let length = 0; length < 600; length++) {
    const bytes = Buffer.from(Array.from({ length }, (_, at) => (at * 7 + length) % 256));
    expect(Buffer.compare(sha256(bytes), createHash('sha256').update(bytes).digest())).toBe(0);
  }
});
