/** When an EVM node said that it has a transaction, and a block: by its own announcements over one WebSocket. */
import { WebSocketProvider } from 'ethers';

/** What is remembered at most, of each kind: blocks of an hour, a second apart. */
const MAX_REMEMBERED = 3_600;

export type BlockWatch = Readonly<{
  /**
   * From the first transaction that entered the pool at `sinceMs` or later until the block that buries the last of them under
   * `depth` blocks, its own counted; undefined while that is not so.
   */
  buried: (sinceMs: number, depth: number) => Promise<Readonly<{ fromMs: number; toMs: number }> | undefined>;
  stop: () => Promise<void>;
}>;

/** @param now Unix ms */
export async function watchBlocks(rpcUrl: string, now: () => number): Promise<BlockWatch> {
  const provider = new WebSocketProvider(rpcUrl.replace(/^http/, 'ws'));
  const pool = new Map<string, number>();
  const blocks = new Map<number, number>();
  await provider.on('pending', (hash: string) => remember(pool, hash, now()));
  await provider.on('block', (number: number) => remember(blocks, number, now()));
  return {
    buried: async (sinceMs, depth) => {
      const entered = [...pool].filter(([, ms]) => ms >= sinceMs);
      const [first, last] = [entered[0], entered.at(-1)];
      if (first === undefined || last === undefined) return undefined;
      const receipt = await provider.getTransactionReceipt(last[0]);
      const toMs = receipt ? blocks.get(receipt.blockNumber + depth - 1) : undefined;
      return toMs === undefined ? undefined : { fromMs: first[1], toMs };
    },
    stop: () => provider.destroy(),
  };
}

function remember<K>(times: Map<K, number>, key: K, ms: number): void {
  if (!times.has(key)) times.set(key, ms);
  const [oldest] = times.keys();
  if (times.size > MAX_REMEMBERED && oldest !== undefined) times.delete(oldest);
}
