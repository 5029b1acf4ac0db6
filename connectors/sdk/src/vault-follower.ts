/**
 * Follows the vaults of one network and puts evidence of each event on the queue, in the order of each vault's counter.
 * It owns nothing: the cursor is the core's, and the follower goes back to it every `cursorMs`. Whatever the core does
 * not know by then is offered again, so that a lost queue, a lost follower or a lost node costs time and nothing else;
 * followers of one network may run side by side.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { AssetCode, NetworkId } from '@drawbridge/protocol/ids';
import type { Logger } from 'pino';
import type { ConnectorMetrics } from './connector-metrics.ts';
import { evidenceJobId } from './evidence-job-id.ts';
import { TurnLoop } from './turn-loop.ts';
import type {
  CursorSource,
  EvidenceBuild,
  EvidenceBuilder,
  EvidenceOffer,
  EvidenceOutbox,
  FollowedEvent,
  FollowerCursor,
  VaultEventSource,
} from './vault-event-source.ts';
import { type TrackedEvent, VaultTrack } from './vault-track.ts';

/** How long what was asked for ahead is waited for, in ms, before it is asked for again. */
const AHEAD_MS = 100;
/** Longest pause after failures. */
const MAX_PAUSE_MS = 10_000;

export type VaultFollowerOptions = Readonly<{
  network: NetworkId;
  /** The vaults of this connector's own configuration; others that the core names are left out. */
  vaults: readonly Readonly<{ asset: AssetCode; address: string }>[];
  idKey: Uint8Array;
  /** Pause between two looks at the ledger. */
  pollMs: number;
  /** The same while the ledger announces its blocks and nothing waits for evidence; `pollMs` when left out. */
  quietPollMs?: number;
  /** How often the follower returns to the core's cursor. */
  cursorMs: number;
  /** Blocks asked for at once. */
  rangeBlocks: number;
  /** Ranges read in one turn. */
  rangesPerTurn: number;
  /** Evidence that the core has not taken after this is made anew. */
  rebuildMs: number;
  /** Events held per vault that the core has not taken; further ones are read again later. */
  maxPendingEvents: number;
  /** Items of evidence made at once. */
  buildConcurrency: number;
}>;
export type VaultFollowerDependencies<Raw> = Readonly<{
  source: VaultEventSource<Raw>;
  builder: EvidenceBuilder<Raw>;
  cursors: CursorSource;
  outbox: EvidenceOutbox;
  metrics: Pick<ConnectorMetrics, 'offers' | 'eventGap' | 'following'>;
  log: Logger;
  /** Monotonic, ms. */
  now: () => number;
  /** Whether `wake` is called for each new block at present. */
  isAnnounced?: () => boolean;
}>;

/** What the ledger showed does not hold together: reading begins anew at the core's cursor. */
export class FollowerError extends Error {
  override readonly name = 'FollowerError';
  readonly code: 'EVENT_GAP' | 'BLOCK_GONE';

  constructor(code: FollowerError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** That which is built first, or the last to say that it is not. */
function firstBuilt(...builds: readonly Promise<EvidenceBuild>[]): Promise<EvidenceBuild> {
  return new Promise((resolve, reject) => {
    const unlessPending = (build: EvidenceBuild): EvidenceBuild => {
      if (build.type === 'built') resolve(build);
      return build;
    };
    const all = builds.map((build) => build.then(unlessPending));
    Promise.all(all).then(([first]) => first && resolve(first), reject);
  });
}

/** Evidence that was asked for ahead, by event. */
type Asked = ReadonlyMap<string, Promise<EvidenceBuild>>;

const keyOf = ({ vault, seq, blockHash }: FollowedEvent<unknown>): string => `${vault} ${seq} ${blockHash}`;

export class VaultFollower<Raw> {
  readonly #options: VaultFollowerOptions;
  readonly #deps: VaultFollowerDependencies<Raw>;
  readonly #stopping = new AbortController();
  readonly #tracks = new Map<string, VaultTrack<Raw>>();
  /** Whether the tracks are those that the core asks for. */
  #following = false;
  /** On the ledger and not deep enough yet, as of the last turn; a reorganisation may take them back. */
  #coming = new Map<string, FollowedEvent<Raw>>();
  /** Last block read; `undefined` before the first cursor and after something did not hold together. */
  #scannedBlock: number | undefined;
  #cursorDueMs = Number.NEGATIVE_INFINITY;
  readonly #loop: TurnLoop;

  constructor(options: VaultFollowerOptions, dependencies: VaultFollowerDependencies<Raw>) {
    this.#options = options;
    this.#deps = dependencies;
    const { pollMs } = options;
    this.#loop = new TurnLoop({
      turn: () => this.turn(),
      pauseMs: (failures) =>
        failures === 0
          ? this.#pauseMs()
          : Math.min(pollMs * 2 ** Math.min(failures, 16), Math.max(MAX_PAUSE_MS, pollMs)),
      failed: 'follower turn failed; will try again',
      log: dependencies.log,
    });
  }

