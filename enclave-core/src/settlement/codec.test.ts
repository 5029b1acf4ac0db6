import { describe, expect, test } from '@jest/globals';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { decode, encode } from 'cborg';
import { decodeEntry, encodeEntry } from './codec.ts';
import type { Command } from './command.ts';
import { MAX_COMMANDS_PER_ENTRY } from './limits.ts';
import {
  ALL_COMMANDS,
  COMMANDS,
  CREATION_COMMANDS,
  entry,
  event,
  expectDamageRefused,
  STATE_COMMANDS,
  terms,
} from './testing/every-command.ts';
import { ALPHA, BANK_A, EUR, transferId } from './testing/world.ts';
import { CodecError } from './tuples.ts';

describe('entries', () => {
  test.each(ALL_COMMANDS.map((command, i) => [`${i} ${command.type}`, command] as const))(
    '%s comes back',
    (_, command) => {
      const bytes = encodeEntry(entry(command));
      expect(decodeEntry(bytes)).toEqual(entry(command));
      expect(encodeEntry(decodeEntry(bytes))).toEqual(bytes);
    },
  );

  /** The log is kept for ever: bytes once written must keep their meaning. A change here is a new entry version. */
  test('have the bytes that they always had', () => {
    expect(bytesToHex(sha256(encodeEntry(entry(...COMMANDS))))).toBe(GOLDEN);
    expect(bytesToHex(sha256(encodeEntry(entry(...STATE_COMMANDS))))).toBe(STATES_GOLDEN);
    expect(bytesToHex(sha256(encodeEntry(entry(...CREATION_COMMANDS))))).toBe(CREATION_GOLDEN);
  });

  test('a payment between two LEIs takes at most 105 bytes of its entry', () => {
    const one = encodeEntry(entry({ type: 'submitTransfer', terms })).length;
    const two = encodeEntry(entry({ type: 'submitTransfer', terms }, { type: 'submitTransfer', terms })).length;
    expect(two - one).toBeLessThanOrEqual(105);
  });

  test('some damaged bytes are refused or mean the same to every reader', () => expectDamageRefused(15));

  const tuple = (spoil: (fields: unknown[]) => unknown): Uint8Array =>
    encode(spoil(decode(encodeEntry(entry({ type: 'clock' }))) as unknown[]));
  test.each<readonly [string, Uint8Array]>([
    ['no bytes', new Uint8Array()],
    ['trailing bytes', Uint8Array.of(...encodeEntry(entry()), 0)],
    ['no version', tuple(([, ...rest]) => [0, ...rest])],
    ['one field more', tuple((fields) => [...fields, null])],
    ['a negative stamp', tuple(([version, , ...rest]) => [version, -1, ...rest])],
    ['an unknown command', tuple(([a, b, c]) => [a, b, c, [[99]]])],
    ['a command that is no list', tuple(([a, b, c]) => [a, b, c, ['clock']])],
    ['a clock with content', tuple(([a, b, c]) => [a, b, c, [[6, 1]]])],
    ['too many commands', tuple(([a, b, c]) => [a, b, c, Array(MAX_COMMANDS_PER_ENTRY + 1).fill([6])])],
    ['a bank that is no id', tuple(([a, b, c]) => [a, b, c, [[2, 'a/b', transferId(1)]]])],
    ['an id that is no UUID', tuple(([a, b, c]) => [a, b, c, [[2, BANK_A, 'x']]])],
    ['a word of 31 bytes', tuple(([a, b, c]) => [a, b, c, [[4, BANK_A, ALPHA, EUR, new Uint8Array(31)]]])],
    ['an action that is none', tuple(([a, b, c]) => [a, b, c, [[7, 1, encode([{ name: 'rule', args: {} }]), []]]])],
    ['a number longer than needed', Uint8Array.of(0x84, 0x18, 0x01, 0x00, 0xf4, 0x80)],
  ])('%s is refused', (_, bytes) => {
    expect(() => decodeEntry(bytes)).toThrow(CodecError);
  });

  /** A committed entry that no node can read would stop them all. */
  test.each<readonly [string, Command]>([
    ['a negative amount', { type: 'submitTransfer', terms: { ...terms, amountMinor: -1n } }],
    ['an amount above 64 bits', { type: 'submitTransfer', terms: { ...terms, amountMinor: 2n ** 64n } }],
    ['half a millisecond', { type: 'submitTransfer', terms: { ...terms, fundByMs: 0.5 } }],
    ['a negative counter', event({ type: 'guardianProposed' })],
  ])('%s is not written', (what, command) => {
    const spoilt =
      what === 'a negative counter' && command.type === 'vaultEvent'
        ? { ...command, event: { ...command.event, seq: -1 } }
        : command;
    expect(() => encodeEntry(entry(spoilt))).toThrow(CodecError);
  });

  test('errors say no content', () => {
    const bytes = encode([1, 1, false, [[2, 'Bank of Secrets!', transferId(1)]]]);
    expect(() => decodeEntry(bytes)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('Secrets') }),
    );
  });
});

const GOLDEN = 'e47b664e0dbd53b0e204ad737b5ec04252dd192b3b5b1d2fbea27dc23ba8edc9';
const CREATION_GOLDEN = 'ce3a02f5199fd37337a72623d34a2dec8202fa67526cb4cc81d8d2f341d89fe7';
const STATES_GOLDEN = '9dccb90dca8085c9ed8581878dc92e41ac5f3961242771c2880a08ada6aeaf7b';
