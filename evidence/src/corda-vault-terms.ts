/** A vault's terms as a state shows them, against those that are registered. They stay the same for the vault's life. */
import { wrong } from './corda-vault-refusal.ts';
import { type CordaVaultRoot, termsOf } from './corda-vault-root.ts';
import type { CordaVaultTerms } from './corda-vault-states.ts';

/** @throws CordaVaultFault terms, unless every field is as registered */
export function demandTerms(terms: CordaVaultTerms, root: CordaVaultRoot): void {
  const expected = termsOf(root);
  const names = Object.keys(expected) as (keyof CordaVaultTerms)[];
  const other = names.find((name) => terms[name] !== expected[name]);
  if (other !== undefined) wrong('terms', `the vault has another ${other} than is registered`);
}
