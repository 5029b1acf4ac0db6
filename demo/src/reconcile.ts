/**
 * Compares what the chains hold with what the core says, per network and asset, and adds up the outcomes. Everything
 * here is read from ledgers: balances from the networks, accounts and transfers from the core's API.
 */
import type { AccountResource } from '@drawbridge/protocol/api/account';
import type { LockResource } from '@drawbridge/protocol/api/lock';
import type { TransferResource, TransferStateName } from '@drawbridge/protocol/api/transfer';
import { type AssetSpec, BANKS } from './cast.ts';
import type { Standing } from './run-payments.ts';
import type { ValueNetwork } from './value-network.ts';

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
  /** Settled transfers by `source>destination`, where more than one kind of network takes part; `account` is the core. */
  routes?: Readonly<Record<string, number>>;
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
  { networks, assets }: Readonly<{ networks: readonly ValueNetwork[]; assets: readonly AssetSpec[] }>,
  books: Books,
  suspense: (lock: LockResource) => Promise<bigint>,
): Promise<AssetBalance[]> {
  return Promise.all(
    assets.map(async ({ code }) => {
      const totals = async (mode: 'escrow' | 'issue') =>
        sum(
          await Promise.all(
            networks
              .filter(({ vaults }) => vaults.some((vault) => vault.asset === code && vault.mode === mode))
              .map((network) => network.vaultTotal(code)),
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

/** Settled transfers by route. */
export function routesOf(transfers: Books['transfers']): Record<string, number> {
  const routes: Record<string, number> = {};
  for (const { state, source, destination } of transfers) {
    if (state !== 'SETTLED') continue;
    const route = `${source?.network ?? 'account'}>${destination?.network ?? 'account'}`;
    routes[route] = (routes[route] ?? 0) + 1;
  }
  return routes;
}

/** Do the outcomes add up to the payments, and does every sum agree? */
export function allAgree(outcomes: Outcomes): boolean {
  const { settled, returned, refunded, rejected, expired, cancelled, duplicates } = outcomes;
  const ended = settled + returned + refunded + rejected + expired + cancelled + duplicates;
  return outcomes.conserved && ended === outcomes.payments;
}

export const bankName = (lei: string): string => BANKS.find((bank) => bank.lei === lei)?.short ?? lei;
