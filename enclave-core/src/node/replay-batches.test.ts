import type { LedgerRecord } from '@drawbridge/protocol/ledger/ledger-record';
import { describe, expect, it } from '@jest/globals';
import { replayBatches } from './replay-batches.ts';

const record = (seqno: number, bytes: number): LedgerRecord => ({
  kind: 'settlement',
  view: 1,
  seqno,
  epoch: 1,
  commitEvidenceDigest: new Uint8Array(32),
  claimsDigest: new Uint8Array(32),
  data: new Uint8Array(bytes),
});

async function sizesOf(records: readonly LedgerRecord[], upTo: number): Promise<number[]> {
  const sizes: number[] = [];
  for await (const batch of replayBatches(records, upTo)) sizes.push(batch.length);
  return sizes;
}

describe('batches of a replay', () => {
  const small = Array.from({ length: 130 }, (_, n) => record(n + 1, 10));

  it('hold many small entries and few large ones', async () => {
    expect(await sizesOf(small, 130)).toEqual([64, 64, 2]);
    const large = Array.from({ length: 5 }, (_, n) => record(n + 1, 20_000));
    expect(await sizesOf(large, 5)).toEqual([2, 2, 1]);
  });

  it('end where they should', async () => {
    expect(await sizesOf(small, 65)).toEqual([64, 1]);
    expect(await sizesOf(small, 64)).toEqual([64]);
    expect(await sizesOf([], 64)).toEqual([]);
  });

  it('give other work its turn after each', async () => {
    let others = 0;
    const other = (): void => {
      others += 1;
      timer = setImmediate(other);
    };
    let timer = setImmediate(other);
    const seen: number[] = [];
    for await (const _ of replayBatches(small, 130)) seen.push(others);
    clearImmediate(timer);
    expect(new Set(seen).size).toBe(seen.length);
  });
});
