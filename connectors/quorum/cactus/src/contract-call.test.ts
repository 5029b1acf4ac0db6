import { expect, test } from '@jest/globals';
import { contractInterface, decodeOutput, encodeCreation, encodeMethod } from './contract-call.ts';

const contract = contractInterface([
  'function one(uint256 amount) returns (uint256)',
  'function many(bytes32 word, bool[] flags) returns (uint8 small, bool ok, (uint256 a, bytes b) pair)',
  'function none()',
  'function both(uint256 a)',
  'function both(address a)',
  'constructor(string name)',
]);

test('one output stands alone, several by place and name, whole numbers as text', () => {
  const one = encodeMethod(contract, 'one', [1]);
  const data = contract.encodeFunctionResult(one.fragment, [2n ** 200n]);
  expect(decodeOutput(contract, one, data)).toBe((2n ** 200n).toString());
  const many = encodeMethod(contract, 'many', ['0x01', [true]]);
  const encoded = contract.encodeFunctionResult(many.fragment, [3, true, [4, '0x05']]);
  const pair = ['4', '0x05'];
  expect(decodeOutput(contract, many, encoded)).toEqual({ 0: '3', small: '3', 1: true, ok: true, 2: pair, pair });
  expect(decodeOutput(contract, encodeMethod(contract, 'none', []), '0x')).toBeNull();
});

test('short bytesN are filled behind, as web3 does', () => {
  expect(encodeMethod(contract, 'many', ['0xab', []]).data.slice(10, 74)).toBe(`ab${'00'.repeat(31)}`);
});

test.each([
  ['an unknown method', 'other', []],
  ['a member of every object', 'constructor', []],
  ['too few arguments', 'one', []],
  ['a number that lost digits', 'one', [2 ** 60]],
  ['text for a number', 'one', ['many']],
  ['a name that two methods share', 'both', ['1']],
])('%s is refused', (_what, name, args) => {
  expect(() => encodeMethod(contract, name, args)).toThrow(expect.objectContaining({ code: 'ARGUMENTS_INVALID' }));
});

test('a shared name is told apart by its signature', () => {
  expect(encodeMethod(contract, 'both(uint256)', ['1']).fragment.format('sighash')).toBe('both(uint256)');
});

test('creation code carries its arguments, with or without 0x', () => {
  const whole = encodeCreation(contract, '0x6001', ['x']);
  expect(encodeCreation(contract, '6001', ['x'])).toBe(whole);
  expect(whole.startsWith('0x6001')).toBe(true);
  expect(encodeCreation(undefined, '6001', [])).toBe('0x6001');
  expect(() => encodeCreation(undefined, '6001', ['x'])).toThrow(/abi/);
  expect(() => encodeCreation(contract, '6001', [])).toThrow(/1 arguments/);
  expect(() => encodeCreation(undefined, '0x6', [])).toThrow(/no hex/);
});

test.each([
  ['no list', {}],
  ['no JSON', '{'],
  ['a fragment that is none', [{ type: 'thing' }]],
])('an interface with %s is refused', (_what, abi) => {
  expect(() => contractInterface(abi)).toThrow(expect.objectContaining({ code: 'CONTRACT_UNUSABLE' }));
});

test('an answer that is not of the interface’s types is refused', () => {
  expect(() => decodeOutput(contract, encodeMethod(contract, 'one', [1]), '0x01')).toThrow(/types/);
});
