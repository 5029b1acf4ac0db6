/** Every byte of a closed chunk counts: whichever is changed, the ledger is refused. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readServiceCertificate, type ServiceCertificate } from './ledger/certificates.ts';
import { judgeLedger, type LedgerVerdict } from './ledger/ledger-verdict.ts';
import { newParties, sampleLedger } from './testing/sample-ledger.ts';
import { type TestChunk, writeChunks } from './testing/test-ledger.ts';

let dir: string;
let service: ServiceCertificate;
let chunks: readonly TestChunk[];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-cli-'));
  const parties = await newParties();
  service = readServiceCertificate(parties.service.certificate, 'service.pem');
  chunks = sampleLedger(parties).chunks();
  await writeChunks(dir, chunks);
});
afterAll(() => rm(dir, { recursive: true }));

/** The verdict while one chunk is another. */
async function verdictWith(index: number, change: (bytes: Uint8Array) => Uint8Array): Promise<LedgerVerdict> {
  const chunk = chunks[index];
  if (!chunk) throw new Error(`there is no chunk ${index}`);
  await writeFile(join(dir, chunk.name), change(chunk.bytes));
  try {
    return await judgeLedger(dir, {}, { service, atMs: Date.now() });
  } finally {
    await writeFile(join(dir, chunk.name), chunk.bytes);
  }
}

test('a bit is flipped anywhere in a closed chunk', async () => {
  const places = fc.tuple(fc.nat(2), fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), fc.nat(7));
  await fc.assert(
    fc.asyncProperty(places, async ([index, part, bit]) => {
      const { refusal } = await verdictWith(index, (bytes) => {
        const at = Math.floor(part * bytes.length);
        return bytes.with(at, (bytes[at] ?? 0) ^ (1 << bit));
      });
      expect(refusal).toBeDefined();
    }),
    { numRuns: 400 },
  );
});

test('bytes are taken away or put in anywhere', async () => {
  const places = fc.tuple(
    fc.nat(2),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.uint8Array({ maxLength: 40 }),
    fc.nat(40),
  );
  await fc.assert(
    fc.asyncProperty(places, async ([index, part, added, taken]) => {
      const { name, bytes } = chunks[index] ?? { name: '', bytes: new Uint8Array() };
      const at = Math.floor(part * bytes.length);
      const other = Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + taken)]);
      fc.pre(!other.equals(bytes));
      const { refusal } = await verdictWith(index, () => other);
      expect({ name, refusal }).toEqual({ name, refusal: expect.objectContaining({ ok: false }) });
    }),
    { numRuns: 200 },
  );
});

test('the open chunk may end anywhere, and what is whole and signed counts', async () => {
  const length = chunks[3]?.bytes.length ?? 0;
  await fc.assert(
    fc.asyncProperty(fc.nat(length), async (kept) => {
      const { refusal, audit } = await verdictWith(3, (bytes) => bytes.subarray(0, kept));
      expect(refusal).toBeUndefined();
      expect(audit.facts.signature?.seqno).toBeGreaterThanOrEqual(15);
    }),
    { numRuns: 100 },
  );
});
