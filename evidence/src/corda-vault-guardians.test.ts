/** What guardians signed, recorded and forged. The contract's own tests are the model (`GuardTest.java`). */
import { fromHex, toHex } from '@drawbridge/protocol/bytes32';
import { guardianDigest } from '@drawbridge/protocol/guardian-action';
import { describe, expect, test } from '@jest/globals';
import { concatBytes } from '@noble/hashes/utils.js';
import { saltOf } from './corda-vault-root.ts';
import { guardOf } from './corda-vault-states.ts';
import { madeBy, withCommand } from './testing/corda-vault.ts';
import {
  any,
  COMPLETE,
  commanded,
  facts,
  type Judged,
  PROPOSE,
  read,
  root,
  state,
  tip,
} from './testing/corda-vault-cases.ts';
import { signer } from './testing/secp256k1-signers.ts';

const PAUSED = commanded('guard-pause', madeBy('rotate'));
const UNPAUSED = commanded('guard-unpause', madeBy('guard-pause'));
const CANCELLED = commanded('guard-cancel', madeBy('guard-propose'));

const commandOf = (item: Judged) => item.facts.commands[0]?.data ?? any(0);
const signaturesOf = (item: Judged): readonly Uint8Array[] => {
  const bytes = fromHex(guardOf(commandOf(item)).signatures);
  return Array.from({ length: bytes.length / 65 }, (_, at) => bytes.slice(65 * at, 65 * at + 65));
};
const signedWith = (item: Judged, ...signatures: readonly Uint8Array[]): Judged =>
  facts(item, (of) => withCommand(of, ['signatures'], concatBytes(...signatures)));
const [first = any(0), second = any(0)] = signaturesOf(PAUSED);
const refused = { ok: false, check: 'guardians', code: 'GUARDIANS_UNSIGNED' };

describe('guardians', () => {
  test.each([
    ['pause', PAUSED],
    ['unpause', UNPAUSED],
    ['propose', PROPOSE],
    ['cancel', CANCELLED],
    ['complete', COMPLETE],
  ])('who %s do so by enough signatures', (action, item) => {
    expect(signaturesOf(item)).toHaveLength(action === 'complete' ? 0 : 2);
    expect(read(item)).toMatchObject({ ok: true });
  });

  test.each<readonly [string, Judged]>([
    ['one signature of two', signedWith(PAUSED, first)],
    ['no signature', signedWith(PAUSED)],
    ['one guardian twice', signedWith(PAUSED, first, first)],
    ['a signature and a half', signedWith(PAUSED, first, second, first.subarray(0, 32))],
    ['a signature on something else', signedWith(PAUSED, first, signaturesOf(PROPOSE)[0] ?? any(0))],
    ['signatures on the pause for the unpause', signedWith(UNPAUSED, ...signaturesOf(PAUSED))],
    ['another recovery', signedWith(PAUSED, first, second.with(64, 55 - (second[64] ?? 0)))],
    ['a recovery of no meaning', signedWith(PAUSED, first, second.with(64, (second[64] ?? 0) + 2))],
    ['a recovery below all', signedWith(PAUSED, first, second.with(64, (second[64] ?? 0) - 27))],
    ['r of nothing', signedWith(PAUSED, first, Uint8Array.from([...new Uint8Array(32), ...second.subarray(32)]))],
    ['another nonce', tip(PAUSED, { guardianNonce: 5n })],
    ['a completion with signatures', signedWith(COMPLETE, first, second)],
  ])('with %s have not signed', (_, forged) => expect(read(forged)).toMatchObject(refused));

  test('who are none of the vault do not count, however many they are', () => {
    const digest = fromHex(guardianDigest(saltOf(PAUSED.root), { action: 'pause' }, 0n));
    const by = (seed: number): Uint8Array => {
      const seal = signer(seed).seal(digest);
      return seal.with(64, (seal[64] ?? 0) + 27);
    };
    const strangers = [by(1), by(2)];
    expect(read(signedWith(PAUSED, ...strangers))).toMatchObject(refused);
    expect(read(signedWith(PAUSED, first, second, by(1)))).toMatchObject(refused);
    const addresses = [signer(1).address, signer(2).address];
    const guarded = root(PAUSED, { guardians: { ...PAUSED.root.guardians, addresses } });
    // They signed; but the state shows other guardians.
    expect(read(signedWith(guarded, ...strangers))).toMatchObject({ ok: false, check: 'terms' });
  });

  test('sign with low s alone', () => {
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const s = BigInt(toHex(second.subarray(32, 64)));
    const high = fromHex(`0x${(order - s).toString(16).padStart(64, '0')}`);
    const other = concatBytes(second.subarray(0, 32), high, Uint8Array.of(55 - (second[64] ?? 0)));
    expect(read(signedWith(PAUSED, first, other))).toMatchObject(refused);
  });

  test('cancel only what was proposed', () => {
    const { book } = CANCELLED;
    const { proposedAuthority: _open, ...control } = book.tip.control;
    const closed = { ...book, tip: { ...book.tip, control: { ...control, proposalNotBefore: 0n } } };
    expect(read({ ...CANCELLED, book: closed })).toMatchObject({ ok: false, check: 'control' });
  });

  test('do not propose nobody, nor whom the vault has', () => {
    const guard = guardOf(commandOf(PROPOSE));
    const proposed = 'authority' in guard ? guard.authority : any(0);
    // The vault has whom they propose, and its next state says so too.
    const same = state(tip(PROPOSE, { authority: proposed }), 0, 'control.authority', any(fromHex(proposed)));
    expect(read(same)).toMatchObject({ ok: false, check: 'control' });
  });
});
