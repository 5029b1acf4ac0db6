/** What a transaction pays for gas, in wei, within a bound that the operator sets. Pure. */

export type Fees =
  | Readonly<{ kind: 'dynamic'; maxFeeWei: bigint; priorityFeeWei: bigint }>
  /** Chains from before London, and free-gas networks with price 0. */
  | Readonly<{ kind: 'legacy'; gasPriceWei: bigint }>;

export type FeeMarket = Readonly<{ baseFeeWei?: bigint; priorityFeeWei?: bigint; gasPriceWei?: bigint }>;
export type FeeLimits = Readonly<{
  /** The most that one gas may cost. */
  maxFeeWei: bigint;
  /** Least tip: with none, only the node that got the transaction includes it. */
  minPriorityFeeWei: bigint;
}>;

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** `undefined` when the network asks for more than the limit. The base fee may double before the transaction waits. */
export function feesFor(market: FeeMarket, limits: FeeLimits): Fees | undefined {
  const { baseFeeWei } = market;
  if (baseFeeWei === undefined) {
    const gasPriceWei = market.gasPriceWei ?? 0n;
    return gasPriceWei > limits.maxFeeWei ? undefined : { kind: 'legacy', gasPriceWei };
  }
  const priorityFeeWei = max(market.priorityFeeWei ?? 0n, limits.minPriorityFeeWei);
  if (baseFeeWei + limits.minPriorityFeeWei > limits.maxFeeWei) return undefined;
  const maxFeeWei = min(2n * baseFeeWei + priorityFeeWei, limits.maxFeeWei);
  return { kind: 'dynamic', maxFeeWei, priorityFeeWei: min(priorityFeeWei, maxFeeWei) };
}

/**
 * Fees for replacing a transaction that paid `previous`: an eighth more of each part, at least (geth asks for a tenth),
 * and no less than the market. `undefined` at the limit.
 */
export function bumpedFees(previous: Fees, market: FeeMarket, limits: FeeLimits): Fees | undefined {
  const more = (wei: bigint): bigint => wei + wei / 8n + 1n;
  const current = feesFor(market, limits);
  const bumped: Fees =
    previous.kind === 'legacy'
      ? {
          kind: 'legacy',
          gasPriceWei: max(more(previous.gasPriceWei), current?.kind === 'legacy' ? current.gasPriceWei : 0n),
        }
      : {
          kind: 'dynamic',
          maxFeeWei: max(more(previous.maxFeeWei), current?.kind === 'dynamic' ? current.maxFeeWei : 0n),
          priorityFeeWei: max(more(previous.priorityFeeWei), current?.kind === 'dynamic' ? current.priorityFeeWei : 0n),
        };
  const highest = bumped.kind === 'legacy' ? bumped.gasPriceWei : bumped.maxFeeWei;
  return highest > limits.maxFeeWei ? undefined : bumped;
}
