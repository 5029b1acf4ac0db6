import { expect, test } from '@jest/globals';
import { amendmentStatement } from './amendment-statement.ts';
import { parseBytes32, toHex } from './bytes32.ts';

const serviceId = parseBytes32(`0x${'11'.repeat(32)}`);

test('is the prefix and deterministic CBOR, whatever the order of fields', () => {
  const prefix = Buffer.from('drawbridge/amendment/1\0').toString('hex');
  const cbor = `83${'5820'}${'11'.repeat(32)}01${'81a2'}${'6161'}${'6178'}${'626262'}${'02'}`;
  const expected = `0x${prefix}${cbor}`;
  expect(toHex(amendmentStatement({ serviceId, number: 1, actions: [{ a: 'x', bb: 2 }] }))).toBe(expected);
  expect(toHex(amendmentStatement({ serviceId, number: 1, actions: [{ bb: 2, a: 'x' }] }))).toBe(expected);
});
