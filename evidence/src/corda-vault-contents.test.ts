/** Forged transactions of vaults, each with the check that refuses it: whose states, amounts, locks, instructions, permits, terms. */
import { fromHex } from '@drawbridge/protocol/bytes32';
import type { Instruction } from '@drawbridge/protocol/instruction';
import { addressWord } from '@drawbridge/protocol/instruction';
import { accountWord } from '@drawbridge/protocol/state-ref';
import { expect, test } from '@jest/globals';
import { instructionOf } from './corda-vault-states.ts';
import { COMMANDED, ESCROW, madeBy, withCommand } from './testing/corda-vault.ts';
import {
  any,
  BURN,
  COMPLETE,
  commanded,
  type Forgery,
  facts,
  type Judged,
  LOCK,
  OTHER_KEY,
  ownKey,
  PARTY,
  PAUSE,
  PROPOSE,
  PROPOSED,
  RELEASE,
  ROTATE,
  read,
  root,
  state,
  TOKENS,
  tip,
  told,
  VOID,
  WORD,
} from './testing/corda-vault-cases.ts';

/** The book gives the release, so changed, for every id. */
const signedAs = (item: Judged, change: Partial<Instruction>): Judged => {
  const signed = instructionOf(RELEASE.facts.commands[0]?.data ?? any(0));
  return { ...item, book: { ...item.book, instruction: () => ({ ...signed, ...change }) } };
};

/** The state says what the instruction does. */
const rotatedTo = (subject: Uint8Array): Judged =>
  state(told(ROTATE, 'subject', any(subject)), 0, 'control.authority', any(subject.subarray(12)));

