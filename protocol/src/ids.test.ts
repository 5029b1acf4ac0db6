import { describe, expect, test } from '@jest/globals';
import {
  parseAssetCode,
  parseEvmAddress,
  parseNetworkId,
  parseParticipantId,
  parseTransferId,
  vaultKey,
} from './ids.ts';

const CASES = [
  {
    what: 'participant id',
    parse: parseParticipantId,
    good: ['529900T8BM49AURSDO55', 'hub-1', 'a', 'a'.repeat(32)],
    bad: ['', '-a', '.a', 'a b', 'a_b', 'ä', 'a'.repeat(33), 'a\n', 'a\0'],
  },
  {
    what: 'asset code',
    parse: parseAssetCode,
    good: ['EUR', 'DE000BASF111', 'T-BILL.1', 'A'.repeat(16)],
    bad: ['', 'eur', 'E UR', 'A'.repeat(17), 'EUR\n', 'EUR/USD'],
  },
  {
    what: 'network id',
    parse: parseNetworkId,
    good: ['alpha', 'beta-2', 'a'.repeat(48)],
    bad: ['', '2a', '-a', 'Alpha', 'a.b', 'a/b', 'a'.repeat(49), 'alpha\n'],
  },
  {
    what: 'transfer id',
    parse: parseTransferId,
    good: ['4f2a9c1e-7c0d-4b8a-9f63-1f2e3d4c5b6a', '018f4e5a-1b2c-7d3e-8f90-a1b2c3d4e5f6'],
    bad: [
      '',
      '4F2A9C1E-7C0D-4B8A-9F63-1F2E3D4C5B6A',
      '00000000-0000-0000-0000-000000000000',
      '4f2a9c1e7c0d4b8a9f631f2e3d4c5b6a',
      '4f2a9c1e-7c0d-4b8a-7f63-1f2e3d4c5b6a',
      '4f2a9c1e-7c0d-4b8a-9f63-1f2e3d4c5b6a\n',
    ],
  },
] as const;

describe.each(CASES)('$what', ({ parse, good, bad }) => {
  test.each(good)('takes %j as it is', (text) => expect(parse(text)).toBe(text));
  test.each(bad)('refuses %j', (text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'ID_INVALID' }));
  });
});

test('an address has 20 bytes, and its checksum case does not matter', () => {
  expect(parseEvmAddress('0xD8dA6BF26964aF9D7eEd9e03E53415D37aA96045')).toBe(
    '0xd8da6bf26964af9d7eed9e03e53415d37aa96045',
  );
  expect(() => parseEvmAddress(`0x${'00'.repeat(19)}`)).toThrow(expect.objectContaining({ code: 'ID_INVALID' }));
  expect(() => parseEvmAddress(`0x${'00'.repeat(32)}`)).toThrow(expect.objectContaining({ code: 'ID_INVALID' }));
  expect(() => parseEvmAddress('vault')).toThrow(expect.objectContaining({ code: 'HEX_INVALID' }));
});

test('a vault is named by network and asset', () => {
  expect(vaultKey(parseNetworkId('alpha'), parseAssetCode('EUR'))).toBe('alpha/EUR');
});
