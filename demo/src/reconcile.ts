/**
 * Compares what the chains hold with what the core says, per network and asset, and adds up the outcomes. Everything
 * here is read from ledgers: balances from the networks, accounts and transfers from the core's API.
 */
import type { AccountResource } from '@drawbridge/protocol/api/account';
import type { LockResource } from '@drawbridge/protocol/api/lock';
import type { TransferResource, TransferStateName } from '@drawbridge/protocol/api/transfer';
import { ASSETS, BANKS } from './cast.ts';
import type { Chain } from './chain.ts';
import type { Standing } from './run-payments.ts';

export type AssetBalance = Readonly<{
  asset: string;
  /** Held by escrow vaults, from the chains. */
  escrowedMinor: bigint;
  /** Issued by vaults and not yet burned, from the chains. */
  outstandingMinor: bigint;
  /** Owed to banks on their accounts, from the core. */
  accountsMinor: bigint;
  /** In locks that fit no transfer and are not refunded, from the chains' vaults by the core's list. */
  suspenseMinor: bigint;
  /** Instructed and not yet proven, from the core's transfers. */
  transitMinor: bigint;
  /** escrowed = outstanding + accounts + suspense + transit. */
  conserved: boolean;
}>;

export type Outcomes = Readonly<{
  payments: number;
  settled: number;
  returned: number;
  refunded: number;
  rejected: number;
  expired: number;
  cancelled: number;
  duplicates: number;
  /** Locks, not payments. */
  unmatched: number;
  conserved: boolean;
  elapsedMs: number;
}>;

export type Books = Readonly<{
  accounts: readonly AccountResource[];
  /** Every transfer that the banks submitted, each once. */
  transfers: readonly TransferResource[];
  /** Locks that fit nothing, as the operator sees them. */
  locks: readonly LockResource[];
}>;

const IN_TRANSIT: ReadonlySet<TransferStateName> = new Set<TransferStateName>(['RELAYING', 'VOIDING', 'REFUNDING']);
const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);

/** `suspense` gives the amount of an unmatched lock, from its chain. */
export async function compareBalances(
  chains: readonly Chain[],
  books: Books,
  suspense: (lock: LockResource) => Promise<bigint>,
): Promise<AssetBalance[]> {
  return Promise.all(
    ASSETS.map(async ({ code }) => {
      const totals = async (mode: 'escrow' | 'issue') =>
        sum(
          await Promise.all(
            chains
              .filter((chain) => chain.vaults.some((vault) => vault.asset === code && vault.mode === mode))
              .map((chain) => chain.vaultTotal(code)),
          ),
        );
      const open = books.locks.filter(
        (lock) => lock.asset === code && lock.state !== 'REFUNDED' && lock.state !== 'CLAIMED',
      );
      const escrowedMinor = await totals('escrow');
      const outstandingMinor = await totals('issue');
      const accountsMinor = sum(
        books.accounts.filter(({ asset }) => asset === code).map((account) => BigInt(account.postedMinor)),
      );
      const suspenseMinor = sum(await Promise.all(open.map(suspense)));
      const transitMinor = sum(
        books.transfers
          .filter((transfer) => transfer.asset === code && IN_TRANSIT.has(transfer.state))
          .map((transfer) => BigInt(transfer.amountMinor)),
      );
      const conserved = escrowedMinor === outstandingMinor + accountsMinor + suspenseMinor + transitMinor;
      return { asset: code, escrowedMinor, outstandingMinor, accountsMinor, suspenseMinor, transitMinor, conserved };
    }),
  );
}

/** What each payment became: states from the core's ledger; repeats are the rows that the core answered with an earlier transfer. */
export function outcomesOf(input: {
  standings: readonly Standing[];
  books: Books;
  balances: readonly AssetBalance[];
  elapsedMs: number;
}): Outcomes {
  const { standings, books } = input;
  const inState = (state: TransferStateName): number =>
    books.transfers.filter((transfer) => transfer.state === state).length;
  return {
    payments: standings.length,
    settled: inState('SETTLED'),
    returned: inState('RETURNED'),
    refunded: inState('REFUNDED'),
    rejected: inState('REJECTED') + standings.filter(({ state }) => state === 'REFUSED').length,
    expired: inState('EXPIRED'),
    cancelled: inState('CANCELLED'),
    duplicates: standings.filter(({ state }) => state === 'DUPLICATE').length,
    unmatched: books.locks.filter(({ state }) => state !== 'CLAIMED').length,
    conserved: input.balances.every(({ conserved }) => conserved),
    elapsedMs: Math.round(input.elapsedMs),
  };
}

/** Do the outcomes add up to the payments, and does every sum agree? */
export function allAgree(outcomes: Outcomes): boolean {
  const { settled, returned, refunded, rejected, expired, cancelled, duplicates } = outcomes;
  const ended = settled + returned + refunded + rejected + expired + cancelled + duplicates;
  return outcomes.conserved && ended === outcomes.payments;
}

export const bankName = (lei: string): string => BANKS.find((bank) => bank.lei === lei)?.short ?? lei;
