import { describe, expect, test } from '@jest/globals';
import { type Hex, parseBytes32 } from './bytes32.ts';
import { decodeVaultLog, VAULT_TOPICS } from './evm-vault-log.ts';
import {
  EXAMPLES,
  emit,
  example,
  expectEthersAgrees,
  expectTrails,
  INVALID,
  type Log,
  vault,
  word,
} from './testing/vault-logs.ts';

test('we know every event of the contract that carries the counter, by its topic', () => {
  const counted = new Set<string>();
  vault.forEachEvent((event) => {
    if (event.inputs[0]?.name === 'seq') counted.add(event.topicHash);
  });
  expect(new Set<string>(Object.values(VAULT_TOPICS))).toEqual(counted);
});

describe.each(EXAMPLES)('$name', ({ name, args, event }) => {
  const log = emit(name, args);
  const words = (log.data.length - 2) / 64;

  test('decodes', () => expect(decodeVaultLog(log)).toEqual(event));
  test('with a topic too few or too many is refused', () => {
    expect(() => decodeVaultLog({ ...log, topics: log.topics.slice(0, -1) })).toThrow(INVALID);
    expect(() => decodeVaultLog({ ...log, topics: [...log.topics, word('00')] })).toThrow(INVALID);
  });
  test('with trailing or missing data is refused', () => {
    expect(() => decodeVaultLog({ ...log, data: `${log.data}00` })).toThrow(INVALID);
    expect(() => decodeVaultLog({ ...log, data: `${log.data}${'00'.repeat(32)}` })).toThrow(INVALID);
    if (words === 0) return;
    expect(() => decodeVaultLog({ ...log, data: log.data.slice(0, -2) as Hex })).toThrow(INVALID);
    expect(() => decodeVaultLog({ ...log, data: log.data.slice(0, -64) as Hex })).toThrow(INVALID);
    expect(() => decodeVaultLog({ ...log, data: '0x' })).toThrow(INVALID);
  });
  test('with counter zero, or one beyond 2^53, is refused', () => {
    for (const seq of [word('00'), parseBytes32(`0x${(2n ** 53n).toString(16).padStart(64, '0')}`)]) {
      expect(() => decodeVaultLog({ ...log, topics: log.topics.with(1, seq) })).toThrow(INVALID);
    }
  });
});

/** `log` with the word at `index` of its data replaced. */
function withWord(log: Log, index: number, value: string): Log {
  const at = 2 + index * 64;
  return { ...log, data: `${log.data.slice(0, at)}${value}${log.data.slice(at + 64)}` as Hex };
}
const FULL = 'ff'.repeat(32);
const padded = (value: bigint): string => value.toString(16).padStart(64, '0');

test.each([
  ['an address with dirty padding', withWord(example('Locked'), 0, `01${'00'.repeat(11)}${'ab'.repeat(20)}`)],
  ['an amount of 2^63', withWord(example('Locked'), 1, padded(2n ** 63n))],
  ['an amount of zero', withWord(example('Locked'), 1, padded(0n))],
  ['an amount with dirty padding', withWord(example('Locked'), 1, `80${'00'.repeat(30)}01`)],
  ['an unknown kind', withWord(example('Executed'), 0, padded(9n))],
  ['a kind that moves nothing', withWord(example('Executed'), 0, padded(4n))],
  ['a kind with dirty padding', withWord(example('Executed'), 0, padded(257n))],
  ['an executed amount of zero', withWord(example('Executed'), 2, padded(0n))],
  ['an executed amount of 2^63', withWord(example('Executed'), 2, padded(2n ** 63n))],
  ['an epoch of 2^32', withWord(example('Executed'), 3, padded(2n ** 32n))],
  ['a trail at another offset', withWord(example('Executed'), 4, padded(192n))],
  ['a trail at an enormous offset', withWord(example('Executed'), 4, FULL)],
  ['a trail of other length', withWord(example('Executed'), 5, padded(79n + 32n))],
  ['a trail of enormous length', withWord(example('Executed'), 5, FULL)],
  ['a trail with dirty padding', withWord(example('Executed'), 5, padded(79n))],
  ['a void whose trail is elsewhere', withWord(example('Voided'), 1, padded(96n))],
  ['a void with an epoch of 2^32', withWord(example('Voided'), 0, padded(2n ** 32n))],
  ['a rotation to a dirty address', withWord(example('Rotated'), 0, FULL)],
  ['a rotation with a dirty epoch', withWord(example('Rotated'), 1, FULL)],
  ['a rotation whose bool is two', withWord(example('Rotated'), 2, padded(2n))],
  ['a pause whose bool is two', withWord(example('PauseChanged'), 0, padded(2n))],
  ['a pause whose second bool is two', withWord(example('PauseChanged'), 1, padded(2n))],
  ['a migration to a dirty address', withWord(example('Migrated'), 0, FULL)],
  ['a proposal of a dirty address', withWord(example('GuardianProposed'), 0, FULL)],
  ['a proposal at a dirty time', withWord(example('GuardianProposed'), 1, FULL)],
  ['an unknown event', { ...example('Locked'), topics: example('Locked').topics.with(0, word('77')) }],
  ['no topics', { topics: [], data: '0x' as const }],
])('refuses %s', (_, log) => expect(() => decodeVaultLog(log)).toThrow(INVALID));

test('a trail comes through, for some, and one byte more than the bound is refused', () => expectTrails(10));
test('what decodes after a change of data encodes to that data, by ethers, for some changes', () =>
  expectEthersAgrees(50));
