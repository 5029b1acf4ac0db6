/** What a notarised transaction must have to be one of a vault's: the checks by name, and the refusal that names one that fails. */

const CODES = {
  state: 'STATE_INVALID',
  timeWindow: 'TIME_WINDOW_INVALID',
  command: 'COMMAND_INVALID',
  vaultSignature: 'VAULT_SIGNATURE_MISSING',
  contract: 'CONTRACT_MISMATCH',
  vault: 'VAULT_MISMATCH',
  reference: 'REFERENCE_MISMATCH',
  inputs: 'INPUTS_MISMATCH',
  shape: 'SHAPE_INVALID',
  encumbrance: 'ENCUMBRANCE_INVALID',
  cash: 'CASH_MISMATCH',
  amount: 'AMOUNT_MISMATCH',
  paused: 'VAULT_PAUSED',
  lock: 'LOCK_MISMATCH',
  depositor: 'DEPOSITOR_UNSIGNED',
  instruction: 'INSTRUCTION_MISMATCH',
  beneficiary: 'BENEFICIARY_MISMATCH',
  permit: 'PERMIT_MISMATCH',
  control: 'CONTROL_MISMATCH',
  terms: 'TERMS_MISMATCH',
  guardians: 'GUARDIANS_UNSIGNED',
  creation: 'CREATION_MISMATCH',
} as const;

export type CordaVaultCheck = keyof typeof CODES;
/** Names of the checks. They run after all of `CORDA_CHECKS`, in the order that the command asks for. */
export const CORDA_VAULT_CHECKS: readonly CordaVaultCheck[] = Object.keys(CODES) as CordaVaultCheck[];
export type CordaVaultRefusal = Readonly<{
  ok: false;
  check: CordaVaultCheck;
  code: (typeof CODES)[CordaVaultCheck];
  /** In words, without confidential content. */
  detail: string;
}>;

/** Something that the check does not allow. Never leaves this folder. */
export class CordaVaultFault extends Error {
  override readonly name = 'CordaVaultFault';
  readonly code = 'CORDA_VAULT_FAULT' as const;
  readonly refusal: CordaVaultRefusal;

  constructor(check: CordaVaultCheck, detail: string) {
    super(detail);
    this.refusal = { ok: false, check, code: CODES[check], detail };
  }
}

/** @throws CordaVaultFault always */
export function wrong(check: CordaVaultCheck, detail: string): never {
  throw new CordaVaultFault(check, detail);
}
