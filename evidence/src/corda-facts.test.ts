/** Facts at their edges: what components of Corda's classes do not show. */
import { describe, expect, test } from '@jest/globals';
import { AmqpFault } from './corda-amqp.ts';
import {
  CordaFields,
  cashOf,
  keyOf,
  outputOf,
  partyOf,
  sameName,
  signersOf,
  stateRefOf,
  timeWindowOf,
} from './corda-facts.ts';
import type { CordaObject, CordaValue } from './corda-objects.ts';
import { TYPE } from './corda-types.ts';

const object = (type: string, fields: Readonly<Record<string, CordaValue>>): CordaObject => ({
  type,
  fields: new Map(Object.entries(fields)),
});
const KEY: CordaObject = { type: TYPE.publicKey, content: Uint8Array.of(1) };
const PARTY = object(TYPE.anonymousParty, { owningKey: KEY });
const cash = (quantity: CordaValue, currency = 'EUR', content: string | Uint8Array = '0.01'): CordaObject =>
  object(TYPE.cash, {
    amount: object('amount', {
      quantity,
      displayTokenSize: { type: 'decimal', content },
      token: object('token', {
        product: { type: 'currency', content: currency },
        issuer: object('issuer', { party: PARTY, reference: object('bytes', { bytes: Uint8Array.of(7) }) }),
      }),
    }),
    owner: PARTY,
  });

test('cash is read', () => {
  expect(cashOf(cash(1n))).toEqual({
    quantity: 1n,
    displayTokenSize: '0.01',
    currency: 'EUR',
    issuer: { key: '0x01' },
    issuerReference: '0x07',
    owner: { key: '0x01' },
  });
});

describe('what is refused', () => {
  test.each<[string, () => unknown]>([
    ['no amount', () => cashOf(cash(0n))],
    ['a negative amount', () => cashOf(cash(-1n))],
    ['a currency of two letters', () => cashOf(cash(1n, 'EU'))],
    ['a currency in small letters', () => cashOf(cash(1n, 'eur'))],
    ['an amount that is text', () => cashOf(cash('1'))],
    ['another type for cash', () => cashOf({ ...cash(1n), type: TYPE.party })],
    ['a party as a key', () => keyOf(PARTY)],
    ['bytes that are no key', () => keyOf({ type: 'bytes', content: Uint8Array.of(1) })],
    ['a size that is bytes', () => cashOf(cash(1n, 'EUR', Uint8Array.of(1)))],
    ['a key that is text', () => keyOf({ type: TYPE.publicKey, content: 'key' })],
    ['a key for a party', () => partyOf(KEY)],
    ['a name for signers', () => signersOf(object(TYPE.x500Name, {}))],
    ['signers without elements', () => signersOf({ type: TYPE.signers })],
    ['a signer that is text', () => signersOf({ type: TYPE.signers, elements: ['key'] })],
    ['signers of another list', () => signersOf({ type: 'java.util.Collection', elements: [KEY] })],
    ['a hash that is no hash', () => stateRefOf(object(TYPE.stateRef, { index: 0, txhash: PARTY }))],
    ['an index that is long', () => stateRefOf(object(TYPE.stateRef, { index: 0n, txhash: PARTY }))],
    ['a window that is a party', () => timeWindowOf(PARTY)],
    ['an instant that is a party', () => timeWindowOf(object(TYPE.windowFrom, { fromTime: PARTY }))],
    ['an output that is cash', () => outputOf(cash(1n))],
    ['a constraint that is a party', () => outputOf(object(TYPE.transactionState, { ...OUTPUT, constraint: PARTY }))],
  ])('%s', (_, read) => {
    expect(read).toThrow(AmqpFault);
  });
});

const OUTPUT = {
  data: PARTY,
  contract: 'a.Contract',
  constraint: object(TYPE.signatureConstraint, { key: KEY }),
  notary: PARTY,
  encumbrance: null,
};

test('an output with a constraint of a key is read', () => {
  expect(outputOf(object(TYPE.transactionState, OUTPUT)).constraint).toEqual({ kind: 'signature', key: '0x01' });
});

describe('fields by their kinds', () => {
  const values = { text: 'a', int: 1, long: 1n, flag: true, bytes: Uint8Array.of(1), object: PARTY, none: null };
  const fields = new CordaFields(object('a', values), 'a');
  const read = {
    text: (name: string) => fields.text(name),
    int: (name: string) => fields.int(name),
    long: (name: string) => fields.long(name),
    flag: (name: string) => fields.flag(name),
    bytes: (name: string) => fields.bytes(name),
    object: (name: string) => fields.object(name),
  } as const;

  test.each(Object.keys(read) as (keyof typeof read)[])('%s', (kind) => {
    expect(read[kind](kind)).toEqual(values[kind]);
    for (const other of Object.keys(values)) if (other !== kind) expect(() => read[kind](other)).toThrow(AmqpFault);
    expect(() => read[kind]('missing')).toThrow(AmqpFault);
  });

  test('what may be missing', () => {
    expect([fields.textOrNone('none'), fields.textOrNone('text')]).toEqual([undefined, 'a']);
    expect([fields.intOrNone('none'), fields.intOrNone('int')]).toEqual([undefined, 1]);
  });
});

test('names are the same when every part is', () => {
  const name = { commonName: 'a', organisationUnit: 'b', organisation: 'c', locality: 'd', state: 'e', country: 'f' };
  expect(sameName(name, { ...name })).toBe(true);
  for (const part of Object.keys(name)) expect(sameName(name, { ...name, [part]: 'x' })).toBe(false);
});

test('a window ends later by seconds, whatever the nanoseconds', () => {
  const instant = (epochSeconds: bigint, nanos: number): CordaObject => object(TYPE.instant, { epochSeconds, nanos });
  const window = object(TYPE.windowBetween, { fromTime: instant(5n, 9), untilTime: instant(6n, 1) });
  expect(timeWindowOf(window)).toEqual({ from: { epochSeconds: 5, nanos: 9 }, until: { epochSeconds: 6, nanos: 1 } });
});
