import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { Interface, type JsonFragment } from 'ethers';
import fc from 'fast-check';
import { MAX_AMOUNT_MINOR } from './amount.ts';
import { type Bytes32, type Hex, parseBytes32, toHex } from './bytes32.ts';
import { decodeVaultLog, VAULT_TOPICS } from './evm-vault-log.ts';
import { MAX_TRAIL_BYTES } from './instruction.ts';
import type { VaultEvent } from './vault-event.ts';

/** The contract's own ABI, encoded by ethers: the second opinion on our decoder. */
const artifact = new URL('../../connectors/quorum/vault/artifacts/DrawbridgeVault.json', import.meta.url);
const vault = new Interface((JSON.parse(readFileSync(artifact, 'utf8')) as { abi: JsonFragment[] }).abi);

type Log = { topics: Bytes32[]; data: Hex };
function emit(event: string, args: readonly unknown[]): Log {
  const { topics, data } = vault.encodeEventLog(event, [...args]);
  return { topics: topics as Bytes32[], data: data as Hex };
}

const INVALID = expect.objectContaining({ code: 'EVENT_INVALID' });
const word = (byte: string): Bytes32 => parseBytes32(`0x${byte.repeat(32)}`);
const ADDRESS = `0x${'ab'.repeat(20)}`;
const ADDRESS_WORD = `0x${'00'.repeat(12)}${'ab'.repeat(20)}`;
const TRAIL = `0x${'cd'.repeat(80)}` as const;

const EXAMPLES: readonly { name: string; args: readonly unknown[]; event: VaultEvent }[] = [
  {
    name: 'Locked',
    args: [7, word('11'), word('22'), ADDRESS, 12345n],
    event: {
      type: 'locked',
      seq: 7,
      lockId: word('11'),
      reference: word('22'),
      depositor: ADDRESS_WORD as Bytes32,
      amountMinor: 12345n,
    },
  },
  {
    name: 'Executed',
    args: [8, word('11'), word('22'), 3, word('33'), MAX_AMOUNT_MINOR, 4, TRAIL],
    event: {
      type: 'executed',
      seq: 8,
      id: word('11'),
      subject: word('22'),
      kind: 'refund',
      beneficiary: word('33'),
      amountMinor: MAX_AMOUNT_MINOR,
      epoch: 4,
      trail: TRAIL,
    },
  },
  {
    name: 'Voided',
    args: [9, word('11'), word('22'), 0xffffffff, TRAIL],
    event: { type: 'voided', seq: 9, id: word('11'), subject: word('22'), epoch: 0xffffffff, trail: TRAIL },
  },
  {
    name: 'Rotated',
    args: [10, word('11'), ADDRESS, 2, true],
    event: {
      type: 'rotated',
      seq: 10,
      id: word('11'),
      authority: ADDRESS_WORD as Bytes32,
      epoch: 2,
      byGuardian: true,
    },
  },
  {
    name: 'PauseChanged',
    args: [11, word('00'), true, false],
    event: { type: 'pauseChanged', seq: 11, id: word('00'), paused: true, byGuardian: false },
  },
  {
    name: 'Migrated',
    args: [12, word('11'), ADDRESS, 2n ** 256n - 1n],
    event: { type: 'migrated', seq: 12, id: word('11'), successor: ADDRESS_WORD as Bytes32 },
  },
  { name: 'GuardianProposed', args: [13, ADDRESS, 1n], event: { type: 'guardianProposed', seq: 13 } },
  { name: 'GuardianCancelled', args: [14], event: { type: 'guardianCancelled', seq: 14 } },
];

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
const example = (name: string): Log => emit(name, EXAMPLES.find((e) => e.name === name)?.args ?? []);
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

test('a trail of any length up to the bound comes through, one byte more is refused', () => {
  const trails = fc.uint8Array({ maxLength: MAX_TRAIL_BYTES }).map(toHex);
  const executed = (trail: string): Log => emit('Executed', [1, word('11'), word('22'), 1, word('33'), 1, 1, trail]);
  fc.assert(fc.property(trails, (trail) => expect(decodeVaultLog(executed(trail))).toMatchObject({ trail })));
  expect(() => decodeVaultLog(executed(`0x${'00'.repeat(MAX_TRAIL_BYTES + 1)}`))).toThrow(INVALID);
});

test('what decodes after any change of data encodes to that data, by ethers', () => {
  const logs = EXAMPLES.map(({ name }) => ({ name, log: example(name) })).filter(({ log }) => log.data !== '0x');
  fc.assert(
    fc.property(fc.constantFrom(...logs), fc.nat(), fc.nat(255), ({ name, log }, position, byte) => {
      const at = 2 + 2 * (position % ((log.data.length - 2) / 2));
      const data = `${log.data.slice(0, at)}${byte.toString(16).padStart(2, '0')}${log.data.slice(at + 2)}` as Hex;
      try {
        decodeVaultLog({ ...log, data });
      } catch (error) {
        expect(error).toEqual(INVALID);
        return;
      }
      const again = vault.encodeEventLog(name, [...vault.decodeEventLog(name, data, log.topics)]);
      expect(again).toEqual({ topics: log.topics, data });
    }),
    { numRuns: 1_000 },
  );
});
