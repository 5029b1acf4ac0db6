/** New blocks for all who watch: read once, told to each in order, none left out. */
import { CactusError } from '@drawbridge/connector-cactus/cactus-error';
import { type EthereumRpc, fields } from './ethereum-rpc.ts';
import type { HeadClock, HeadTurn } from './head-clock.ts';
import { blockDataOf, blockHeaderOf } from './web3-shapes.ts';

export type BlockFeedOptions = Readonly<{ watchers: number; blocksPerTurn: number; watchFailures: number }>;
type Dependencies = Readonly<{ rpc: EthereumRpc; clock: HeadClock }>;

/** `WatchBlocksV1Progress` of Cactus. */
export type BlockProgress = Readonly<{ blockHeader?: unknown; blockData?: unknown }>;
export type BlockWatcher = Readonly<{
  /** Whole blocks instead of headers. */
  wholeBlocks: boolean;
  next: (progress: BlockProgress) => void;
  /** The node was silent for too long; nothing comes after it. */
  failed: (error: CactusError) => void;
}>;

export class BlockFeed {
  readonly #options: BlockFeedOptions;
  readonly #deps: Dependencies;
  readonly #watchers = new Set<BlockWatcher>();
  #unsubscribe: (() => void) | undefined;
  #target: number | undefined;
  #told: number | undefined;
  #failures = 0;
  /** Counts the times that nobody watched any more: what was being read before that is for nobody. */
  #round = 0;
  #reading = false;

  constructor(options: BlockFeedOptions, dependencies: Dependencies) {
    this.#options = options;
    this.#deps = dependencies;
  }

  get size(): number {
    return this.#watchers.size;
  }

  /** From the next new block on. @throws CactusError BUSY. @returns what ends it */
  watch(watcher: BlockWatcher): () => void {
    if (this.#watchers.size >= this.#options.watchers) throw new CactusError('BUSY', 'too many watch blocks already');
    this.#watchers.add(watcher);
    this.#unsubscribe ??= this.#deps.clock.subscribe((turn) => this.#turn(turn));
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.#end();
    };
  }

  #end(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#target = undefined;
    this.#told = undefined;
    this.#failures = 0;
    this.#round += 1;
    this.#reading = false;
  }

  #turn(turn: HeadTurn): void {
    if ('failures' in turn) {
      this.#fail(turn.failures);
      return;
    }
    const { height } = turn;
    this.#target = height;
    this.#told ??= height;
    // A chain that was wound back tells its blocks again, under their new hashes.
    if (height < this.#told) this.#told = height - 1;
    if (!this.#reading) void this.#read(this.#round);
  }

  async #read(round: number): Promise<void> {
    this.#reading = true;
    for (let count = 0; count < this.#options.blocksPerTurn; count += 1) {
      if (this.#told === undefined || this.#target === undefined || this.#told >= this.#target) break;
      const number = this.#told + 1;
      if (!(await this.#tell(number, round))) break;
    }
    if (round === this.#round) this.#reading = false;
  }

  /** `false` when the block could not be read: the next turn begins with it. */
  async #tell(number: number, round: number): Promise<boolean> {
    const whole = [...this.#watchers].some(({ wholeBlocks }) => wholeBlocks);
    try {
      const block = await this.#deps.rpc.ask('eth_getBlockByNumber', `0x${number.toString(16)}`, whole);
      if (!fields(block)) throw new CactusError('LEDGER_UNAVAILABLE', 'the node has a height without a block');
      const blockHeader = blockHeaderOf(block);
      const blockData = whole ? blockDataOf(block) : undefined;
      if (round !== this.#round) return false;
      this.#failures = 0;
      this.#told = number;
      for (const { wholeBlocks, next } of [...this.#watchers]) next(wholeBlocks ? { blockData } : { blockHeader });
      return true;
    } catch {
      if (round === this.#round) this.#fail(this.#failures + 1);
      return false;
    }
  }

  #fail(failures: number): void {
    this.#failures = failures;
    if (failures < this.#options.watchFailures) return;
    const error = new CactusError('LEDGER_UNAVAILABLE', 'the node does not answer; subscribe again');
    for (const watcher of [...this.#watchers]) {
      this.#watchers.delete(watcher);
      watcher.failed(error);
    }
    this.#end();
  }
}
