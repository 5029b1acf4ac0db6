import type { Hex } from '@drawbridge/protocol/bytes32';
import { expect, test } from '@jest/globals';
import { type ErrorFragment, Interface } from 'ethers';
import { vaultArtifact } from './vault-artifact.ts';
import { vaultRefusal } from './vault-refusal.ts';

const vault = new Interface(vaultArtifact.abi);
const fragments = vault.fragments.filter((fragment): fragment is ErrorFragment => fragment.type === 'error');
/** Of calls that no connector makes. */
const OTHERS =
  /^(NotDeployer|AlreadyInitialized|InvalidConfig|Guardian|NotGuardian|DuplicateGuardian|Proposal|NoProposal|NotWholeMinorUnits|LockAboveReleaseCap|TokenWithoutCode)/;

const zero = (type: string): unknown =>
  type.startsWith('bytes')
    ? `0x${'00'.repeat(32)}`
    : type === 'string'
      ? ''
      : type === 'address'
        ? `0x${'00'.repeat(20)}`
        : 0;
const dataOf = (fragment: ErrorFragment): Hex =>
  vault.encodeErrorResult(
    fragment,
    fragment.inputs.map(({ type }) => zero(type)),
  ) as Hex;

test.each(fragments.filter(({ name }) => !OTHERS.test(name)).map((fragment) => [fragment.name, fragment] as const))(
  '%s has a meaning of its own',
  (_name, fragment) => {
    expect(vaultRefusal(dataOf(fragment))).toMatchObject({ code: expect.stringMatching(/^VAULT_[A-Z_]+$/) });
  },
);

test.each([
  ['AlreadySpent', 'spent'],
  ['InstructionExpired', 'expired'],
  ['VaultPaused', 'later'],
  ['ReleaseCapExceeded', 'later'],
  ['TokenRefused', 'later'],
  ['WrongSigner', 'never'],
  ['VaultClosed', 'never'],
] as const)('%s is %s', (name, kind) => {
  const fragment = fragments.find((known) => known.name === name);
  expect(fragment && vaultRefusal(dataOf(fragment)).kind).toBe(kind);
});

test.each(['0x', '0x12345678', '0x08c379a0'] as const)('%s is the destination, and never final', (data) => {
  expect(vaultRefusal(data)).toMatchObject({ kind: 'later', code: 'DESTINATION_REVERTED' });
});
