import type { ParticipantId } from '@drawbridge/protocol/ids';
import { parseClaim } from '@drawbridge/protocol/ledger/claim-text';
import { claimsDigestOf } from '@drawbridge/protocol/ledger/claims';
import { describe, expect, it } from '@jest/globals';
import { LedgerKeys } from '../keys/ledger-keys.ts';
import type { ParticipantEvent, Transfer } from '../settlement/record.ts';
import { ALPHA, addressOf, BANK_A, BANK_B, EUR, word } from '../settlement/testing/world.ts';
import { sha256 } from '../sha256.ts';
import { entryClaimsDigest, entryClaimsTree } from './entry-claims.ts';
import { payment } from './testing/payments.ts';

const keys = new LedgerKeys(new Map([[1, Buffer.alloc(32, 1)]]));
const TXID = '2.9';
const terms = {
  ...payment('a', 12n),
  source: { network: ALPHA, depositor: addressOf('depositor') },
  destination: { network: ALPHA, beneficiary: addressOf('beneficiary') },
};
const transfer = (more: Partial<Transfer> = {}): Transfer => ({
  terms,
  state: 'RETURNED',
  createdMs: 1,
  updatedMs: 2,
  instructions: [],
  ...more,
});
const told = (participant: ParticipantId, number: number, bank = BANK_A): ParticipantEvent => ({
  participant,
  number,
  stampMs: 77,
  body: { type: 'transfer', bank, id: terms.id, state: 'RETURNED', reason: 'AB03' },
});
const lock: ParticipantEvent = {
  participant: BANK_B,
  number: 8,
  stampMs: 78,
  body: { type: 'lock', network: ALPHA, asset: EUR, lockId: word('lock'), state: 'CLAIMED' },
};

describe('claims of an entry', () => {
  it('say what each participant was told, with the terms', () => {
    const records = { events: [told(BANK_A, 4), told(BANK_B, 7), lock], transfers: [transfer()] };
    const termsOf = () => terms;
    const tree = entryClaimsTree(keys, { epoch: 1, txid: TXID }, records.events, termsOf);
    const digest = entryClaimsDigest(keys, 1, TXID, records);
    expect(Buffer.from(tree.root).equals(digest)).toBe(true);
    const claims = records.events.map((_, place) => tree.prove(place));
    for (const claim of claims) expect(Buffer.from(claimsDigestOf(claim, sha256)).equals(digest)).toBe(true);
    const { id, asset, debtor, creditor, source, destination } = terms;
    expect(claims.map(({ claim }) => JSON.parse(claim))).toEqual([
      {
        ...{ v: 1, participant: BANK_A, number: 4, stampMs: 77, type: 'transfer', bank: BANK_A, id },
        ...{ state: 'RETURNED', reason: 'AB03', asset, amountMinor: '12', debtor, creditor, source, destination },
      },
      expect.objectContaining({ participant: BANK_B, number: 7 }),
      {
        ...{ v: 1, participant: BANK_B, number: 8, stampMs: 78, type: 'lock' },
        ...{ network: ALPHA, asset: EUR, lockId: word('lock'), state: 'CLAIMED' },
      },
    ]);
  });

  it('tell the creditor nothing of the deposit, and are in the one form that verifiers read', () => {
    const events = [told(BANK_A, 4), told(BANK_B, 7), lock];
    const tree = entryClaimsTree(keys, { epoch: 1, txid: TXID }, events, () => terms);
    const [debtors, creditors] = events.map((_, place) => parseClaim(tree.prove(place).claim).terms);
    expect(debtors?.source).toEqual(terms.source);
    expect(creditors).not.toHaveProperty('source');
    expect(creditors?.destination).toEqual(terms.destination);
  });

  it('are zero bytes where nobody is told anything', () => {
    const digest = entryClaimsDigest(keys, 1, TXID, { events: [], transfers: [] });
    expect(Buffer.from(digest).equals(Buffer.alloc(32))).toBe(true);
  });

  it('keep two banks apart that use one id in one entry', () => {
    const other = { ...terms, debtor: BANK_B, creditor: BANK_A, amountMinor: 99n };
    const records = {
      events: [told(BANK_A, 1, BANK_A), told(BANK_A, 2, BANK_B)],
      transfers: [transfer(), transfer({ terms: other })],
    };
    const termsOf = (bank: ParticipantId) => (bank === BANK_A ? terms : other);
    const tree = entryClaimsTree(keys, { epoch: 1, txid: TXID }, records.events, termsOf);
    expect(Buffer.from(tree.root).equals(entryClaimsDigest(keys, 1, TXID, records))).toBe(true);
    expect(tree.prove(1).claim).toContain('"amountMinor":"99"');
  });

  it('are salted by entry and epoch, so that equal claims have other digests', () => {
    const records = { events: [told(BANK_A, 4)], transfers: [transfer()] };
    const second = new LedgerKeys(new Map([[2, Buffer.alloc(32, 2)]]));
    const digests = [
      entryClaimsDigest(keys, 1, TXID, records),
      entryClaimsDigest(keys, 1, '2.10', records),
      entryClaimsDigest(second, 2, TXID, records),
    ];
    expect(new Set(digests.map((digest) => Buffer.from(digest).toString('hex'))).size).toBe(3);
  });
});