const FORGERIES: readonly Forgery[] = [
  ['a record of another vault', 'vault', state(LOCK, 2, 'vaultId', any(WORD))],
  ['a record kept by another', 'vault', state(LOCK, 2, PARTY, any(OTHER_KEY))],
  ['a guard of another vault', 'vault', state(LOCK, 1, 'vaultId', any(WORD))],
  ['a guard kept by another', 'vault', state(LOCK, 1, PARTY, any(OTHER_KEY))],
  ['a permit of another vault', 'vault', state(RELEASE, 0, 'vaultId', any(WORD))],
  ['a permit kept by another', 'vault', state(RELEASE, 0, PARTY, any(OTHER_KEY))],
  ['a token of another vault', 'vault', state(TOKENS, 1, 'vaultId', any(WORD))],
  ['change of a burn of another vault', 'vault', state(BURN, 1, 'vaultId', any(WORD))],
  ['a vault of another id', 'vault', state(ROTATE, 0, 'vaultId', any(WORD))],
  ['a vault kept by another', 'vault', state(ROTATE, 0, PARTY, any(OTHER_KEY))],
  ['a guard of another amount', 'amount', state(LOCK, 1, 'amount', any(701n))],
  ['a record of more than was locked', 'amount', state(LOCK, 2, 'amount', any(701n))],
  ['more locked than a permit may pass', 'amount', root(LOCK, { permitCapMinor: 699n })],
  ['more paid than instructed', 'amount', state(RELEASE, 1, 'amount.quantity', any(301n))],
  ['a payment of nothing', 'amount', told(RELEASE, 'amount', any(0n))],
  ['more issued than instructed', 'amount', state(TOKENS, 1, 'amount', any(501n))],
  ['a token of another name', 'amount', state(TOKENS, 1, 'currency', any('EUR'))],
  ['a guard of other change', 'amount', state(RELEASE, 3, 'amount', any(401n))],
  ['a lock of a paused vault', 'paused', tip(LOCK, { pausedByAuthority: true })],
  ['a lock of a vault that guardians paused', 'paused', tip(LOCK, { pausedByGuardian: true })],
  ['a release of a paused vault', 'paused', tip(RELEASE, { pausedByAuthority: true })],
  ['an issue of a paused vault', 'paused', tip(TOKENS, { pausedByGuardian: true })],
  ['another lock id', 'lock', state(LOCK, 2, 'lockId', any(WORD))],
  ['a lock id over another reference', 'lock', state(LOCK, 2, 'reference', any(WORD))],
  ['a lock id over other inputs', 'lock', facts(LOCK, (of) => ({ ...of, inputs: of.references }))],
  ['a record of another currency', 'lock', state(LOCK, 2, 'currency', any('EUR'))],
  ['a record of another issuer', 'lock', state(LOCK, 2, 'issuerKey', any(WORD))],
  ["a record of another issuer's reference", 'lock', state(LOCK, 2, 'issuerReference', any(WORD))],
  ['a burn that names an issuer', 'lock', state(BURN, 0, 'issuerKey', any(WORD))],
  [
    'an instruction that nobody signed',
    'instruction',
    { ...RELEASE, book: { ...RELEASE.book, instruction: () => undefined } },
  ],
  ['another id', 'instruction', facts(RELEASE, (of) => withCommand(of, ['id'], WORD))],
  [
    'another id in the place of one that was signed',
    'instruction',
    signedAs(
      facts(RELEASE, (of) => withCommand(of, ['id'], WORD)),
      {},
    ),
  ],
  [
    'an instruction that was signed over other states',
    'instruction',
    signedAs(RELEASE, { inputs: RELEASE.root.vaultId }),
  ],
  ['an asset of another vault', 'instruction', told(RELEASE, 'asset', any(WORD))],
  [
    'an epoch that is yet to come',
    'instruction',
    tip(
      facts(RELEASE, (of) => withCommand(of, ['epoch'], 2n)),
      { epoch: 2 },
    ),
  ],
  ['an epoch that is over', 'instruction', tip(RELEASE, { epoch: 2 })],
  ['a rotation in an epoch that is over', 'instruction', tip(ROTATE, { epoch: 2 })],
  ['another payee', 'beneficiary', state(RELEASE, 1, 'owner.owningKey', any(OTHER_KEY))],
  ['another owner of tokens', 'beneficiary', state(TOKENS, 1, 'owner.owningKey', any(OTHER_KEY))],
  [
    'a payment to the vault',
    'beneficiary',
    told(
      state(RELEASE, 1, 'owner.owningKey', any(ownKey)),
      'beneficiary',
      any(fromHex(accountWord(ESCROW.root.party))),
    ),
  ],
  ['a permit that another instruction made', 'permit', state(RELEASE, 0, 'lastInstruction', any(WORD))],
  ['a void whose permit does not say so', 'permit', state(VOID, 0, 'lastInstruction', any(WORD))],
  ['a permit beyond the last', 'permit', state(RELEASE, 0, 'index', any(2))],
  ['a permit below the first', 'permit', state(RELEASE, 0, 'index', any(-1))],
  [
    'a permit beyond its cap by earlier halves',
    'permit',
    state(RELEASE, 0, 'previous', any(ESCROW.root.permitCapMinor)),
  ],
  [
    'a permit beyond its cap by the oldest half',
    'permit',
    state(RELEASE, 0, 'oldest', any(ESCROW.root.permitCapMinor)),
  ],
  ['a permit that does not count the payment', 'permit', state(RELEASE, 0, 'current', any(299n))],
  ['a state with a negative sum', 'state', state(RELEASE, 0, 'oldest', any(-1n))],
  ['a vault id of 31 bytes', 'state', state(LOCK, 1, 'vaultId', any(new Uint8Array(31)))],
  ['a guard of nothing', 'state', state(LOCK, 1, 'amount', any(0n))],
  ['cash of nothing', 'state', state(LOCK, 0, 'amount.quantity', any(0n))],
  ['an instruction of no kind', 'state', facts(RELEASE, (of) => withCommand(of, ['kind'], 9))],
  ['a trail too long', 'state', facts(RELEASE, (of) => withCommand(of, ['trail'], new Uint8Array(257)))],
  ['an epoch of 33 bits', 'state', facts(RELEASE, (of) => withCommand(of, ['epoch'], 2n ** 32n))],
  ['an end beyond all time', 'state', facts(RELEASE, (of) => withCommand(of, ['notAfter'], 2n ** 53n))],
  ['an authority of 19 bytes', 'state', state(ROTATE, 0, 'control.authority', any(new Uint8Array(19)))],
  ['no authority', 'state', state(ROTATE, 0, 'control.authority', any(new Uint8Array(0)))],
  ['an action of nobody', 'state', facts(PROPOSE, (of) => withCommand(of, ['action'], 6))],
  ['a proposal of nobody', 'state', facts(PROPOSE, (of) => withCommand(of, ['authority'], new Uint8Array(0)))],
  ['a pause with an authority', 'state', facts(PROPOSE, (of) => withCommand(of, ['action'], 1))],
  ['a rotation to another than was told', 'control', told(ROTATE, 'subject', any(WORD.with(0, 0)))],
  ['a rotation to a word that is no address', 'control', rotatedTo(WORD)],
  ['a rotation to the same address', 'control', rotatedTo(fromHex(addressWord(ROTATE.book.tip.control.authority)))],
  ['a rotation to nobody', 'control', rotatedTo(new Uint8Array(32))],
  ['a pause that does not pause', 'control', state(PAUSE, 0, 'control.pausedByAuthority', any(false))],
  ['a pause that lifts nothing else', 'control', state(PAUSE, 0, 'control.pausedByGuardian', any(true))],
  [
    'guardians without signatures',
    'guardians',
    facts(PROPOSE, (of) => withCommand(of, ['signatures'], new Uint8Array())),
  ],
  [
    'a completion of what was not proposed',
    'control',
    commanded('guard-complete', { ...PROPOSED, state: madeBy('guard-cancel').state }),
  ],
  ['a proposal while one is open', 'control', tip(PROPOSE, { proposedAuthority: COMMANDED.state.control.authority })],
  [
    'a completion before its time',
    'timeWindow',
    tip(COMPLETE, { proposalNotBefore: COMPLETE.book.tip.control.proposalNotBefore + 1n }),
  ],
  ['a proposal that is due too early', 'control', state(PROPOSE, 0, 'control.proposalNotBefore', any(1n))],
  ['guardians change the terms', 'terms', state(PROPOSE, 0, 'terms.permits', any(3))],
];

