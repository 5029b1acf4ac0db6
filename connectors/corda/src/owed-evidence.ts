/**
 * What the core is owed: it holds the book of a vault (docs/adr/0018), the node holds the ledger, and every difference has a
 * transaction that explains it. Completeness rests on this comparison; events are only faster.
 */
import type { StatesBook } from '@drawbridge/connector-sdk/states-book';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { VaultAddress } from '@drawbridge/protocol/ids';
import { type StateRef, stateAfter } from '@drawbridge/protocol/state-ref';
import type { AgentQueries, KeptState } from './agent-queries.ts';

export type Owed = Readonly<{
  /** Transactions that the core has not booked, each once; that which made the vault first. */
  transactions: readonly Bytes32[];
  /**
   * Transactions that burned value and whose record the core does not hold: not booked yet, or done with long ago, since records stay
   * for ever. Which it is nobody here can tell.
   */
  burns: readonly Bytes32[];
  /** States of the book that the node does not know, or whose spender it does not find: it is behind, or was made anew. */
  unexplained: number;
  /** States compared, of book and node. */
  compared: number;
}>;

/** Every state that the core believes to be unspent. */
export const bookedStates = (book: StatesBook): readonly StateRef[] => [
  book.vaultState,
  ...book.permits,
  ...book.states.map(({ ref }) => ref),
];

/** Which made the state. */
export const transactionOf = (ref: StateRef): Bytes32 => ref.slice(0, 66) as Bytes32;

/** @throws LedgerUnavailableError */
export async function owedEvidence(
  vault: VaultAddress,
  book: StatesBook,
  queries: Pick<AgentQueries, 'vault' | 'states' | 'status' | 'spender'>,
  limits: Readonly<{ maxPages: number; maxSpenders: number }>,
): Promise<Owed> {
  const { mode } = await queries.vault(vault);
  const booked = bookedStates(book);
  const kept = await queries.states(vault, limits.maxPages);
  const statuses = await queries.status(booked);
  const spent = booked.filter((_, at) => statuses[at] === 'consumed');
  let unexplained = statuses.filter((status) => status === 'unknown').length;
  const spenders: Bytes32[] = [];
  for (const ref of spent.slice(0, limits.maxSpenders)) {
    const spender = await queries.spender(ref);
    if (spender === undefined) unexplained += 1;
    else spenders.push(spender);
  }
  const known = new Set(booked);
  const made = madeUnknownToCore(known, kept, (kind) => kind !== 'lock');
  // In escrow a lock made a coin as well, so that its record says nothing more.
  const burns = mode === 'issue' ? madeUnknownToCore(known, kept, (kind) => kind === 'lock') : [];
  const compared = booked.length + kept.length;
  const creation = book.proven ? [] : [transactionOf(book.vaultState)];
  return { transactions: [...new Set([...creation, ...made, ...spenders])], burns, unexplained, compared };
}

/** Transactions that made a state which the core does not hold. */
function madeUnknownToCore(
  known: ReadonlySet<StateRef>,
  kept: readonly KeptState[],
  ofKind: (kind: KeptState['kind']) => boolean,
): Bytes32[] {
  const unknown = kept
    .filter(({ kind }) => ofKind(kind))
    .map(({ ref, kind }) => (kind === 'coin' ? stateAfter(ref, -1) : ref))
    .filter((ref) => !known.has(ref));
  return [...new Set(unknown.map(transactionOf))];
}
