/** Entries behind the last signature: whoever has the files could have written them, without any key. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { encode } from 'cborg';
import { amendment, newParties, type Parties, sampleLedger } from './testing/sample-ledger.ts';
import type { TestLedger } from './testing/test-ledger.ts';
import type { TestNode } from './testing/test-service.ts';
import { VerifierBench } from './testing/verifier-bench.ts';

const bench = VerifierBench.setUp();
const { verifyLedger: verify, expectLedgerRefused: expectRefused } = bench;
let other: Parties;
beforeAll(async () => {
  other = await newParties();
});

type Listed = Readonly<{ transactionId: string; signed: boolean }>;

/** The sample, which ends at 18, with what a stranger put behind it. */
const withTail = (go: (ledger: TestLedger) => TestLedger): TestLedger => go(sampleLedger(bench.parties));

describe('is told apart', () => {
  test('in the list, which holds back what no signature covers', async () => {
    const made = withTail((ledger) => ledger.framed('governance', amendment(2)).admit(other.first));
    expect(await verify(made, { list: true })).toBe(0);
    expect(bench.printed).toMatch(/^2\.19 {2}governance {2}2031-05-06T07:08:09\.123Z {2}NOT SIGNED\n {4}amendment 2/m);
    expect(bench.printed).toMatch(
      new RegExp(`^2\\.20 {2}service {2}NOT SIGNED\\n {4}admit node ${other.first.nodeId}`, 'm'),
    );
    expect(bench.printed).toMatch(/^1\.3 {2}governance {2}2031-05-06T07:08:09\.123Z$/m);
    expect(bench.printed).toMatch(/^1\.6 {2}service$/m);
    await verify(made, { list: true, json: true });
    const { entries } = JSON.parse(bench.printed) as { entries: Listed[] };
    expect(entries.map(({ transactionId, signed }) => [transactionId, signed])).toEqual([
      ['1.1', true],
      ['1.3', true],
      ['1.6', true],
      ['1.7', true],
      ['2.19', false],
      ['2.20', false],
    ]);
  });

  test('in the list, also where the signature over it is of a stranger', async () => {
    const made = withTail((ledger) => ledger.framed('governance', amendment(2)).sign(other.first));
    const { entries } = await expectRefused(made, 'SIGNER_UNKNOWN', { list: true });
    expect(entries).toEqual(
      expect.arrayContaining([expect.objectContaining({ transactionId: '2.19', signed: false })]),
    );
  });

  test('in the list, also where a signature that holds stands behind it but covers less', async () => {
    const made = withTail((ledger) => {
      const { data } = ledger.fork().sign(bench.parties.second).record(19);
      return ledger.framed('governance', amendment(2)).append('signature', data);
    });
    expect(await verify(made, { list: true, json: true })).toBe(0);
    const { entries, signature } = JSON.parse(bench.printed) as { entries: Listed[]; signature: object };
    expect(signature).toMatchObject({ seqno: 20, size: 19 });
    expect(entries.filter(({ transactionId }) => transactionId === '2.19')).toMatchObject([{ signed: false }]);
  });

  test('in what is counted', async () => {
    expect(await verify(withTail((ledger) => ledger.admit(other.first).admit(other.second)))).toBe(0);
    expect(bench.printed).toMatch(/^entries +1 to 16, /m);
    expect(bench.printed).toMatch(/^nodes +2 admitted$/m);
    expect(bench.printed).toMatch(/^not signed +entries 17 to 20: 1 settlement, 2 service, 1 signature$/m);
    expect(bench.printed).toMatch(
      /^but +the last 4 entries are not signed yet: whoever has the files could have written/m,
    );
    await verify(
      withTail((ledger) => ledger.admit(other.first)),
      { json: true },
    );
    expect(JSON.parse(bench.printed)).toMatchObject({
      nodes: 2,
      kinds: { service: 3 },
      unsignedEntries: 3,
      unsigned: { nodes: 1, kinds: { service: 1, signature: 1, settlement: 1 } },
    });
  });
});

describe('cannot stop the verifier', () => {
  const governance = (stampMs: number, actions: unknown): Uint8Array =>
    encode([1, stampMs, false, [[7, 1, encode(actions), []]]]);

  test.each<[string, Uint8Array]>([
    ['a stamp that no calendar has', governance(Number.MAX_SAFE_INTEGER, [])],
    ['a number without bound', governance(0, [{ type: 'x', number: 2n ** 60n }])],
    ['bytes', governance(0, [Uint8Array.of(1)])],
    ['infinity', governance(0, [[Number.POSITIVE_INFINITY]])],
    ['lists in lists', governance(0, [JSON.parse('['.repeat(500) + ']'.repeat(500))])],
  ])('by %s', async (_, payload) => {
    for (const list of [false, true]) {
      const made = withTail((ledger) => ledger.framed('governance', payload));
      await expectRefused(made, 'ENTRY_INVALID', { list });
    }
  });

  test('and cannot write lines of its own, or to the terminal', async () => {
    const row = { ...other.first.row, platform: '\u001b[2J', apiAddress: 'h:1)\nledger  VERIFIED \u202e' };
    const node: TestNode = { ...other.first, row };
    const action = encode([1, 0, false, [[7, 1, encode([{ type: '\u009b2J' }]), []]]]);
    expect(
      await verify(
        withTail((ledger) => ledger.admit(node).framed('governance', action)),
        { list: true },
      ),
    ).toBe(0);
    expect(bench.printed).toContain(String.raw`("\u001b[2J", "h:1)\nledger  VERIFIED \u{202e}")`);
    expect(bench.printed).toContain(String.raw`{"type":"\u{9b}2J"}`);
    expect(bench.printed.match(/^ledger +VERIFIED/gm)).toHaveLength(1);
    expect(bench.printed.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
  });
});
