/** Classes of the vault's CorDapp that stand in its transactions, by their short names, and Corda's names of them. */

/** Closed: each has one place in `evidence/`, which knows its fields. */
export const CORDA_VAULT_CLASSES = [
  'VaultState',
  'VaultControl',
  'VaultTerms',
  'PermitState',
  'CoinState',
  'LockState',
  'TokenState',
  'Instruct',
  'Guard',
  'Lock',
] as const;
export type CordaVaultClass = (typeof CORDA_VAULT_CLASSES)[number];

const PACKAGE = 'drawbridge.corda.contract';
export const CORDA_VAULT_CONTRACT = `${PACKAGE}.VaultContract`;
export const CORDA_TOKEN_CONTRACT = `${PACKAGE}.TokenContract`;
export const CORDA_CASH_CONTRACT = 'net.corda.finance.contracts.asset.Cash';

/** As it stands in schemas. */
export const cordaClassName = (name: CordaVaultClass): string =>
  `${PACKAGE}.${name === 'Lock' ? 'VaultCommands$Lock' : name}`;

/** Permits of one vault, and coins of one payment: the contract's bounds. */
export const MAX_CORDA_PERMITS = 64;
export const MAX_CORDA_COINS = 32;
