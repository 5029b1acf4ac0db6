/** Who commands a vault, as a state shows it, against what it must be. */
import { wrong } from './corda-vault-refusal.ts';
import type { CordaVaultControl, CordaVaultState } from './corda-vault-states.ts';

/** @throws CordaVaultFault control, unless every field is as expected */
export function demandControl({ control }: CordaVaultState, expected: CordaVaultControl): void {
  const same =
    control.authority === expected.authority &&
    control.epoch === expected.epoch &&
    control.guardianNonce === expected.guardianNonce &&
    control.lastInstruction === expected.lastInstruction &&
    control.pausedByAuthority === expected.pausedByAuthority &&
    control.pausedByGuardian === expected.pausedByGuardian &&
    control.proposalNotBefore === expected.proposalNotBefore &&
    control.proposedAuthority === expected.proposedAuthority;
  if (!same) wrong('control', 'the state is not what the command makes of the one before');
}
