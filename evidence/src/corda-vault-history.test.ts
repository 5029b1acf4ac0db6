/** Recorded transactions of vaults, judged from the creation on by nothing but signatures. */
import { describe, expect, test } from '@jest/globals';
import { firstVaultStates, judgeVaultTransaction, type KnownVaultStates } from './corda-vault-history.ts';
import { instructionOf, signatureOf } from './corda-vault-states.ts';
import { COMMANDED, ESCROW, ISSUE, vaultFacts, withCommand } from './testing/corda-vault.ts';
import { any, WORD } from './testing/corda-vault-cases.ts';
import { recoverSealer } from './testing/secp256k1-signers.ts';

const judged = (facts: ReturnType<typeof vaultFacts>, { root } = ESCROW, known?: KnownVaultStates) =>
  judgeVaultTransaction(facts, root, known ?? firstVaultStates(root), recoverSealer);
const RELEASE = vaultFacts('release');
const [TOLD = any(0)] = RELEASE.commands;

describe('by a vault that was just made', () => {
  test.each([
    ['create', ESCROW, 'created'],
    ['lock', ESCROW, 'locked'],
    ['release', ESCROW, 'executed'],
    ['void', ESCROW, 'voided'],
    ['refund', ESCROW, 'executed'],
    ['create-issue', ISSUE, 'created'],
    ['issue', ISSUE, 'executed'],
    ['burn', ISSUE, 'locked'],
    ['void-issue', ISSUE, 'voided'],
    ['pause', COMMANDED, 'pauseChanged'],
  ])('%s is proven', (name, vault, type) => {
    expect(judged(vaultFacts(name), vault)).toMatchObject({ ok: true, event: { type } });
  });

  test('what names a later state, or another vault, is not known', () => {
    expect(judged(vaultFacts('guard-pause'), COMMANDED)).toBeUndefined();
    expect(judged(vaultFacts('lock'), ISSUE)).toBeUndefined();
  });
});

test('what consumes a known state is judged, whatever else it names', () => {
  const { references } = vaultFacts('lock');
  expect(judged({ ...vaultFacts('pause'), references }, COMMANDED)).toMatchObject({ ok: false, check: 'reference' });
});

test('each change of command leaves a state that is known from then on', () => {
  const changes = ['pause', 'unpause', 'rotate', 'guard-pause', 'guard-unpause', 'guard-propose', 'guard-cancel'];
  let known = firstVaultStates(COMMANDED.root);
  for (const name of changes) {
    const result = judged(vaultFacts(name), COMMANDED, known);
    if (!result?.ok) throw new Error(name);
    expect(result.states.size).toBe(known.size + 1);
    known = result.states;
  }
  expect(judged(vaultFacts('lock'), ESCROW)).toMatchObject({ ok: true, states: firstVaultStates(ESCROW.root) });
});

describe('an instruction counts by the signature of the authority', () => {
  const refused = { ok: false, check: 'instruction' };

  test('over just that', () => {
    expect(instructionOf(TOLD.data).amountMinor).toBe(300n);
    expect(judged(withCommand(RELEASE, ['subject'], WORD))).toMatchObject(refused);
    expect(judged(withCommand(RELEASE, ['id'], WORD))).toMatchObject(refused);
  });

  test.each([
    ['none', new Uint8Array()],
    ['another', signatureOf(vaultFacts('release-exact').commands[0]?.data ?? any(0))],
    ['one with a byte more', Uint8Array.from([...signatureOf(TOLD.data), 0])],
  ])('and not by %s', (_, signature) => {
    expect(judged(withCommand(RELEASE, ['signature'], signature))).toMatchObject(refused);
  });

  test('of the state that it names', () => {
    const known: KnownVaultStates = new Map(
      [...firstVaultStates(ESCROW.root)].map(([ref, control]) => [ref, { ...control, authority: any('0x') }]),
    );
    expect(judged(RELEASE, ESCROW, known)).toMatchObject(refused);
  });

  test('and what says nothing is refused in words', () => {
    expect(judged(withCommand(RELEASE, ['kind'], 9))).toMatchObject({ ok: false, check: 'state' });
  });

  test('a creation that does not fit is no creation', () => {
    const root = { ...ESCROW.root, currency: 'EUR' };
    expect(judgeVaultTransaction(vaultFacts('create'), root, firstVaultStates(root), recoverSealer)).toMatchObject({
      ok: false,
      check: 'terms',
    });
  });
});
