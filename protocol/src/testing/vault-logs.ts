/** Logs of a vault as ethers encodes them, and what must hold of each. */
import { readFileSync } from 'node:fs';
import { expect } from '@jest/globals';
import { Interface, type JsonFragment } from 'ethers';
import fc from 'fast-check';
import { MAX_AMOUNT_MINOR } from '../amount.ts';
import { type Bytes32, type Hex, parseBytes32, toHex } from '../bytes32.ts';
import { decodeVaultLog } from '../evm-vault-log.ts';
import { MAX_TRAIL_BYTES } from '../instruction.ts';
import type { VaultEvent } from '../vault-event.ts';

/** The contract's own ABI, encoded by ethers: the second opinion on our decoder. */
const artifact = new URL('../../../connectors/quorum/vault/artifacts/DrawbridgeVault.json', import.meta.url);
export const vault: Interface = new Interface(
  (JSON.parse(readFileSync(artifact, 'utf8')) as { abi: JsonFragment[] }).abi,
);

export type Log = { topics: Bytes32[]; data: Hex };
export function emit(event: string, args: readonly unknown[]): Log {
  const { topics, data } = vault.encodeEventLog(event, [...args]);
  return { topics: topics as Bytes32[], data: data as Hex };
}

export const INVALID: unknown = expect.objectContaining({ code: 'EVENT_INVALID' });
export const word = (byte: string): Bytes32 => parseBytes32(`0x${byte.repeat(32)}`);
const ADDRESS = `0x${'ab'.repeat(20)}`;
const ADDRESS_WORD = `0x${'00'.repeat(12)}${'ab'.repeat(20)}`;
const TRAIL = `0x${'cd'.repeat(80)}` as const;

export const EXAMPLES: readonly { name: string; args: readonly unknown[]; event: VaultEvent }[] = [
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

export const example = (name: string): Log => emit(name, EXAMPLES.find((e) => e.name === name)?.args ?? []);

export function expectTrails(numRuns: number): void {
  const trails = fc.uint8Array({ maxLength: MAX_TRAIL_BYTES }).map(toHex);
  const executed = (trail: string): Log => emit('Executed', [1, word('11'), word('22'), 1, word('33'), 1, 1, trail]);
  fc.assert(
    fc.property(trails, (trail) => expect(decodeVaultLog(executed(trail))).toMatchObject({ trail })),
    { numRuns },
  );
  expect(() => decodeVaultLog(executed(`0x${'00'.repeat(MAX_TRAIL_BYTES + 1)}`))).toThrow(INVALID);
}

/** One byte of the data is changed: what still decodes is what ethers would have encoded. */
export function expectEthersAgrees(numRuns: number): void {
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
    { numRuns },
  );
}
