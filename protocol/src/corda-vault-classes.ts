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
  'Create',
] as const;
export type CordaVaultClass = (typeof CORDA_VAULT_CLASSES)[number];

const PACKAGE = 'drawbridge.corda.contract';
export const CORDA_VAULT_CONTRACT = `${PACKAGE}.VaultContract`;
export const CORDA_TOKEN_CONTRACT = `${PACKAGE}.TokenContract`;
export const CORDA_CASH_CONTRACT = 'net.corda.finance.contracts.asset.Cash';

/** As it stands in schemas. */
export const cordaClassName = (name: CordaVaultClass): string =>
  `${PACKAGE}.${name === 'Lock' || name === 'Create' ? `VaultCommands$${name}` : name}`;

/** Permits and guardians of one vault, and coins of one payment: the contract's bounds. */
export const MAX_CORDA_PERMITS = 64;
export const MAX_CORDA_GUARDIANS = 16;
export const MAX_CORDA_COINS = 32;
/** The contract's bounds of a vault's periods: of its cap, and of its guardians' delay, which may be as short as a second. */
export const MIN_CORDA_CAP_WINDOW_SECONDS = 60;
export const MAX_CORDA_PERIOD_SECONDS = 31_536_000;
