/** Files that were spoiled, by accident or by somebody without a key. */
import type { LedgerRecord } from '@drawbridge/protocol/ledger/ledger-record';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { newParties, type Parties, rewritten, sampleLedger } from './testing/sample-ledger.ts';
import type { TestChunk } from './testing/test-ledger.ts';
import { VerifierBench } from './testing/verifier-bench.ts';

const bench = VerifierBench.setUp();
const { expectLedgerRefused: expectRefused } = bench;
let other: Parties;
let chunks: readonly TestChunk[];
beforeAll(async () => {
  other = await newParties();
  chunks = sampleLedger(bench.parties).chunks();
});

const chunkOf = (index: number): TestChunk => {
  const chunk = chunks[index];
  if (!chunk) throw new Error(`there is no chunk ${index}`);
  return chunk;
};
const replaced = (index: number, chunk: TestChunk): TestChunk[] => chunks.with(index, chunk);
/** The sample, with records of one chunk edited and nothing made to fit. */
const edited = (index: number, records: (records: readonly LedgerRecord[]) => readonly LedgerRecord[]): TestChunk[] =>
  replaced(index, rewritten(chunkOf(index), { records }));
const changed = (seqno: number, change: (record: LedgerRecord) => Partial<LedgerRecord>): TestChunk[] =>
  edited(Math.min(3, Math.floor((seqno - 1) / 5)), (records) =>
    records.map((record) => (record.seqno === seqno ? { ...record, ...change(record) } : record)),
  );
const flipped = (bytes: Uint8Array): Uint8Array => bytes.with(bytes.length - 1, (bytes.at(-1) ?? 0) ^ 1);

describe('spoiled files', () => {
  test('a byte of a record is another', async () => {
    const { name, bytes } = chunkOf(1);
    expect(await expectRefused(replaced(1, { name, bytes: flipped(bytes) }), 'SIGNATURE_INVALID')).toMatchObject({
      check: 'signature',
      place: expect.stringMatching(/^ledger_6-10\.committed, byte \d+, seqno 10$/),
    });
  });

  test.each<[string, string, () => readonly TestChunk[]]>([
    ['a sealed entry has another byte', 'ROOT_MISMATCH', () => changed(4, ({ data }) => ({ data: flipped(data) }))],
    ['a record is removed', 'SEQNO_GAP', () => edited(2, (records) => records.toSpliced(1, 1))],
    [
      'two records are swapped',
      'SEQNO_GAP',
      () => edited(2, ([a, b, c, ...rest]) => [a, c, b, ...rest].filter((r) => r !== undefined)),
    ],
    [
      'two records swapped their numbers, too',
      'ROOT_MISMATCH',
      () =>
        edited(2, (records) =>
          records.map((record, index) => ({
            ...(records[index === 1 ? 2 : index === 2 ? 1 : index] ?? record),
            seqno: record.seqno,
          })),
        ),
    ],
    ['a record is there twice', 'SEQNO_GAP', () => edited(2, ([a, ...rest]) => (a ? [a, a, ...rest] : rest))],
    ['a chunk is missing', 'CHUNK_MISSING', () => chunks.toSpliced(1, 1)],
    ['the first chunk is missing', 'CHUNK_MISSING', () => chunks.slice(1)],
    ['two chunks overlap', 'CHUNK_OVERLAP', () => [...chunks, { ...chunkOf(1), name: 'ledger_8-10.committed' }]],
    ['an open chunk stands in the middle', 'CHUNK_OVERLAP', () => replaced(1, { ...chunkOf(1), name: 'ledger_6' })],
    [
      'a chunk has the name of another',
      'HEADER_NAME',
      () => [chunkOf(0), { ...chunkOf(2), name: chunkOf(1).name }, ...chunks.slice(2)],
    ],
    [
      'a chunk claims to go further',
      'CHUNK_SHORT',
      () => [chunkOf(0), { ...chunkOf(1), name: 'ledger_6-11.committed' }],
    ],
    [
      'an open chunk claims to be closed',
      'CHUNK_UNSIGNED',
      () => replaced(3, { ...chunkOf(3), name: 'ledger_16-18.committed' }),
    ],
    [
      'a chunk is of another service',
      'HEADER_SERVICE',
      () =>
        replaced(1, rewritten(chunkOf(1), { header: (header) => ({ ...header, serviceId: other.service.serviceId }) })),
    ],
    [
      'the peaks in a header are others',
      'PEAKS_MISMATCH',
      () =>
        replaced(1, rewritten(chunkOf(1), { header: (header) => ({ ...header, peaks: header.peaks.map(flipped) }) })),
    ],
    [
      'a header begins elsewhere',
      'HEADER_NAME',
      () => replaced(1, rewritten(chunkOf(1), { header: (header) => ({ ...header, first: 10 }) })),
    ],
    [
      'a file is no chunk',
      'HEADER_INVALID',
      () => replaced(1, { ...chunkOf(1), bytes: Buffer.from('DBLEDGEX and more') }),
    ],
    [
      'a header is of another format',
      'HEADER_INVALID',
      () => replaced(1, { ...chunkOf(1), bytes: chunkOf(1).bytes.with(11, 2) }),
    ],
    [
      'a closed chunk is cut within a record',
      'CHUNK_TORN',
      () => replaced(1, { ...chunkOf(1), bytes: chunkOf(1).bytes.subarray(0, -1) }),
    ],
    [
      'a closed chunk is cut within its header',
      'CHUNK_TORN',
      () => replaced(1, { ...chunkOf(1), bytes: chunkOf(1).bytes.subarray(0, 30) }),
    ],
    ['a closed chunk lacks its last record', 'CHUNK_SHORT', () => edited(1, (records) => records.slice(0, -1))],
    [
      'a closed chunk has bytes behind its end',
      'CHUNK_TORN',
      () => replaced(1, { ...chunkOf(1), bytes: Buffer.concat([chunkOf(1).bytes, Uint8Array.of(0, 0, 1)]) }),
    ],
    [
      'a length is impossible',
      'RECORD_INVALID',
      () => replaced(3, { ...chunkOf(3), bytes: Buffer.concat([chunkOf(3).bytes, new Uint8Array(4)]) }),
    ],
    ['a kind is another', 'RECORD_INVALID', () => replaced(2, { ...chunkOf(2), bytes: withKind(chunkOf(2).bytes, 2) })],
    [
      'claims are others',
      'ROOT_MISMATCH',
      () => changed(12, ({ claimsDigest }) => ({ claimsDigest: flipped(claimsDigest) })),
    ],
    [
      'commit evidence is another',
      'ROOT_MISMATCH',
      () => changed(12, ({ commitEvidenceDigest }) => ({ commitEvidenceDigest: flipped(commitEvidenceDigest) })),
    ],
    ['an epoch is another', 'ROOT_MISMATCH', () => changed(12, () => ({ epoch: 2 }))],
    ['a view is another', 'ROOT_MISMATCH', () => changed(9, () => ({ view: 1 }))],
    ['a view goes back', 'VIEW_BACK', () => changed(12, () => ({ view: 1 }))],
  ])('%s: %s', async (_, code, made) => {
    await expectRefused(made(), code);
  });

  /** Of the second record. */
  function withKind(bytes: Uint8Array, kind: number): Uint8Array {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const header = 53 + 32 * (bytes[52] ?? 0);
    return bytes.with(header + 4 + view.getUint32(header) + 4 + 1, kind);
  }
});
