/** What a ledger is held against: an export, a tip, another copy. */
import { writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  BANK_A,
  BANK_B,
  beginLedger,
  continueLedger,
  exportOf,
  exportText,
  LAST_SIGNATURE,
  type Parties,
  rewritten,
  sampleLedger,
  told,
} from './testing/sample-ledger.ts';
import { type TestChunk, type TestLedger, writeChunks } from './testing/test-ledger.ts';
import { VerifierBench } from './testing/verifier-bench.ts';
import type { VerifyLedgerFlags } from './verify-ledger.ts';

const bench = VerifierBench.setUp();
const { at, verifyLedger: verify, expectLedgerRefused: expectRefused } = bench;
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

describe('an export', () => {
  const withExport = async (text: string): Promise<VerifyLedgerFlags> => {
    await writeFile(at('export.json'), text);
    return { export: at('export.json') };
  };

  test('that is whole is found in the ledger', async () => {
    expect(await verify(ledger, await withExport(exportText(exportOf(ledger))))).toBe(0);
    expect(bench.printed).toMatch(new RegExp(`^export +events 1 to 4 of ${BANK_A} are all in it, as exported$`, 'm'));
    expect(bench.printed).toMatch(/^but +whether .* had events after 4 does not show$/m);
  });

  test('may come in pages, and in one page over several lines', async () => {
    const { participant, items } = exportOf(ledger);
    const pages = items.map((item) => ({ participant, items: [item] }));
    const text = exportText({ participant, items: [] }, ...pages);
    expect(await verify(ledger, await withExport(text))).toBe(0);
    expect(await verify(ledger, await withExport(JSON.stringify({ participant, items }, null, 2)))).toBe(0);
    expect(bench.printed).toMatch(/events 1 to 4/);
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
    expect(bench.printed).toMatch(new RegExp(`^tip +\\d\\.${seqno} is in it`, 'm'));
    expect(bench.printed).not.toMatch(/shows only by --tip/);
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
    await expectRefused(ledger, 'TIP_ROOT_MISSING', await tipOf(made, 7));
  });

  test('of a signature, whose number somebody changed, accuses nobody', async () => {
    expect(await verify(ledger, await tipOf(ledger, LAST_SIGNATURE, { transaction_id: '2.14' }))).toBe(0);
    expect(bench.printed).toMatch(/^tip +2\.17 is in it/m);
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
    expect(bench.printed).toMatch(/^against +.*other: the same entries up to 10, where the shorter ends$/m);
  });

  test('that differs where nothing is signed yet is no fork', async () => {
    const made = sampleLedger(parties);
    const cut = made.fork().settle(told(5, 'X'));
    expect(await verify(made.settle(), await against(cut))).toBe(0);
    expect(bench.printed).toMatch(/the same entries up to 18; what differs is not signed in both yet$/m);
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
    expect(bench.printed).toMatch(/^in .*ledger +2\.19, settlement, leaf [0-9a-f]{64}\n +signed by node /m);
  });

  test('that is not sound is refused by its own name', async () => {
    const verdict = await expectRefused(ledger, 'CHUNK_MISSING', await against(chunks.slice(1)));
    expect(verdict.place).toMatch(/other$/);
  });
});
