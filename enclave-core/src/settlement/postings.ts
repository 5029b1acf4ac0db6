/**
 * Double entry: the only place that moves balances. A posting debits one account and credits another of the same asset;
 * a bank's side leaves a statement line. Whether it may happen has been decided before; `invariants.ts` asserts it after.
 */
import type { AssetCode, NetworkId, ParticipantId, TransferId, VaultKey } from '@drawbridge/protocol/ids';
import { InvariantError } from './invariant-error.ts';
import type { Overlay } from './overlay.ts';
import type { StatementLine } from './record.ts';
import type { InnerAccount } from './touched.ts';
import type { Account } from './view.ts';

export type Place =
  | Readonly<{ account: 'bank'; participant: ParticipantId }>
  | Readonly<{ account: InnerAccount; vault: VaultKey }>;

export type Posting = Readonly<{
  asset: AssetCode;
  debit: Place;
  credit: Place;
  amountMinor: bigint;
  kind: StatementLine['kind'];
  network?: NetworkId;
  transfer?: Readonly<{ bank: ParticipantId; id: TransferId }>;
}>;

export const bankAccount = (participant: ParticipantId): Place => ({ account: 'bank', participant });
export const vaultAccount = (vault: VaultKey): Place => ({ account: 'vault', vault });
export const transitAccount = (vault: VaultKey): Place => ({ account: 'transit', vault });
export const suspenseAccount = (vault: VaultKey): Place => ({ account: 'suspense', vault });

export function post(overlay: Overlay, posting: Posting): void {
  if (posting.amountMinor <= 0n) throw new InvariantError('a posting moves an amount above zero');
  move(overlay, posting, posting.debit, posting.credit, -posting.amountMinor);
  move(overlay, posting, posting.credit, posting.debit, posting.amountMinor);
}

function move(overlay: Overlay, posting: Posting, place: Place, other: Place, deltaMinor: bigint): void {
  if (place.account === 'bank') moveBank(overlay, posting, place.participant, other, deltaMinor);
  else moveInner(overlay, place.vault, place.account, deltaMinor);
}

function moveInner(overlay: Overlay, key: VaultKey, account: InnerAccount, deltaMinor: bigint): void {
  const { row } = overlay.vault(key);
  const field = `${account}Minor` as const;
  overlay.touched.innerAccount(key, account, row[field]);
  overlay.vaults.set(key, { ...row, [field]: row[field] + deltaMinor });
}

function moveBank(overlay: Overlay, posting: Posting, bank: ParticipantId, other: Place, deltaMinor: bigint): void {
  const { asset, kind, network, transfer } = posting;
  const key = overlay.base.accountKeys.of(bank, asset);
  const before = overlay.accounts.get(key) ?? emptyAccount(bank, asset);
  overlay.touched.bank(key, asset, before.postedMinor);
  const balanceMinor = before.postedMinor + deltaMinor;
  const line = before.lines + 1;
  overlay.accounts.set(key, {
    participant: bank,
    asset,
    postedMinor: balanceMinor,
    pendingMinor: before.pendingMinor,
    lines: line,
  });
  const { stampMs } = overlay;
  const { lines } = overlay.journal;
  // Written out for payments, which are the hot path: a literal is several times as fast as spreading.
  if (other.account === 'bank' && transfer !== undefined && network === undefined) {
    const counterparty = other.participant;
    lines.push({ account: bank, asset, line, deltaMinor, balanceMinor, kind, stampMs, counterparty, transfer });
    return;
  }
  lines.push({
    account: bank,
    asset,
    line,
    deltaMinor,
    balanceMinor,
    kind,
    stampMs,
    ...(other.account === 'bank' && { counterparty: other.participant }),
    ...(network !== undefined && { network }),
    ...(transfer !== undefined && { transfer }),
  });
}

const emptyAccount = (participant: ParticipantId, asset: AssetCode): Account => ({
  participant,
  asset,
  postedMinor: 0n,
  pendingMinor: 0n,
  lines: 0,
});

/** What a bank can spend: posted without what is reserved. */
export function availableMinor(overlay: Overlay, bank: ParticipantId, asset: AssetCode): bigint {
  const account = overlay.accounts.get(overlay.base.accountKeys.of(bank, asset));
  return account ? account.postedMinor - account.pendingMinor : 0n;
}

/** Reserves (positive) or frees (negative) part of a bank's balance for a funded transfer. */
export function reserve(overlay: Overlay, bank: ParticipantId, asset: AssetCode, deltaMinor: bigint): void {
  const key = overlay.base.accountKeys.of(bank, asset);
  const account = overlay.accounts.get(key) ?? emptyAccount(bank, asset);
  overlay.touched.bank(key, asset, account.postedMinor);
  overlay.accounts.set(key, { ...account, pendingMinor: account.pendingMinor + deltaMinor });
}
