import { describe, expect, test } from '@jest/globals';
import { bumpedFees, feesFor } from './fees.ts';

const limits = { maxFeeWei: 100n, minPriorityFeeWei: 2n };

describe('fees', () => {
  test('leave room for the base fee to double, within the limit', () => {
    expect(feesFor({ baseFeeWei: 10n, priorityFeeWei: 3n }, limits)).toEqual({
      kind: 'dynamic',
      maxFeeWei: 23n,
      priorityFeeWei: 3n,
    });
    expect(feesFor({ baseFeeWei: 90n, priorityFeeWei: 3n }, limits)).toMatchObject({ maxFeeWei: 100n });
  });

  test('never go without a tip', () => {
    expect(feesFor({ baseFeeWei: 0n, priorityFeeWei: 0n }, limits)).toEqual({
      kind: 'dynamic',
      maxFeeWei: 2n,
      priorityFeeWei: 2n,
    });
    expect(feesFor({ baseFeeWei: 0n }, limits)).toMatchObject({ priorityFeeWei: 2n });
  });

  test('are legacy where there is no base fee; free gas stays free', () => {
    expect(feesFor({ gasPriceWei: 7n }, limits)).toEqual({ kind: 'legacy', gasPriceWei: 7n });
    expect(feesFor({ gasPriceWei: 0n }, limits)).toEqual({ kind: 'legacy', gasPriceWei: 0n });
  });

  test.each([{ baseFeeWei: 99n }, { gasPriceWei: 101n }])('%o is above the limit', (market) => {
    expect(feesFor(market, limits)).toBeUndefined();
  });
});

describe('a replacement', () => {
  test('pays at least a tenth more in each part, and no less than the market', () => {
    const previous = { kind: 'dynamic', maxFeeWei: 40n, priorityFeeWei: 10n } as const;
    expect(bumpedFees(previous, { baseFeeWei: 1n }, limits)).toEqual({
      kind: 'dynamic',
      maxFeeWei: 46n,
      priorityFeeWei: 12n,
    });
    expect(bumpedFees(previous, { baseFeeWei: 30n, priorityFeeWei: 20n }, limits)).toEqual({
      kind: 'dynamic',
      maxFeeWei: 80n,
      priorityFeeWei: 20n,
    });
  });

  test('of a free transaction pays something', () => {
    expect(bumpedFees({ kind: 'legacy', gasPriceWei: 0n }, { gasPriceWei: 0n }, limits)).toEqual({
      kind: 'legacy',
      gasPriceWei: 1n,
    });
  });

  test('stops at the limit', () => {
    expect(bumpedFees({ kind: 'legacy', gasPriceWei: 95n }, { gasPriceWei: 1n }, limits)).toBeUndefined();
  });
});