  start(): void {
    this.#loop.start();
  }

  /** There is a new block: the next turn does not wait for its time. After failures it does. */
  wake(): void {
    if (this.failures === 0) this.#loop.wake();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop.stop();
  }

  /** Turns that failed one after another: 0 is healthy. */
  get failures(): number {
    return this.#loop.failures;
  }

  /**
   * Every event of the vaults below this block is the core's already; `undefined` while it is not known, infinite when
   * there is no vault to follow.
   */
  get openFromBlock(): number | undefined {
    if (!this.#following) return undefined;
    let open = Number.POSITIVE_INFINITY;
    for (const track of this.#tracks.values()) {
      open = Math.min(open, this.#scannedBlock === undefined ? track.fromBlock : this.#scannedBlock + 1);
      for (const { blockNumber } of track.blocks()) open = Math.min(open, blockNumber);
    }
    return open;
  }

  /** One turn: cursor when due, new blocks, evidence, queue. Throws what ledger, core or queue throw. */
  async turn(): Promise<void> {
    const asked = this.#askAhead();
    if (this.#deps.now() >= this.#cursorDueMs) await this.#returnToCursor();
    await this.#readBlocks();
    await this.#buildEvidence(asked);
    await this.#offerNew();
    await this.#lookAhead();
    const pending = [...this.#tracks.values()].reduce((sum, track) => sum + track.size, 0);
    this.#deps.metrics.following(pending, this.#scannedBlock ?? -1);
  }

  /** Asks for evidence of what the next block makes deep enough, while that is read. What comes of it counts for what was read only. */
  #askAhead(): Asked {
    const next = (this.#scannedBlock ?? 0) + 1;
    const due = [...this.#coming].filter(([, { blockNumber }]) => blockNumber === next);
    return new Map(due.slice(0, this.#options.buildConcurrency).map(([key, event]) => [key, this.#ask(event)]));
  }

  #ask(event: FollowedEvent<Raw>): Promise<EvidenceBuild> {
    const built = this.#deps.builder.build(event, this.#stopping.signal);
    // Looked at where it is needed.
    built.catch(() => undefined);
    return built;
  }

  /** What was asked for ahead may wait for a witness that never answers: then it is asked for again, and the first counts. */
  async #built(event: FollowedEvent<Raw>, ahead: Promise<EvidenceBuild> | undefined): Promise<EvidenceBuild> {
    if (!ahead) return this.#ask(event);
    const early = await Promise.race([ahead, delay(AHEAD_MS, undefined, { ref: false })]);
    if (early?.type === 'built') return early;
    const again = this.#ask(event);
    return early ? again : firstBuilt(ahead, again);
  }

  /** Where blocks are announced: what stands in them is asked for once when it comes, so that those asked know of it. */
  async #lookAhead(): Promise<void> {
    const { source, builder, isAnnounced } = this.#deps;
    const [afterBlock, known] = [this.#scannedBlock, this.#coming];
    this.#coming = new Map();
    if (!source.comingEvents || !builder.gainsByAskingAhead || !isAnnounced?.() || afterBlock === undefined) return;
    const tracks = [...this.#tracks.values()];
    const query = { vaults: tracks.map(({ vault }) => vault), afterBlock };
    const coming = await source.comingEvents(query).catch(() => []);
    for (const event of coming.slice(0, this.#options.buildConcurrency)) {
      const key = keyOf(event);
      this.#coming.set(key, event);
      if (!known.has(key)) void this.#ask(event);
    }
  }

  #pauseMs(): number {
    const { pollMs, quietPollMs = pollMs } = this.#options;
    const waits = [...this.#tracks.values()].some((track) => track.unbuilt().length > 0);
    return !waits && this.#deps.isAnnounced?.() ? quietPollMs : pollMs;
  }

  async #returnToCursor(): Promise<void> {
    const { cursors, outbox, metrics, now } = this.#deps;
    outbox.sealTo(await cursors.sealingKey());
    this.#follow(await cursors.cursor(this.#options.network));
    await this.#checkBlocks();
    const offered = [...this.#tracks.values()].flatMap((track) => track.offered());
    await this.#rebuild(offered.filter(({ builtAtMs }) => now() - builtAtMs >= this.#options.rebuildMs));
    await outbox.reoffer(offered.map((event) => this.#offer(event)));
    if (offered.length > 0) metrics.offers('reoffered', offered.length);
    this.#cursorDueMs = now() + this.#options.cursorMs;
  }

  #follow(cursor: FollowerCursor): void {
    for (const vault of cursor.vaults) {
      const { address, asset } = vault;
      if (!this.#options.vaults.some((own) => own.address === address && own.asset === asset)) continue;
      const track = this.#tracks.get(address);
      if (track?.advance(vault.nextEventSeq, vault.fromBlock)) {
        if (track.claimRereading()) this.#scannedBlock = undefined;
        continue;
      }
      this.#tracks.set(address, new VaultTrack(address, vault, this.#options.maxPendingEvents));
      this.#scannedBlock = undefined;
    }
    this.#following = true;
  }

  /** Depth is a promise that a network can break; then what was read is worth nothing. */
  async #checkBlocks(): Promise<void> {
    for (const track of this.#tracks.values()) {
      for (const block of track.blocks()) {
        if (await this.#deps.source.stillHolds(block)) continue;
        this.#restart();
        throw new FollowerError('BLOCK_GONE', `block ${block.blockNumber} was deep enough and is gone`);
      }
    }
  }

  /** What the core does not take for long gets the witnesses' word anew: they, or the core's view of them, may have changed. */
  async #rebuild(stale: readonly TrackedEvent<Raw>[]): Promise<void> {
    const { builder, now } = this.#deps;
    for (let at = 0; at < stale.length; at += this.#options.buildConcurrency) {
      await Promise.all(
        stale.slice(at, at + this.#options.buildConcurrency).map(async (tracked) => {
          const build = await builder.build(tracked.event, this.#stopping.signal);
          if (build.type === 'built') tracked.bytes = build.bytes;
          tracked.builtAtMs = now();
        }),
      );
    }
  }

  async #readBlocks(): Promise<void> {
    const { source, metrics } = this.#deps;
    const { rangeBlocks, rangesPerTurn } = this.#options;
    if (this.#tracks.size === 0) return;
    const tracks = [...this.#tracks.values()];
    this.#scannedBlock ??= Math.min(...tracks.map((track) => track.fromBlock)) - 1;
    const head = await source.finalisedHead();
    for (let range = 0; range < rangesPerTurn && this.#scannedBlock < head; range += 1) {
      const toBlock = Math.min(this.#scannedBlock + rangeBlocks, head);
      const query = { vaults: tracks.map(({ vault }) => vault), fromBlock: this.#scannedBlock + 1, toBlock };
      for (const event of await source.finalisedEvents(query)) {
        const track = this.#tracks.get(event.vault);
        if (track?.take(event) !== 'gap') continue;
        metrics.eventGap();
        this.#restart();
        throw new FollowerError('EVENT_GAP', `the node left out vault events before number ${event.seq}`);
      }
      this.#scannedBlock = toBlock;
    }
  }

  /** Everything in memory is forgotten; the next turn begins at the core's cursor. */
  #restart(): void {
    this.#tracks.clear();
    this.#following = false;
    this.#scannedBlock = undefined;
    this.#cursorDueMs = Number.NEGATIVE_INFINITY;
  }

  async #buildEvidence(asked: Asked): Promise<void> {
    const { log, now } = this.#deps;
    // The lowest first, whichever vault's: evidence of later blocks may have to wait until the core has the earlier.
    const waiting = [...this.#tracks.values()]
      .flatMap((track) => track.unbuilt())
      .sort((a, b) => a.event.blockNumber - b.event.blockNumber);
    for (let at = 0; at < waiting.length && !this.#stopping.signal.aborted; at += this.#options.buildConcurrency) {
      const group = waiting.slice(at, at + this.#options.buildConcurrency);
      const built = await Promise.all(
        group.map(async (tracked) => {
          const build = await this.#built(tracked.event, asked.get(keyOf(tracked.event)));
          if (build.type === 'built') tracked.bytes = build.bytes;
          else log.info({ vault: tracked.event.vault, seq: tracked.event.seq, code: build.code }, 'no evidence yet');
          tracked.builtAtMs = now();
          return build.type === 'built';
        }),
      );
      await this.#offerNew();
      if (!built.includes(true)) return;
    }
  }

  async #offerNew(): Promise<void> {
    const { outbox, metrics } = this.#deps;
    const ready = [...this.#tracks.values()].flatMap((track) => track.ready());
    if (ready.length === 0) return;
    try {
      await outbox.offer(ready.map((event) => this.#offer(event)));
    } catch (error) {
      metrics.offers('failed', ready.length);
      throw error;
    }
    for (const event of ready) event.offered = true;
    metrics.offers('offered', ready.length);
  }

  #offer(tracked: TrackedEvent<Raw>): EvidenceOffer {
    if (!tracked.bytes) throw new TypeError('evidence is built before it is offered');
    return { jobId: evidenceJobId(this.#options.idKey, this.#options.network, tracked.event), bytes: tracked.bytes };
  }
}
