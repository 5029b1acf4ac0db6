import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LedgerRecord } from '@drawbridge/protocol/ledger/ledger-record';
import { encodeSignatureEntry } from '@drawbridge/protocol/ledger/signature-entry';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { encode } from 'cborg';
import {
  BANK_A,
  BANK_B,
  beginLedger,
  continueLedger,
  exportOf,
  exportText,
  LAST_SEQNO,
  LAST_SIGNATURE,
  newParties,
  type Parties,
  rewritten,
  sampleLedger,
  told,
} from './testing/sample-ledger.ts';
import { type TestChunk, TestLedger, writeChunks } from './testing/test-ledger.ts';
import { newAuthority, type TestService } from './testing/test-service.ts';
import { type VerifyLedgerFlags, verifyLedgerCommand } from './verify-ledger.ts';

const DAY_MS = 86_400_000;

let parties: Parties;
let other: Parties;
let ledger: TestLedger;
let chunks: readonly TestChunk[];
let dir: string;
let printed: string;

beforeAll(async () => {
  [parties, other] = await Promise.all([newParties(), newParties()]);
  ledger = sampleLedger(parties);
  chunks = ledger.chunks();
});
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-cli-'));
  await writeFile(at('service.pem'), parties.service.certificate);
  printed = '';
});
afterEach(() => rm(dir, { recursive: true }));

const at = (name: string): string => join(dir, name);
const output = {
  out: (text: string) => {
    printed += `${text}\n`;
  },
  err: () => undefined,
};

async function verify(made: TestLedger | readonly TestChunk[], flags: VerifyLedgerFlags = {}): Promise<0 | 1> {
  const folder = await writeChunks(at('ledger'), 'chunks' in made ? made.chunks() : made);
  printed = '';
  return verifyLedgerCommand(folder, { serviceCert: at('service.pem'), ...flags }, { output, nowMs: Date.now() });
}

async function expectRefused(
  made: TestLedger | readonly TestChunk[],
  code: string,
  flags: VerifyLedgerFlags = {},
): Promise<Record<string, unknown>> {
  expect({ code: await verify(made, { ...flags, json: true }), printed }).toEqual({
    code: 1,
    printed: expect.stringContaining(`"code": "${code}"`),
  });
  return JSON.parse(printed) as Record<string, unknown>;
}

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

