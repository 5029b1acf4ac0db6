/** The accounts that the command in progress moved, with what was on them before: what is asserted when it ends. */
import type { AssetCode, VaultKey } from '@drawbridge/protocol/ids';
import type { AccountKey } from './keys.ts';

export type InnerAccount = 'vault' | 'transit' | 'suspense';

/** A balance before its first posting of the command, in minor units. */
export type TouchedBank = Readonly<{ key: AccountKey; asset: AssetCode; beforeMinor: bigint }>;
export type TouchedInner = Readonly<{ key: VaultKey; account: InnerAccount; beforeMinor: bigint }>;

/** Lists are searched from the start: a command touches few accounts. */
export class Touched {
  readonly banks: TouchedBank[] = [];
  readonly inner: TouchedInner[] = [];

  bank(key: AccountKey, asset: AssetCode, beforeMinor: bigint): void {
    for (const touched of this.banks) if (touched.key === key) return;
    this.banks.push({ key, asset, beforeMinor });
  }

  innerAccount(key: VaultKey, account: InnerAccount, beforeMinor: bigint): void {
    for (const touched of this.inner) if (touched.key === key && touched.account === account) return;
    this.inner.push({ key, account, beforeMinor });
  }

  clear(): void {
    this.banks.length = 0;
    this.inner.length = 0;
  }
}
