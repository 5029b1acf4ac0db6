/** Remembered components: nothing but the time changes, and there is a bound. */
import { fromHex } from '@drawbridge/protocol/bytes32';
import { expect, test } from '@jest/globals';
import { AmqpFault } from './corda-amqp.ts';
import { GROUP } from './corda-components.ts';
import { keyOf, partyOf } from './corda-facts.ts';
import { knownComponent, MAX_KNOWN_COMPONENT_BYTES, MAX_KNOWN_COMPONENTS } from './corda-known-components.ts';
import { type CordaObject, readComponent } from './corda-objects.ts';
import { CORDA_TYPES, type CordaTypes, cordaTypes, TYPE, transactionStateOf } from './corda-types.ts';
import { edited, NOTARY, replaced, soundComponents } from './testing/corda-payment.ts';

const [NOTARY_PARTY = new Uint8Array()] = soundComponents().get(GROUP.notary) ?? [];
const [OUTPUT = new Uint8Array()] = soundComponents().get(GROUP.outputs) ?? [];
const freshTypes = (): CordaTypes => cordaTypes([...CORDA_TYPES, transactionStateOf([TYPE.cash])]);
const party = (types: CordaTypes, bytes = NOTARY_PARTY): CordaObject => knownComponent(bytes, types, [TYPE.party]);
/** The notary's component with another key. */
const withKey = (n: number): Uint8Array =>
  replaced(NOTARY_PARTY, NOTARY.spki, NOTARY.spki.with(40, n & 0xff).with(41, n >> 8));

test('a component that is remembered is what it was at first', () => {
  const types = freshTypes();
  expect(party(types)).toBe(party(types));
  expect(party(types)).toEqual(readComponent(NOTARY_PARTY, types, [TYPE.party]));
  expect(party(freshTypes())).not.toBe(party(types));
});

test('another of its length is itself', () => {
  const types = freshTypes();
  party(types);
  expect(partyOf(party(types, withKey(9))).key).not.toBe(partyOf(party(types)).key);
});

test('a remembered component stands only where its type may', () => {
  const types = freshTypes();
  party(types);
  for (let i = 0; i < 2; i++) expect(() => knownComponent(NOTARY_PARTY, types, [TYPE.signers])).toThrow(AmqpFault);
  const fresh = freshTypes();
  for (let i = 0; i < 2; i++) expect(() => knownComponent(NOTARY_PARTY, fresh, [TYPE.signers])).toThrow(AmqpFault);
});

test('bytes that change afterwards change nothing', () => {
  const types = freshTypes();
  const bytes = Uint8Array.from(NOTARY_PARTY);
  party(types, bytes);
  bytes.fill(0);
  const owningKey = party(types).fields?.get('owningKey');
  expect(fromHex(keyOf(owningKey as CordaObject))).toEqual(NOTARY.spki);
  expect(() => party(types, bytes)).toThrow(AmqpFault);
});

test('what is refused is refused again', () => {
  const types = freshTypes();
  const forged = edited(NOTARY_PARTY, (part) =>
    part.kind === 'symbol' ? { ...part, value: 'net.corda:other' } : part,
  );
  for (let i = 0; i < 2; i++) expect(() => party(types, forged)).toThrow(AmqpFault);
});

test('no more are remembered than the bound, and none that is large', () => {
  const types = freshTypes();
  const first = party(types);
  for (let n = 1; n < MAX_KNOWN_COMPONENTS; n++) party(types, withKey(n));
  expect(party(types)).toBe(first);
  party(types, withKey(MAX_KNOWN_COMPONENTS));
  expect(party(types)).not.toBe(first);
  expect(party(types)).toEqual(first);
  expect(OUTPUT.length).toBeGreaterThan(MAX_KNOWN_COMPONENT_BYTES);
  const large = (): CordaObject => knownComponent(OUTPUT, types, [TYPE.transactionState]);
  expect(large()).not.toBe(large());
  expect(large()).toEqual(large());
});
