/** One sound ledger with everything in it, its parts by name, and ways to spoil the files. */
import { parseBytes32 } from '@drawbridge/protocol/bytes32';
import { parseAssetCode, parseNetworkId, parseParticipantId, parseTransferId } from '@drawbridge/protocol/ids';
import { type BankExportPage, formatExportPage } from '@drawbridge/protocol/ledger/bank-export';
import { type ChunkHeader, decodeChunkHeader, encodeChunkHeader } from '@drawbridge/protocol/ledger/chunk';
import type { ClaimTerms } from '@drawbridge/protocol/ledger/claim-text';
import { decodeRecord, encodeRecord, type LedgerRecord } from '@drawbridge/protocol/ledger/ledger-record';
import { encode } from 'cborg';
import { type TestChunk, type TestClaim, TestLedger } from './test-ledger.ts';
import { type TestNode, TestService } from './test-service.ts';

export const BANK_A = parseParticipantId('5493001KJTIIGC8Y1R12');
export const BANK_B = parseParticipantId('529900T8BM49AURSDO55');

const TERMS: ClaimTerms = {
  asset: parseAssetCode('EUR'),
  amountMinor: 125_000n,
  debtor: BANK_A,
  creditor: BANK_B,
  source: { network: parseNetworkId('alpha'), depositor: parseBytes32(`0x${'00'.repeat(12)}${'1b'.repeat(20)}`) },
  destination: { network: parseNetworkId('beta'), beneficiary: parseBytes32(`0x${'00'.repeat(12)}${'2c'.repeat(20)}`) },
};
const STAMP_MS = Date.UTC(2031, 4, 6, 7, 8, 9, 123);

/** What both banks are told of one step of a transfer; `number` is that of both their events. */
export function told(number: number, state: string, terms: ClaimTerms = TERMS): readonly TestClaim[] {
  const id = parseTransferId('8a562c67-ca16-48ba-b074-65581be6f011');
  return [BANK_A, BANK_B].map((participant) => ({
    event: { participant, number, stampMs: STAMP_MS + number, body: { type: 'transfer', bank: BANK_A, id, state } },
    terms,
  }));
}

/** CBOR of a governance entry with one amendment. */
export const amendment = (number: number): Uint8Array =>
  encode([
    1,
    STAMP_MS,
    false,
    [[7, number, encode([{ type: 'add_node', nodeId: 'ab'.repeat(32) }]), [[new Uint8Array(32), new Uint8Array(64)]]]],
  ]);

export type Parties = Readonly<{ service: TestService; first: TestNode; second: TestNode }>;

export async function newParties(): Promise<Parties> {
  const service = await TestService.create();
  const [first, second] = await Promise.all([service.node(), service.node({ raftId: 2 })]);
  return { service, first, second };
}

/** Entries with claims in `sampleLedger`, by the number of the events. */
export const CLAIM_SEQNOS: readonly number[] = [4, 12, 13, 14];
export const SECOND_ADMITTED = 6;
export const LAST_SIGNATURE = 17;
export const LAST_SEQNO = 18;

/** Seqnos 1–5, 6–10 and 11–15 in closed chunks, 16–18 in the open one; 17 signs all but itself and 18. */
export function sampleLedger(parties: Parties): TestLedger {
  return continueLedger(beginLedger(parties), parties);
}

/** Seqnos 1–5: genesis, a signature, governance, a transfer, a signature. */
export const beginLedger = ({ service, first }: Parties): TestLedger =>
  new TestLedger(service)
    .begin(first)
    .sign(first)
    .framed('governance', amendment(1))
    .settle(told(1, 'AWAITING_FUNDS'))
    .sign(first)
    .close();

export function continueLedger(ledger: TestLedger, { first, second }: Parties): TestLedger {
  ledger
    .admit(second)
    .append('members', Uint8Array.of(0x12, 4, 0x08, 0, 0x10, 2))
    .sign(first);
  ledger.view = 2;
  ledger.append('empty', new Uint8Array()).sign(second).close();
  ledger.service({ type: 'snapshotMark' }).settle(told(2, 'FUNDED')).settle(told(3, 'RELAYING'));
  ledger.settle(told(4, 'SETTLED')).sign(second).close();
  const digest = new Uint8Array(32).fill(9);
  return ledger.service({ type: 'snapshotEvidence', seqno: 11, digest }).sign(second).settle();
}

/** What `BANK_A` kept of its events in `sampleLedger`. */
export function exportOf(ledger: TestLedger, seqnos: readonly number[] = CLAIM_SEQNOS): BankExportPage {
  const items = seqnos.map((seqno) => {
    const { claims_proof } = ledger.receipt(seqno, 0);
    if (!claims_proof) throw new Error(`entry ${seqno} makes no claims`);
    return { seqno, claims_proof };
  });
  return { participant: BANK_A, items };
}

/** One page a line. */
export const exportText = (...pages: readonly BankExportPage[]): string => pages.map(formatExportPage).join('');

/** A chunk with other records or another header, everything else left as it was. */
export function rewritten(
  { name, bytes }: TestChunk,
  edit: Readonly<{
    header?: (header: ChunkHeader) => ChunkHeader;
    records?: (records: readonly LedgerRecord[]) => readonly LedgerRecord[];
  }>,
): TestChunk {
  const decoded = decodeChunkHeader(bytes);
  if (decoded === 'torn') throw new Error(`${name} has no header`);
  const records: LedgerRecord[] = [];
  for (let at = decoded.next; at < bytes.length; ) {
    const next = decodeRecord(bytes, at);
    if (next === 'torn') throw new Error(`${name} is torn`);
    records.push(next.record);
    at = next.next;
  }
  const header = edit.header?.(decoded.header) ?? decoded.header;
  const kept = edit.records?.(records) ?? records;
  return { name, bytes: Buffer.concat([encodeChunkHeader(header), ...kept.map(encodeRecord)]) };
}
