import { writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { LAST_SEQNO, LAST_SIGNATURE, type Parties, sampleLedger } from './testing/sample-ledger.ts';
import { type TestChunk, type TestLedger, writeChunks } from './testing/test-ledger.ts';
import { newAuthority } from './testing/test-service.ts';
import { VerifierBench } from './testing/verifier-bench.ts';
import { verifyLedgerCommand } from './verify-ledger.ts';

const bench = VerifierBench.setUp();
const { at, verifyLedger: verify } = bench;
let parties: Parties;
let ledger: TestLedger;
let chunks: readonly TestChunk[];
beforeAll(() => {
  parties = bench.parties;
  ledger = sampleLedger(parties);
  chunks = ledger.chunks();
});

const chunkOf = (index: number): TestChunk => {
  const chunk = chunks[index];
  if (!chunk) throw new Error(`there is no chunk ${index}`);
  return chunk;
};
const replaced = (index: number, chunk: TestChunk): TestChunk[] => chunks.with(index, chunk);

describe('a sound ledger', () => {
  test('is verified, and what is not signed yet is said', async () => {
    expect(await verify(ledger)).toBe(0);
    expect(bench.printed).toMatch(/^ledger +VERIFIED$/m);
    expect(bench.printed).toMatch(/^entries +1 to 16, views 1 to 2: 1 empty, 4 settlement, 1 governance/m);
    expect(bench.printed).toMatch(
      new RegExp(`^signed +entries 1 to 16, by node ${parties.second.nodeId} at 2.17$`, 'm'),
    );
    expect(bench.printed).toMatch(/^not signed +entries 17 to 18: 1 settlement, 1 signature$/m);
    expect(bench.printed).toMatch(/^but +whether the ledger went on after 18 shows only by --tip RECEIPT$/m);
  });

  test('as JSON for programs', async () => {
    expect(await verify(ledger, { json: true })).toBe(0);
    expect(JSON.parse(bench.printed)).toMatchObject({
      verified: true,
      chunks: 4,
      serviceId: parties.service.serviceId,
      lastSeqno: LAST_SEQNO,
      nodes: 2,
      unsignedEntries: 2,
      tornBytes: 0,
      signature: { seqno: LAST_SIGNATURE, size: 17, nodeId: parties.second.nodeId },
    });
  });

  test('whose open chunk is torn is verified up to there', async () => {
    const { name, bytes } = chunkOf(3);
    expect(await verify(replaced(3, { name, bytes: bytes.subarray(0, -1) }), { json: true })).toBe(0);
    expect(JSON.parse(bench.printed)).toMatchObject({ lastSeqno: 17, tornBytes: expect.any(Number) });
    expect(bench.printed).toMatch(/the open chunk ends within a record: \d+ bytes left aside/);
  });

  test('whose open chunk has no whole header yet is verified up to there', async () => {
    const { name, bytes } = chunkOf(3);
    expect(await verify(replaced(3, { name, bytes: bytes.subarray(0, 20) }), { json: true })).toBe(0);
    expect(JSON.parse(bench.printed)).toMatchObject({ lastSeqno: 15, tornBytes: 20 });
  });

  test('may have other files beside', async () => {
    await writeChunks(at('ledger'), [{ name: 'tree.mmr', bytes: Buffer.from('x') }]);
    expect(await verify(ledger)).toBe(0);
  });

  test('is listed as far as it can be read', async () => {
    expect(await verify(ledger, { list: true })).toBe(0);
    expect(bench.printed).toMatch(/^1\.1 {2}genesis\n {4}service 0x/m);
    expect(bench.printed).toMatch(
      /^1\.3 {2}governance {2}2031-05-06T07:08:09\.123Z\n {4}amendment 1, 1 signatures\n {4}\{"type":"add_node"/m,
    );
    expect(bench.printed).toMatch(new RegExp(`^1\\.6 {2}service\\n {4}admit node ${parties.second.nodeId}`, 'm'));
    expect(bench.printed).toMatch(/^1\.7 {2}members\n {4}add voter node number 2$/m);
    await verify(ledger, { list: true, json: true });
    expect(JSON.parse(bench.printed).entries).toHaveLength(4);
  });
});

describe('what cannot be judged', () => {
  test('no folder, and a folder without chunks', async () => {
    const parts = { output: bench.output, nowMs: Date.now() };
    const flags = { serviceCert: at('service.pem') };
    await expect(verifyLedgerCommand(at('none'), flags, parts)).rejects.toMatchObject({ code: 'FILE', exitCode: 2 });
    await expect(verifyLedgerCommand(at('.'), flags, parts)).rejects.toMatchObject({ code: 'FILE', exitCode: 2 });
  });

  test.each<[string, () => string]>([
    ['no certificate', () => 'none'],
    ['the certificate of a node', () => parties.first.certificate],
    ['two certificates', () => parties.service.certificate.repeat(2)],
  ])('%s to pin', async (_, pem) => {
    await writeFile(at('pinned.pem'), pem());
    await expect(verify(ledger, { serviceCert: at('pinned.pem') })).rejects.toMatchObject({ code: 'FILE' });
  });

  test('a certificate that another issued', async () => {
    const between = await newAuthority('Between', parties.service.authority);
    await writeFile(at('pinned.pem'), between.pem);
    await expect(verify(ledger, { serviceCert: at('pinned.pem') })).rejects.toMatchObject({ code: 'FILE' });
  });
});
