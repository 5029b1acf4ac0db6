import { describe, expect, test } from '@jest/globals';
import { readFinality } from './read-registration.ts';
import { readChecked } from './reading.ts';
import { isConsensus, isFinalByProof } from './registration.ts';
import { address, at, type Json, listAt, sampleConsensus } from './testing/sample-genesis.ts';

const read = (json: Json) => readChecked(json, readFinality, 'finality');
const RULES = ['qbft', 'ibft', 'ibft2', 'clique'] as const;

describe('finality by consensus', () => {
  test.each(RULES)('is read for rule %s, its validators in one order', (rule) => {
    const finality = read(sampleConsensus(rule));
    if (!finality.ok || !isConsensus(finality.value)) throw new Error('the sample is right');
    const { validators } = finality.value.checkpoint;
    expect(validators).toEqual(validators.toSorted());
    const turned = sampleConsensus(rule);
    listAt(at(turned, 'checkpoint'), 'validators').reverse();
    expect(read(turned)).toEqual(finality);
    expect(isFinalByProof(finality.value)).toBe(rule !== 'clique');
  });

  type Row = readonly [string, string, Json, string];
  const checkpoint = at(sampleConsensus(), 'checkpoint');
  const withCheckpoint = (change: Json): Json => ({ ...sampleConsensus(), checkpoint: { ...checkpoint, ...change } });
  const withFields = (...headerFields: readonly unknown[]): Json => ({ ...sampleConsensus(), headerFields });
  const REFUSED: readonly Row[] = [
    ['an unknown rule', 'finality.rule', { ...sampleConsensus(), rule: 'proof-of-trust' }, 'is none of the choices'],
    ['no rule', 'finality.rule', {}, 'is missing'],
    ['observers beside', 'finality.observers', { ...sampleConsensus(), observers: [] }, 'is not a known field'],
    ['a period where no rule asks', 'finality.periodS', { ...sampleConsensus(), periodS: 1 }, 'is not a known field'],
    ['no validator', 'finality.checkpoint.validators', withCheckpoint({ validators: [] }), 'has 0 items'],
    [
      'a validator twice',
      'finality.checkpoint.validators',
      withCheckpoint({ validators: [address('v1'), address('v1')] }),
      'repeat one',
    ],
    [
      'a validator of zeros',
      'finality.checkpoint.validators[0]',
      withCheckpoint({ validators: [`0x${'00'.repeat(20)}`] }),
      'is zero',
    ],
    ['a zero hash', 'finality.checkpoint.blockHash', withCheckpoint({ blockHash: `0x${'00'.repeat(32)}` }), 'is zero'],
    ['an epoch without end', 'finality.epochLength', { ...sampleConsensus(), epochLength: 65_537 }, 'is 65537'],
    [
      'a block beyond counting',
      'finality.checkpoint.blockNumber',
      withCheckpoint({ blockNumber: 2 ** 52 + 1 }),
      'is 4',
    ],
    ['a gap of none', 'finality.maxGapBlocks', { ...sampleConsensus(), maxGapBlocks: 0 }, 'is 0'],
    ['a gap beyond memory', 'finality.maxGapBlocks', { ...sampleConsensus(), maxGapBlocks: 65_537 }, 'is 65537'],
    ['trust without end', 'finality.trustingPeriodS', { ...sampleConsensus(), trustingPeriodS: 31_536_001 }, 'is 3'],
    ['no header form', 'finality.headerFields', withFields(), 'has 0 items'],
    ['a header form from later on', 'finality.headerFields', withFields({ fromBlock: 1, count: 15 }), 'does not asc'],
    [
      'header forms that go back',
      'finality.headerFields',
      withFields({ fromBlock: 0, count: 15 }, { fromBlock: 0, count: 16 }),
      'does not asc',
    ],
    ['too few fields', 'finality.headerFields[0].count', withFields({ fromBlock: 0, count: 14 }), 'is 14'],
    [
      'a clique checkpoint within an epoch',
      'finality.checkpoint.blockNumber',
      { ...sampleConsensus('clique'), checkpoint: { ...checkpoint, blockNumber: 30_001 } },
      'is no block that ends an epoch',
    ],
  ];

  test.each(REFUSED)('is refused with %s', (_, path, json, problem) => {
    const refused = read(json);
    if (refused.ok) throw new Error('it was read');
    expect(refused.problems).toContainEqual(
      expect.objectContaining({ path, problem: expect.stringContaining(problem) }),
    );
  });
});
