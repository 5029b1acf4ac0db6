/** The creations of the recorded vaults, held against registrations that fit, and against others. */
import { fromHex } from '@drawbridge/protocol/bytes32';
import { parseEvmAddress, parseNetworkId } from '@drawbridge/protocol/ids';
import { stateRef } from '@drawbridge/protocol/state-ref';
import { describe, expect, test } from '@jest/globals';
import type { CordaFacts } from './corda-notary.ts';
import { readVaultCreation } from './corda-vault-creation.ts';
import type { CordaVaultCheck } from './corda-vault-refusal.ts';
import { type CordaVaultRoot, saltOf, termsOf } from './corda-vault-root.ts';
import { COMMANDED, ESCROW, ISSUE, vaultFacts, withOutput, withState } from './testing/corda-vault.ts';
import { any, LOCK, OTHER_CONSTRAINT, OTHER_KEY, PARTY, RELEASE, WORD } from './testing/corda-vault-cases.ts';

const FACTS = vaultFacts('create');
const judged = (facts: CordaFacts, root: CordaVaultRoot = ESCROW.root): unknown => readVaultCreation(facts, root);
const refs = ({ inputs }: CordaFacts) => inputs.map(({ transactionId, index }) => stateRef(transactionId, index));

describe('a creation', () => {
  test.each([
    ['create', ESCROW],
    ['create-issue', ISSUE],
    ['create-command', COMMANDED],
  ])('%s is that of the vault which is registered so', (name, vault) => {
    const facts = vaultFacts(name);
    expect(judged(facts, vault.root)).toEqual({ ok: true, event: { type: 'created', consumed: refs(facts) } });
    expect(vault.state.terms).toEqual(termsOf(vault.root));
  });

  test('is of no other vault', () => {
    expect(judged(FACTS, ISSUE.root)).toMatchObject({ ok: false, check: 'creation' });
    expect(judged(FACTS, { ...ESCROW.root, vaultId: ISSUE.root.vaultId })).toMatchObject({ ok: false, check: 'vault' });
  });

  test('is no other transaction of the vault', () => {
    expect(judged(LOCK.facts)).toMatchObject({ ok: false, check: 'command' });
  });

  test('has words for what is wrong, which repeat no content', () => {
    const result = readVaultCreation(FACTS, { ...ESCROW.root, currency: 'EUR' });
    expect(result).toMatchObject({
      code: 'TERMS_MISMATCH',
      detail: 'the vault has another currency than is registered',
    });
  });
});

const GUARDIANS = ESCROW.root.guardians;
const STRANGER = parseEvmAddress(`0x${'7e'.repeat(20)}`);
const { cash } = ESCROW.root;
if (cash === undefined) throw new Error('an escrow vault holds cash');

test.each<readonly [string, CordaVaultCheck, Partial<CordaVaultRoot>]>([
  ['another authority', 'control', { authority: STRANGER }],
  ['another state', 'creation', { state: stateRef(ISSUE.root.vaultId, 0) }],
  ['another jar', 'contract', { constraint: OTHER_CONSTRAINT }],
  ['another asset', 'terms', { asset: ESCROW.root.vaultId }],
  ['another currency', 'terms', { currency: 'EUR' }],
  ['another mode', 'terms', { mode: 'issue' }],
  ['another jar of the cash', 'terms', { cash: { ...cash, constraint: OTHER_CONSTRAINT } }],
  ['cash that a key signed', 'terms', { cash: { ...cash, constraint: { kind: 'signature', key: cash.issuerKey } } }],
  ['another issuer', 'terms', { cash: { ...cash, issuerKey: ESCROW.root.party } }],
  ["another issuer's reference", 'terms', { cash: { ...cash, issuerReference: '0x02' } }],
  ['another cap', 'terms', { permitCapMinor: 1n }],
  ['a longer window', 'terms', { capWindowSeconds: 7_201n }],
  ['another guardian', 'terms', { guardians: { ...GUARDIANS, addresses: GUARDIANS.addresses.with(0, STRANGER) } }],
  ['guardians in another order', 'terms', { guardians: { ...GUARDIANS, addresses: GUARDIANS.addresses.toReversed() } }],
  ['more guardians who must sign', 'terms', { guardians: { ...GUARDIANS, threshold: 3 } }],
  ['a shorter delay', 'terms', { guardians: { ...GUARDIANS, delaySeconds: 3_599n } }],
  ['another service', 'terms', { serviceId: ESCROW.root.vaultId }],
  ['another network', 'terms', { network: parseNetworkId('corda') }],
  ['another root certificate', 'terms', { genesisHash: ESCROW.root.vaultId }],
  ['fewer permits', 'shape', { permitCount: 1 }],
  ['more permits', 'shape', { permitCount: 3 }],
])('a vault registered with %s is not the one that was made', (_, check, change) => {
  expect(judged(FACTS, { ...ESCROW.root, ...change })).toMatchObject({ ok: false, check });
});

