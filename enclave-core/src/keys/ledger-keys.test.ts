import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { seededEntropy } from '../consensus/testing/deterministic-host.ts';
import { KeyRing } from './key-ring.ts';
import { LEDGER_SEAL_OVERHEAD_BYTES, LedgerKeys } from './ledger-keys.ts';

const [first, second] = [randomBytes(32), randomBytes(32)];
const text = Buffer.from('posted 100.00 EUR');
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const broken = expect.objectContaining({ code: 'SEAL_BROKEN' });
const bothEpochs = (): LedgerKeys =>
  new LedgerKeys(
    new Map([
      [2, second],
      [1, first],
    ]),
  );

describe('ledger keys', () => {
  it('seal under the newest epoch, and open what any epoch sealed', () => {
    const old = new LedgerKeys(new Map([[1, first]]));
    const sealed = old.seal('log', text);
    expect(sealed.length).toBe(LEDGER_SEAL_OVERHEAD_BYTES + text.length);
    expect(Buffer.from(sealed.subarray(0, 4)).readUInt32BE()).toBe(1);
    const keys = bothEpochs();
    expect(keys.epoch).toBe(2);
    expect(Buffer.from(keys.seal('log', text).subarray(0, 4)).readUInt32BE()).toBe(2);
    expect(Buffer.from(keys.open('log', sealed)).equals(text)).toBe(true);
    expect(Buffer.from(bothEpochs().open('log', keys.seal('log', text))).equals(text)).toBe(true);
  });

  it('refuse an unknown epoch, one that was written over, another purpose or place, and what is too short', () => {
    const old = new LedgerKeys(new Map([[1, first]]));
    const sealed = Buffer.from(bothEpochs().seal('snapshot', text, Buffer.from('7')));
    expect(() => old.open('snapshot', sealed, Buffer.from('7'))).toThrow(broken);
    const keys = bothEpochs();
    const other = Buffer.from(sealed);
    other.writeUInt32BE(1);
    expect(() => keys.open('snapshot', other, Buffer.from('7'))).toThrow(broken);
    expect(() => keys.open('log', sealed, Buffer.from('7'))).toThrow(broken);
    expect(() => keys.open('snapshot', sealed)).toThrow(broken);
    expect(() => keys.open('snapshot', sealed.subarray(0, 3))).toThrow(broken);
    expect(Buffer.from(keys.open('snapshot', sealed, Buffer.from('7'))).equals(text)).toBe(true);
  });

  it('take a new epoch, and no other secret for a known one', () => {
    const keys = new LedgerKeys(new Map([[1, first]]));
    keys.add(2, second);
    keys.add(2, Uint8Array.from(second));
    expect([keys.epoch, [...keys.secrets().keys()]]).toEqual([2, [1, 2]]);
    expect(() => keys.add(2, first)).toThrow(RangeError);
    for (const [epoch, secret] of [
      [0, first],
      [1.5, first],
      [2 ** 32, first],
      [3, first.subarray(1)],
    ] as const) {
      expect(() => keys.add(epoch, secret)).toThrow(RangeError);
    }
    expect(() => new LedgerKeys(new Map())).toThrow(RangeError);
  });

  it('keep a secret of their own, whatever becomes of the bytes they were given', () => {
    const given = randomBytes(32);
    const keys = new LedgerKeys(new Map([[1, given]]));
    const kept = Buffer.from(given);
    given.fill(0);
    expect(Buffer.from(keys.secrets().get(1) ?? []).equals(kept)).toBe(true);
  });

  it('give commit evidence and salts of claims by epoch and transaction, alike in every process', () => {
    const keys = bothEpochs();
    const evidence = keys.commitEvidence(1, '3.17');
    expect(evidence).toMatch(/^ce:3\.17:[0-9a-f]{64}$/);
    expect(new LedgerKeys(new Map([[1, first]])).commitEvidence(1, '3.17')).toBe(evidence);
    expect(Buffer.from(keys.commitEvidenceDigest(1, '3.17')).toString('hex')).toHaveLength(64);
    const all = [
      evidence,
      keys.commitEvidence(2, '3.17'),
      keys.commitEvidence(1, '3.18'),
      ...[1, 2].flatMap((epoch) => hexOf(keys.claimSalts(epoch, '3.17', 2)).match(/.{64}/g) ?? []),
      hexOf(keys.claimSalts(1, '3.18', 1)),
    ];
    expect(new Set(all.map((one) => one.slice(-64))).size).toBe(all.length);
    expect(all).toHaveLength(8);
    expect(hexOf(bothEpochs().claimSalts(1, '3.17', 3)).startsWith(hexOf(keys.claimSalts(1, '3.17', 2)))).toBe(true);
    expect(keys.claimSalts(1, '3.17', 0)).toHaveLength(0);
    expect(() => keys.commitEvidence(3, '3.17')).toThrow(broken);
    expect(() => keys.claimSalts(3, '3.17', 1)).toThrow(broken);
  });

  it('seal the same bytes again under a replayed entropy', () => {
    const seal = (seed: number): Buffer =>
      Buffer.from(new LedgerKeys(new Map([[1, first]]), seededEntropy(seed)).seal('log', text));
    expect(seal(7).equals(seal(7))).toBe(true);
    expect(seal(7).equals(seal(8))).toBe(false);
    expect(seal(7).equals(Buffer.from(new KeyRing({ secret: first }).seal('log', text)))).toBe(false);
  });
});