describe('a sound ledger', () => {
  test('is verified, and what is not signed yet is said', async () => {
    expect(await verify(ledger)).toBe(0);
    expect(printed).toMatch(/^ledger +VERIFIED$/m);
    expect(printed).toMatch(/^entries +1 to 18, views 1 to 2: 1 empty, 5 settlement, 1 governance/m);
    expect(printed).toMatch(new RegExp(`^signed +entries 1 to 16, by node ${parties.second.nodeId} at 2.17$`, 'm'));
    expect(printed).toMatch(/^but +the last 2 entries are not signed yet$/m);
    expect(printed).toMatch(/^but +whether the ledger went on after 18 shows only by --tip RECEIPT$/m);
  });

  test('as JSON for programs', async () => {
    expect(await verify(ledger, { json: true })).toBe(0);
    expect(JSON.parse(printed)).toMatchObject({
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
    expect(JSON.parse(printed)).toMatchObject({ lastSeqno: 17, tornBytes: expect.any(Number) });
    expect(printed).toMatch(/the open chunk ends within a record: \d+ bytes left aside/);
  });

  test('whose open chunk has no whole header yet is verified up to there', async () => {
    const { name, bytes } = chunkOf(3);
    expect(await verify(replaced(3, { name, bytes: bytes.subarray(0, 20) }), { json: true })).toBe(0);
    expect(JSON.parse(printed)).toMatchObject({ lastSeqno: 15, tornBytes: 20 });
  });

  test('may have other files beside', async () => {
    await writeChunks(at('ledger'), [{ name: 'tree.mmr', bytes: Buffer.from('x') }]);
    expect(await verify(ledger)).toBe(0);
  });

  test('is listed as far as it can be read', async () => {
    expect(await verify(ledger, { list: true })).toBe(0);
    expect(printed).toMatch(/^1\.1 {2}genesis\n {4}service 0x/m);
    expect(printed).toMatch(
      /^1\.3 {2}governance {2}2031-05-06T07:08:09\.123Z\n {4}amendment 1, 1 signatures\n {4}\{"type":"add_node"/m,
    );
    expect(printed).toMatch(new RegExp(`^1\\.6 {2}service\\n {4}admit node ${parties.second.nodeId}`, 'm'));
    expect(printed).toMatch(/^1\.7 {2}members\n {4}add voter node number 2$/m);
    await verify(ledger, { list: true, json: true });
    expect(JSON.parse(printed).entries).toHaveLength(4);
  });
});

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

describe('what a forger signs', () => {
  /** The sample up to 5, then what the forger does. */
  const forged = (go: (ledger: TestLedger) => TestLedger): TestLedger => go(beginLedger(parties));
  const newRoot = new Uint8Array(32).fill(3);

  test('by a node that the ledger never admitted', async () => {
    await expectRefused(
      forged((made) => made.settle().sign(parties.second)),
      'SIGNER_UNKNOWN',
    );
  });

  test('by a node that it admits only later', async () => {
    await expectRefused(
      forged((made) => made.settle().sign(parties.second).admit(parties.second).sign(parties.first)),
      'SIGNER_UNKNOWN',
    );
  });

  test('by a node whose admission the signed tree does not hold', async () => {
    await expectRefused(
      forged((made) => {
        const { size } = made;
        const root = made.root();
        return made.admit(parties.second).sign(parties.second, { size, root });
      }),
      'SIGNER_UNKNOWN',
    );
  });

  test.each<[string, string, (made: TestLedger) => TestLedger]>([
    ['over more leaves than there are', 'SIGNATURE_SIZE', (made) => made.sign(parties.first, { size: made.size + 1 })],
    ['over fewer leaves than before', 'SIGNATURE_SIZE', (made) => made.sign(parties.first, { size: 3 })],
    [
      'over another size than its root',
      'ROOT_MISMATCH',
      (made) => made.settle().sign(parties.first, { size: made.size - 1 }),
    ],
    ['over another root', 'ROOT_MISMATCH', (made) => made.sign(parties.first, { root: newRoot })],
    ['in another view than its entry', 'SIGNATURE_VIEW', (made) => made.sign(parties.first, { view: 7 })],
    [
      'by the key of another',
      'SIGNATURE_INVALID',
      (made) => made.admit(parties.second).sign(parties.first, { nodeId: parties.second.nodeId }),
    ],
    [
      'with no signature at all',
      'SIGNATURE_INVALID',
      (made) => made.sign(parties.first, { signature: new Uint8Array() }),
    ],
  ])('%s: %s', async (_, code, go) => {
    await expectRefused(forged(go), code);
  });

  test('over leaf 0 alone', async () => {
    const { first, service } = parties;
    const made = sampleStart(service)
      .begin(first)
      .sign(first, { size: 1, root: new Uint8Array(32) });
    await expectRefused(made, 'SIGNATURE_SIZE');
  });

  test('nothing', async () => {
    await expectRefused(sampleStart(parties.service).begin(parties.first), 'SIGNATURE_MISSING');
  });

  test('in CBOR that is not canonical', async () => {
    const { nodeId } = parties.first;
    const payload = encodeSignatureEntry({ size: 6, view: 1, root: newRoot, nodeId, signature: newRoot });
    // The list in its long form: 0x98 0x05 instead of 0x85.
    const long = Buffer.concat([Uint8Array.of(0x98, 5), payload.subarray(1)]);
    await expectRefused(
      forged((made) => made.framed('signature', long)),
      'ENTRY_INVALID',
    );
  });

  test.each<[string, Uint8Array]>([
    ['no governance entry', encode('x')],
    ['a settlement command', encode([1, 0, false, [[1, 'terms']]])],
    ['a governance entry of another version', encode([2, 0, false, []])],
  ])('governance that is %s', async (_, payload) => {
    await expectRefused(
      forged((made) => made.framed('governance', payload)),
      'ENTRY_INVALID',
    );
  });

  test('a service entry of no known type', async () => {
    await expectRefused(
      forged((made) => made.framed('service', encode([99]))),
      'ENTRY_INVALID',
    );
  });

  test('evidence of a snapshot that comes later', async () => {
    const made = forged((begun) => begun.service({ type: 'snapshotEvidence', seqno: 9, digest: newRoot }));
    await expectRefused(made, 'ENTRY_INVALID');
  });
});

const sampleStart = (service: TestService): TestLedger => new TestLedger(service);

describe('who may sign', () => {
  const signedBy = async (options: Parameters<TestService['node']>[0]): Promise<TestLedger> => {
    const node = await parties.service.node({ raftId: 3, ...options });
    return beginLedger(parties).admit(node).sign(node);
  };

  test('a ledger of another service is refused, certificate and all', async () => {
    await expectRefused(sampleLedger(other), 'SERVICE_OTHER');
  });

  test('a genesis that names the pinned certificate does not make nodes of another service its own', async () => {
    const genesis = { serviceCertificate: parties.service.certificate };
    const made = sampleStart(other.service).begin(other.first, genesis).sign(other.first);
    await expectRefused(made, 'SIGNER_CERTIFICATE');
  });

  test('nodes that another service endorsed may not', async () => {
    const made = beginLedger(parties).admit(other.first).sign(other.first);
    await expectRefused(made, 'SIGNER_CERTIFICATE');
  });

  test('nor one that another certificate of the same name endorsed', async () => {
    const issuer = await newAuthority('Drawbridge test service');
    await expectRefused(await signedBy({ issuer }), 'SIGNER_CERTIFICATE');
  });

  test('nor one that a node endorsed', async () => {
    const between = await newAuthority('Between', parties.service.authority);
    await expectRefused(await signedBy({ issuer: between }), 'SIGNER_CERTIFICATE');
  });

  test.each<[string, Parameters<TestService['node']>[0]]>([
    ['that could issue others', { authority: true }],
    ['that is not for signatures', { usages: 4 }],
    ['on another curve', { namedCurve: 'P-256' }],
    ['with a critical extension that nobody knows', { critical: '1.3.6.1.4.1.99999.1' }],
  ])('nor one with a certificate %s', async (_, options) => {
    await expectRefused(await signedBy(options), 'SIGNER_CERTIFICATE');
  });

  test('nor one whose row has the certificate of another, or another platform', async () => {
    const { first, second } = parties;
    const swapped = { ...second, row: { ...second.row, certificate: first.certificate } };
    await expectRefused(beginLedger(parties).admit(swapped).sign(second), 'SIGNER_CERTIFICATE');
    const better = { ...second, row: { ...second.row, platform: 'sev-snp' } };
    await expectRefused(beginLedger(parties).admit(better).sign(second), 'SIGNER_CERTIFICATE');
  });

  test('a later certificate that is worse takes nothing from the one that counts', async () => {
    const { first } = parties;
    const worse = { ...first, row: { ...first.row, certificate: other.first.certificate } };
    expect(await verify(beginLedger(parties).admit(worse).sign(first))).toBe(0);
  });

  test('the last signer must have a certificate that is valid, or was at --at', async () => {
    const now = Date.now();
    const made = await signedBy({ fromMs: now - 20 * DAY_MS, toMs: now - 10 * DAY_MS });
    await expectRefused(made, 'CERTIFICATE_NOT_VALID');
    await expectRefused(made, 'CERTIFICATE_NOT_VALID', { at: new Date(now - 30 * DAY_MS).toISOString() });
    expect(await verify(made.sign(parties.first))).toBe(0);
  });

  test('as of a day on which all certificates were valid', async () => {
    const now = Date.now();
    const made = await signedBy({ fromMs: now - 20 * DAY_MS, toMs: now - 3_600_000 });
    await expectRefused(made, 'CERTIFICATE_NOT_VALID');
    expect(await verify(made, { at: new Date(now - 7_200_000).toISOString() })).toBe(0);
  });

  test.each<[string, string, object]>([
    ['of another service id', 'GENESIS_SERVICE', { serviceId: `0x${'12'.repeat(32)}` }],
    ['with another digest', 'GENESIS_DIGEST', { genesisDigest: `0x${'12'.repeat(32)}` }],
    ['without a certificate', 'SERVICE_OTHER', { serviceCertificate: 'none' }],
  ])('a genesis %s is refused', async (_, code, changes) => {
    const made = sampleStart(parties.service).begin(parties.first, changes).sign(parties.first);
    await expectRefused(made, code);
  });
});

describe('an export', () => {
  const withExport = async (text: string): Promise<VerifyLedgerFlags> => {
    await writeFile(at('export.json'), text);
    return { export: at('export.json') };
  };

  test('that is whole is found in the ledger', async () => {
    expect(await verify(ledger, await withExport(exportText(exportOf(ledger))))).toBe(0);
    expect(printed).toMatch(new RegExp(`^export +events 1 to 4 of ${BANK_A} are all in it, as exported$`, 'm'));
    expect(printed).toMatch(/^but +whether .* had events after 4 does not show$/m);
  });

  test('may come in pages, and in one page over several lines', async () => {
    const { participant, items } = exportOf(ledger);
    const pages = items.map((item) => ({ participant, items: [item] }));
    const text = exportText({ participant, items: [] }, ...pages);
    expect(await verify(ledger, await withExport(text))).toBe(0);
    expect(await verify(ledger, await withExport(JSON.stringify({ participant, items }, null, 2)))).toBe(0);
    expect(printed).toMatch(/events 1 to 4/);
  });

  test.each<[string, string, () => string]>([
    ['one was left out', 'EXPORT_GAP', () => exportText(exportOf(ledger, [4, 12, 14]))],
    ['the first was left out', 'EXPORT_GAP', () => exportText(exportOf(ledger, [12, 13]))],
    ['one stands twice', 'EXPORT_GAP', () => exportText(exportOf(ledger, [4, 4]))],
    ['two are swapped', 'EXPORT_GAP', () => exportText(exportOf(ledger, [4, 13, 12]))],
    ['one names another entry', 'EXPORT_MISMATCH', () => exportText(withItem(1, (item) => ({ ...item, seqno: 11 })))],
    [
      'one goes back to an entry before',
      'EXPORT_ORDER',
      () => exportText(withItem(1, (item) => ({ ...item, seqno: 3 }))),
    ],
    [
      'an amount is another',
      'EXPORT_MISMATCH',
      () => exportText(withClaim(1, (claim) => claim.replace('125000', '125001'))),
    ],
    [
      'a state is another',
      'EXPORT_MISMATCH',
      () => exportText(withClaim(3, (claim) => claim.replace('SETTLED', 'RETURNED'))),
    ],
    [
      'a claim has spaces',
      'EXPORT_CLAIM',
      () => exportText(withClaim(0, (claim) => claim.replace('{"v":1,', '{"v":1, '))),
    ],
    [
      'a claim is that of another bank',
      'EXPORT_PARTICIPANT',
      () => exportText({ ...exportOf(ledger), participant: BANK_B }),
    ],
    [
      'pages are about two banks',
      'EXPORT_PARTICIPANT',
      () => exportText(exportOf(ledger, [4]), { ...exportOf(ledger, [12]), participant: BANK_B }),
    ],
    ['it goes on after the end', 'EXPORT_BEYOND', () => exportText(withItem(3, (item) => ({ ...item, seqno: 99 })))],
  ])('%s: %s', async (_, code, text) => {
    await expectRefused(ledger, code, await withExport(text()));
  });

  test('whose last entry is not signed yet', async () => {
    const made = beginLedger(parties).settle(told(2, 'FUNDED'));
    const later = beginLedger(parties).settle(told(2, 'FUNDED')).sign(parties.first);
    await expectRefused(made, 'EXPORT_UNSIGNED', await withExport(exportText(exportOf(later, [4, 6]))));
  });

  test.each<[string, string]>([
    ['no JSON', '{'],
    ['no page', '[]'],
    ['an item without a proof', JSON.stringify({ participant: BANK_A, items: [{ seqno: 4 }] })],
    ['a seqno of zero', JSON.stringify({ participant: BANK_A, items: [{ seqno: 0 }] })],
    ['a line that is cut', `${exportText({ participant: BANK_A, items: [] })}{"partic`],
  ])('that holds %s cannot be judged', async (_, text) => {
    await expect(verify(ledger, await withExport(text))).rejects.toMatchObject({ name: 'CliError', exitCode: 2 });
  });

  type Item = ReturnType<typeof exportOf>['items'][number];
  const withItem = (index: number, change: (item: Item) => Item): ReturnType<typeof exportOf> => {
    const { participant, items } = exportOf(ledger);
    return { participant, items: items.map((item, i) => (i === index ? change(item) : item)) };
  };
  const withClaim = (index: number, change: (claim: string) => string): ReturnType<typeof exportOf> =>
    withItem(index, ({ seqno, claims_proof }) => ({
      seqno,
      claims_proof: { ...claims_proof, claim: change(claims_proof.claim) },
    }));
});

describe('a tip', () => {
  const tipOf = async (made: TestLedger, seqno: number, change: object = {}): Promise<VerifyLedgerFlags> => {
    await writeFile(at('tip.json'), JSON.stringify({ ...made.receipt(seqno), ...change }));
    return { tip: at('tip.json') };
  };

  test.each([[14], [LAST_SIGNATURE], [1]])('that is in the ledger: %s', async (seqno) => {
    expect(await verify(ledger, await tipOf(ledger, seqno))).toBe(0);
    expect(printed).toMatch(new RegExp(`^tip +\\d\\.${seqno} is in it`, 'm'));
    expect(printed).not.toMatch(/shows only by --tip/);
  });

  test('that an older copy lacks', async () => {
    await expectRefused(chunks.slice(0, 2), 'TIP_MISSING', await tipOf(ledger, 14));
  });

  test('whose entry is there, but not its signature', async () => {
    const { name, bytes } = chunkOf(2);
    const cut = rewritten({ name, bytes }, { records: (records) => records.slice(0, -1) });
    const open = { name: 'ledger_11', bytes: cut.bytes };
    await expectRefused([chunkOf(0), chunkOf(1), open], 'TIP_ROOT_MISSING', await tipOf(ledger, 14));
  });

  test('of another history', async () => {
    const made = beginLedger(parties).settle(told(2, 'SETTLED')).sign(parties.first);
    await expectRefused(ledger, 'TIP_DIFFERS', await tipOf(made, 6));
    await expectRefused(ledger, 'TIP_DIFFERS', await tipOf(made, 7));
  });

  test('that proves nothing by itself is no tip', async () => {
    const flags = await tipOf(ledger, 14, { node_id: 'ab'.repeat(32) });
    await expect(verify(ledger, flags)).rejects.toMatchObject({ code: 'REFUSED', exitCode: 1 });
  });
});

describe('another copy', () => {
  const against = async (made: TestLedger | readonly TestChunk[]): Promise<VerifyLedgerFlags> => ({
    against: await writeChunks(at('other'), 'chunks' in made ? made.chunks() : made),
  });

  test('that is shorter agrees up to its end', async () => {
    expect(await verify(ledger, await against(chunks.slice(0, 2)))).toBe(0);
    expect(printed).toMatch(/^against +.*other: the same entries up to 10, where the shorter ends$/m);
  });

  test('that differs where nothing is signed yet is no fork', async () => {
    const made = sampleLedger(parties);
    const cut = made.fork().settle(told(5, 'X'));
    expect(await verify(made.settle(), await against(cut))).toBe(0);
    expect(printed).toMatch(/the same entries up to 18; what differs is not signed in both yet$/m);
  });

  test('with another history is a fork, and both sides are shown', async () => {
    const made = continueLedger(beginLedger(parties), parties);
    const fork = made.fork();
    made.settle(told(5, 'SETTLED')).sign(parties.second);
    fork.settle(told(5, 'RETURNED')).sign(parties.second);
    const verdict = await expectRefused(made, 'LEDGER_FORKED', await against(fork));
    expect(verdict).toMatchObject({
      check: 'fork',
      comparison: {
        type: 'fork',
        seqno: 19,
        sides: [
          { view: 2, kind: 'settlement', signature: { seqno: 20, nodeId: parties.second.nodeId } },
          { view: 2, kind: 'settlement', signature: { seqno: 20, nodeId: parties.second.nodeId } },
        ],
      },
    });
    const [left, right] = (verdict.comparison as { sides: { leaf: string }[] }).sides;
    expect(left?.leaf).not.toBe(right?.leaf);
    await verify(made, await against(fork));
    expect(printed).toMatch(/^in .*ledger +2\.19, settlement, leaf [0-9a-f]{64}\n +signed by node /m);
  });

  test('that is not sound is refused by its own name', async () => {
    const verdict = await expectRefused(ledger, 'CHUNK_MISSING', await against(chunks.slice(1)));
    expect(verdict.place).toMatch(/other$/);
  });
});

describe('what cannot be judged', () => {
  test('no folder, and a folder without chunks', async () => {
    const parts = { output, nowMs: Date.now() };
    const flags = { serviceCert: at('service.pem') };
    await expect(verifyLedgerCommand(at('none'), flags, parts)).rejects.toMatchObject({ code: 'FILE', exitCode: 2 });
    await expect(verifyLedgerCommand(dir, flags, parts)).rejects.toMatchObject({ code: 'FILE', exitCode: 2 });
  });

  test.each<[string, () => string]>([
    ['no certificate', () => 'none'],
    ['the certificate of a node', () => parties.first.certificate],
    ['two certificates', () => parties.service.certificate + other.service.certificate],
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