test.each(FORGERIES)('%s', (_, check, forged) => {
  expect(read(forged)).toMatchObject({ ok: false, check });
});

test.each(['kind', 'subject', 'amount', 'beneficiary', 'notAfter', 'trail'] as const)(
  'an instruction of another %s than was signed',
  (name) => {
    const values = { kind: 3, subject: WORD, amount: 299n, beneficiary: WORD, notAfter: 2n ** 40n, trail: WORD };
    const forged = facts(RELEASE, (of) => withCommand(of, [name], values[name]));
    expect(read(forged)).toMatchObject({ ok: false, check: 'instruction' });
  },
);

test.each([
  ['asset', WORD],
  ['capWindowSeconds', 7_201n],
  ['cashConstraint', new Uint8Array(33)],
  ['currency', 'EUR'],
  ['genesisHash', WORD],
  ['guardianDelaySeconds', 1n],
  ['guardianThreshold', 1],
  ['guardians', new Uint8Array(60)],
  ['issuerKey', WORD],
  ['issuerReference', WORD],
  ['mode', 2],
  ['networkIdHash', WORD],
  ['permitCap', 1n],
  ['permits', 3],
  ['serviceId', WORD],
] as const)('a vault of another %s than is registered', (name, value) => {
  for (const item of [ROTATE, PAUSE, PROPOSE, COMPLETE]) {
    expect(read(state(item, 0, `terms.${name}`, any(value)))).toMatchObject({ ok: false, check: 'terms' });
  }
});

test.each([
  ['authority', new Uint8Array(20).fill(1)],
  ['epoch', 7n],
  ['guardianNonce', 9n],
  ['lastInstruction', WORD],
  ['pausedByAuthority', true],
  ['pausedByGuardian', true],
  ['proposalNotBefore', 5n],
  ['proposedAuthority', new Uint8Array(20).fill(1)],
] as const)('a vault of another %s than the command makes', (name, value) => {
  expect(read(state(ROTATE, 0, `control.${name}`, any(value)))).toMatchObject({ ok: false, check: 'control' });
  expect(read(state(COMPLETE, 0, `control.${name}`, any(value)))).toMatchObject({ ok: false, check: 'control' });
});

test('detail repeats no content', () => {
  for (const [, , forged] of FORGERIES) {
    const result = read(forged);
    expect('detail' in result && /[0-9a-f]{8}|\d{3}/.test(result.detail)).toBe(false);
  }
});
