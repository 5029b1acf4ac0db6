import { describe, expect, it } from '@jest/globals';
import { entryType } from '../consensus/raft-types.ts';
import { LedgerKeys } from '../keys/ledger-keys.ts';
import type { Command } from '../settlement/command.ts';
import { openEntry, sealEntry, serviceEnvelope, settlementKind } from './entry-envelope.ts';
import { pay } from './testing/payments.ts';

const keys = new LedgerKeys(new Map([[1, Buffer.alloc(32, 1)]]));
const amendment: Command = { type: 'amendment', number: 1, actions: [], signatures: [] };
const entry = (commands: Command[]) => ({ version: 1, stampMs: 5, clockProtected: false, commands });
const open = (data: Uint8Array, type: 0 | 1 | 2 = entryType.normal) =>
  openEntry(keys, { index: 9, term: 2, type, data });

describe('entry of the log', () => {
  it('hides settlement and shows what governs', () => {
    const settlement = Buffer.from(sealEntry(keys, entry([pay('a', 1n)])));
    expect(settlement.includes('EUR')).toBe(false);
    expect(open(settlement)).toMatchObject({ kind: 'settlement', entry: { stampMs: 5 } });
    expect(settlementKind(entry([amendment]))).toBe('governance');
    expect(open(serviceEnvelope({ type: 'snapshotMark' }))).toEqual({
      kind: 'service',
      service: { type: 'snapshotMark' },
    });
    expect([open(new Uint8Array(0)).kind, open(Uint8Array.of(1), entryType.confChange).kind]).toEqual([
      'empty',
      'members',
    ]);
  });

  it('never mixes the two', () => {
    expect(() => sealEntry(keys, entry([amendment, pay('a', 1n)]))).toThrow(RangeError);
    const settlement = Buffer.from(sealEntry(keys, entry([pay('a', 1n)])));
    const shown = Buffer.concat([Buffer.from([1, 2]), keys.open('log', settlement.subarray(2))]);
    expect(() => open(shown)).toThrow(expect.objectContaining({ code: 'ENTRY_UNREADABLE' }));
  });

  it('is refused in another format, kind, key or form', () => {
    const data = Buffer.from(sealEntry(keys, entry([pay('a', 1n)])));
    const broken = [
      Buffer.from([2, ...data.subarray(1)]),
      Buffer.from([1, 9, ...data.subarray(2)]),
      data.subarray(0, -1),
      Buffer.from([1, 3, 0x80]),
      Buffer.from([1]),
    ];
    for (const bytes of broken) {
      expect(() => open(bytes)).toThrow(expect.objectContaining({ code: 'ENTRY_UNREADABLE' }));
    }
  });
});
