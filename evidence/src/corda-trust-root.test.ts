import { toHex } from '@drawbridge/protocol/bytes32';
import { describe, expect, test } from '@jest/globals';
import { type CordaRegistration, cordaTrustRoot } from './corda-trust-root.ts';
import { CORDA_TYPES, type CordaType, TYPE } from './corda-types.ts';
import { REGISTRATION, STRANGER } from './testing/corda-payment.ts';
import { CASH_CONSTRAINT, MOVE } from './testing/corda-recordings.ts';

const detail = (change: Partial<CordaRegistration>): string => {
  const result = cordaTrustRoot({ ...REGISTRATION, ...change });
  return result.ok ? 'ok' : result.detail;
};
const pin = { contract: 'a.Contract', states: [TYPE.cash], constraints: [CASH_CONSTRAINT] };
const type = (name: string, descriptor: string): CordaType => ({ form: 'composite', name, descriptor, fields: [] });

describe('registrations that make no trust root', () => {
  test.each<[Partial<CordaRegistration>, string]>([
    [{ notary: { ...REGISTRATION.notary, key: '0x00' } }, 'the notary has no key of a scheme that is verified'],
    [{ vaultParty: { key: '0x' } }, 'the vault party has no key of a scheme that is verified'],
    [{ vaultParty: { key: REGISTRATION.notary.key } }, 'notary and vault party have one key'],
    [{ contracts: [] }, 'no contract is registered'],
    [{ contracts: [pin, pin] }, 'a contract is pinned twice'],
    [{ contracts: [{ ...pin, states: [] }] }, 'a contract has no states'],
    [{ contracts: [{ ...pin, constraints: [] }] }, 'a contract has no constraint'],
    [{ contracts: [{ ...pin, states: ['a.State'] }] }, 'type a.State is not pinned'],
    [{ commands: [MOVE, 'a.Command'] }, 'type a.Command is not pinned'],
    [{ types: [type('a.State', 'net.corda:a'), type('a.Other', 'net.corda:a')] }, 'two types have one descriptor'],
    [{ types: [type('a.State', CORDA_TYPES[0]?.descriptor ?? '')] }, 'two types have one descriptor'],
    [{ types: [type('a.State', 'net.corda:a'), type('a.State', 'net.corda:b')] }, 'a type is pinned twice'],
    [{ types: [type(TYPE.cash, 'net.corda:a')] }, 'a type is pinned twice'],
    [{ types: [type('a. State', 'net.corda:a')] }, 'the name of a type has a space'],
  ])('%#: %s', (change, expected) => {
    expect(detail(change)).toBe(expected);
  });
});

test('types of a CorDapp are pinned beside those of Corda', () => {
  const types = [type('a.State', 'net.corda:a')];
  expect(detail({ types, contracts: [{ ...pin, states: ['a.State'] }], commands: ['a.State'] })).toBe('ok');
  expect(detail({ vaultParty: { key: toHex(STRANGER.spki) } })).toBe('ok');
});
