import { RequestFaultsError } from '@drawbridge/connector-cactus/cactus-error';
import { checkedBody } from '@drawbridge/connector-cactus/request-check';
import { expect, test } from '@jest/globals';
import * as schemas from './operation-schemas.ts';
import { quantity } from './quantities.ts';

const credential = { type: 'CACTUS_KEYCHAIN_REF', ethAccount: '0x', keychainEntryKey: 'k', keychainId: 'c' };
const invoke = { contractName: 'c', invocationType: 'CALL', methodName: 'm', params: [] };

function faults(schema: Parameters<typeof checkedBody>[0], body: unknown) {
  try {
    checkedBody(schema, body);
  } catch (error) {
    if (error instanceof RequestFaultsError) return error.faults;
    throw error;
  }
  return [];
}

test.each([
  ['Quorum 0.5', schemas.InvokeRequest, { ...invoke, signingCredential: credential, keychainId: 'k' }],
  ['Quorum 2.0', schemas.InvokeRequest, { ...invoke, web3SigningCredential: credential, keychainId: 'k', gas: 1_000 }],
  [
    'Besu 1.0',
    schemas.InvokeRequest,
    { ...invoke, signingCredential: credential, contractAbi: '[]', contractAddress: `0x${'11'.repeat(20)}` },
  ],
  [
    'a deployment of Quorum 0.5',
    schemas.QuorumDeployRequest,
    { contractName: 'c', web3SigningCredential: credential, bytecode: '6001', keychainId: 'k', gas: 1, gasPrice: '1' },
  ],
  [
    'a transaction with fields of web3',
    schemas.QuorumRunTransactionRequest,
    { web3SigningCredential: { type: 'NONE' }, transactionConfig: { rawTransaction: '0x00', chain: 'x' } },
  ],
])('%s is understood', (_what, schema, body) => {
  expect(faults(schema, body)).toEqual([]);
});

test.each([
  ['no body', schemas.RawMethodRequest, undefined, '/body', 'type'],
  [
    'a field that no version had',
    schemas.RawMethodRequest,
    { methodName: 'm', colour: 1 },
    '/body/colour',
    'additionalProperties',
  ],
  ['a missing field', schemas.RawMethodRequest, {}, '/body/methodName', 'required'],
  [
    'a word that is none of those',
    schemas.RawContractRequest,
    { abi: [], address: `0x${'11'.repeat(20)}`, contractMethod: 'm', invocationType: 'sign' },
    '/body/invocationType',
    'enum',
  ],
  [
    'a number that lost digits',
    schemas.QuorumRunTransactionRequest,
    { web3SigningCredential: { type: 'NONE' }, transactionConfig: { nonce: 2 ** 60 } },
    '/body/transactionConfig/nonce',
    'type',
  ],
  [
    'Besu without its strategy',
    schemas.BesuRunTransactionRequest,
    { web3SigningCredential: { type: 'NONE' }, transactionConfig: {} },
    '/body/consistencyStrategy',
    'required',
  ],
])('%s is a fault', (_what, schema, body, path, rule) => {
  expect(faults(schema, body)).toContainEqual({
    path,
    message: expect.any(String),
    errorCode: `${rule}.openapi.validation`,
  });
});

test('quantities are whole, in any of the three ways, and never above 256 bits', () => {
  expect([quantity(5, 'x'), quantity('5', 'x'), quantity('0x5', 'x')]).toEqual([5n, 5n, 5n]);
  for (const value of [-1, 1.5, 2 ** 53, '', '-1', '1.5', '0x', '1e5', '9'.repeat(78)])
    expect(() => quantity(value, 'x')).toThrow(expect.objectContaining({ code: 'ARGUMENTS_INVALID' }));
});
