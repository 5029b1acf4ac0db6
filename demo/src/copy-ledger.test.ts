import { appendFile, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseBytes32 } from '@drawbridge/protocol/bytes32';
import { chunkName, encodeChunkHeader } from '@drawbridge/protocol/ledger/chunk';
import { frameEntry } from '@drawbridge/protocol/ledger/entry-frame';
import { encodeRecord } from '@drawbridge/protocol/ledger/ledger-record';
import { parseNodeId } from '@drawbridge/protocol/ledger/node-id';
import { encodeSignatureEntry } from '@drawbridge/protocol/ledger/signature-entry';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { copyLedger, LedgerCopyError } from './copy-ledger.ts';

const DIGEST = new Uint8Array(32);
const record = (kind: 'settlement' | 'signature', seqno: number, payload: Uint8Array): Uint8Array =>
  encodeRecord({
    kind,
    view: 2,
    seqno,
    epoch: 0,
    commitEvidenceDigest: DIGEST,
    claimsDigest: DIGEST,
    data: frameEntry(kind, payload),
  });
const payment = (seqno: number): Uint8Array => record('settlement', seqno, Uint8Array.of(7));
const signature = (seqno: number): Uint8Array => {
  const by = { root: DIGEST, nodeId: parseNodeId('4e'.repeat(32)), signature: new Uint8Array(100) };
  return record('signature', seqno, encodeSignatureEntry({ size: seqno, view: 2, ...by }));
};
/** A chunk from seqno `first`, a power of two so that its tree has one peak. */
const chunk = (first: number, ...records: Uint8Array[]): Uint8Array => {
  const serviceId = parseBytes32(`0x${'11'.repeat(32)}`);
  return Buffer.concat([encodeChunkHeader({ serviceId, first, peaks: [DIGEST] }), ...records]);
};

let from: string;
let to: string;
beforeEach(async () => {
  from = await mkdtemp(join(tmpdir(), 'drawbridge-ledger-'));
  to = join(from, 'copy');
  await writeFile(join(from, 'tree.mmr'), 'derived');
});
afterEach(() => rm(from, { recursive: true }));

test('copies the chunks and nothing else, once the entry is signed on the disk', async () => {
  await writeFile(join(from, chunkName(2, 3)), chunk(2, payment(2), signature(3)));
  await writeFile(join(from, chunkName(4)), chunk(4, payment(4)));
  const copying = copyLedger(from, to, 4);
  await appendFile(join(from, chunkName(4)), signature(5));
  await appendFile(join(from, chunkName(4)), payment(6).subarray(0, 20));
  await copying;
  expect((await readdir(to)).sort()).toEqual([chunkName(2, 3), chunkName(4)].sort());
  for (const name of await readdir(to))
    expect(await readFile(join(to, name))).toEqual(await readFile(join(from, name)));
});

test('a chunk that was closed since is copied under its last name, and an earlier copy goes', async () => {
  await writeFile(join(from, chunkName(2)), chunk(2, payment(2), signature(3)));
  await copyLedger(from, to, 2);
  await rename(join(from, chunkName(2)), join(from, chunkName(2, 3)));
  await copyLedger(from, to, 2);
  expect(await readdir(to)).toEqual([chunkName(2, 3)]);
});

test('an entry that no signature covers in time is said so', async () => {
  await writeFile(join(from, chunkName(2)), chunk(2, payment(2), signature(3)));
  await expect(copyLedger(from, to, 3, 20)).rejects.toBeInstanceOf(LedgerCopyError);
});
