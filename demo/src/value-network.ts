/** A network that value comes from and goes to, of whatever kind: what payments and the comparison of sums need of it. */

export type NetworkVault = Readonly<{ asset: string; mode: 'escrow' | 'issue'; address: string }>;

export type ValueNetwork = Readonly<{
  network: string;
  vaults: readonly NetworkVault[];
  /** What a bank is called here, as depositor and as beneficiary. @throws RangeError where it is not on this network */
  wallet: (bank: string) => string;
  /** A beneficiary that the native token refuses to pay; not everywhere is one. */
  refusedAddress?: string;
  /** Locks with the bank's own key; resolves when the ledger has it. */
  lock: (bank: string, asset: string, reference: string, amountMinor: bigint) => Promise<void>;
  /** What was locked under an id, in minor units. */
  lockedAmount: (asset: string, lockId: string) => Promise<bigint>;
  /** Escrow: what the vault holds. Issue: what is outstanding. In minor units. */
  vaultTotal: (asset: string) => Promise<bigint>;
}>;