const PERMIT_OF_ANOTHER = RELEASE.facts.outputs[0]?.data;
const [VAULT_OUTPUT, FIRST, SECOND] = FACTS.outputs;
if (VAULT_OUTPUT === undefined || FIRST === undefined || SECOND === undefined) throw new Error('two permits are made');

test.each<readonly [string, CordaVaultCheck, CordaFacts]>([
  ['without the vault party', 'vaultSignature', { ...FACTS, signedBy: FACTS.signedBy.slice(0, 1) }],
  [
    'that need not be signed by it',
    'vaultSignature',
    { ...FACTS, commands: FACTS.commands.map((command) => ({ ...command, signers: [] })) },
  ],
  ['without a time window', 'timeWindow', { ...FACTS, timeWindow: any(undefined) }],
  ['that refers to a state', 'reference', { ...FACTS, references: LOCK.facts.references }],
  ['out of nothing', 'inputs', { ...FACTS, inputs: [] }],
  ['out of two states', 'inputs', { ...FACTS, inputs: [...FACTS.inputs, ...LOCK.facts.inputs] }],
  ['out of another state', 'vault', { ...FACTS, inputs: LOCK.facts.inputs.slice(0, 1) }],
  ['with something else commanded', 'command', { ...FACTS, commands: [...FACTS.commands, ...RELEASE.facts.commands] }],
  ['of a permit for a vault', 'shape', withOutput(FACTS, 0, { data: FIRST.data })],
  ['of a vault that is encumbered', 'encumbrance', withOutput(FACTS, 0, { encumbrance: 1 })],
  ['of a vault of another id', 'vault', withState(FACTS, 0, ['vaultId'], WORD)],
  ['of a vault kept by another', 'vault', withState(FACTS, 0, PARTY.split('.'), OTHER_KEY)],
  ['of a paused vault', 'control', withState(FACTS, 0, ['control', 'pausedByGuardian'], true)],
  ['of a vault of epoch 2', 'control', withState(FACTS, 0, ['control', 'epoch'], 2n)],
  ['of a permit that is encumbered', 'encumbrance', withOutput(FACTS, 2, { encumbrance: 1 })],
  ['of a permit of another vault', 'vault', withState(FACTS, 1, ['vaultId'], WORD)],
  ['of a permit kept by another', 'vault', withState(FACTS, 2, PARTY.split('.'), OTHER_KEY)],
  ['of one permit twice', 'permit', withOutput(FACTS, 2, FIRST)],
  ['of permits in another order', 'permit', withOutput(withOutput(FACTS, 1, SECOND), 2, FIRST)],
  ['of a permit that was used', 'permit', withOutput(FACTS, 1, { data: PERMIT_OF_ANOTHER ?? any(0) })],
  ...(['bucket', 'current', 'previous', 'oldest'] as const).map(
    (name): readonly [string, CordaVaultCheck, CordaFacts] => [
      `of a permit with a ${name}`,
      'permit',
      withState(FACTS, 1, [name], 1n),
    ],
  ),
  ['of a permit that an instruction made', 'permit', withState(FACTS, 1, ['lastInstruction'], WORD)],
  ['of a vault without an asset', 'state', withState(FACTS, 0, ['terms', 'asset'], new Uint8Array(31))],
])('a creation %s', (_, check, forged) => {
  expect(judged(forged)).toMatchObject({ ok: false, check });
});

test('a cash jar by its signer is named by the hash of the key', () => {
  const root: CordaVaultRoot = { ...ESCROW.root, cash: { ...cash, constraint: { kind: 'signature', key: '0x00' } } };
  // SHA-256 of one zero byte.
  const expected = '0x026e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d';
  expect(termsOf(root).cashConstraint).toBe(expected);
});

test('authority and guardians of two vaults sign in two domains', () => {
  expect(saltOf(ESCROW.root)).not.toBe(saltOf(COMMANDED.root));
  expect(fromHex(saltOf(ESCROW.root))).toHaveLength(32);
});
