/** The relay as the API offers it: instructions out, evidence in, and where a follower should look from. */
import { addressOf, isCordaVault } from '@drawbridge/governance/registration';
import type { AssetCode, NetworkId } from '@drawbridge/protocol/ids';
import type { StateRef } from '@drawbridge/protocol/state-ref';
import type {
  BookedStates,
  CoreService,
  EvidenceResult,
  FollowerCursor,
  OutboxItem,
  RelayService,
} from '../core-service.ts';
import { EvidenceIntake } from './evidence-intake.ts';
import { Outbox } from './outbox.ts';

/** Place in a network's outbox up to which a signature in the ledger covers the instructions. */
export type SignedEnd = (network: NetworkId) => Promise<number>;
/** Who waits for that place to be above `end`; settles after `waitMs` in any case. */
export type SignedEndWaits = Readonly<{
  above: (network: NetworkId, end: number, waitMs: number) => Promise<unknown>;
  end: () => void;
}>;

/** For a relay that nobody waits at. */
const NO_WAITS: SignedEndWaits = { above: async () => undefined, end: () => undefined };

export class CoreRelay implements RelayService {
  readonly #core: Pick<CoreService, 'submit' | 'view'>;
  readonly #outbox: Outbox;
  readonly #intake: EvidenceIntake;
  readonly #signedEnd: SignedEnd;
  readonly #waits: SignedEndWaits;

  constructor(core: Pick<CoreService, 'submit' | 'view'>, signedEnd: SignedEnd, waits: SignedEndWaits = NO_WAITS) {
    this.#core = core;
    this.#signedEnd = signedEnd;
    this.#waits = waits;
    this.#outbox = new Outbox(() => core.view);
    this.#intake = new EvidenceIntake(core);
  }

  async outbox(
    network: NetworkId,
    after: number,
    limit: number,
    waitMs = 0,
  ): Promise<{ items: OutboxItem[]; next: number }> {
    const upTo = await this.#signedEnd(network);
    const page = await this.#outbox.read(network, { after, upTo, limit });
    if (page.items.length > 0 || waitMs === 0) return page;
    await this.#waits.above(network, upTo, waitMs);
    return this.#outbox.read(network, { after, upTo: await this.#signedEnd(network), limit });
  }

  endOutboxWaits(): void {
    this.#waits.end();
  }

  acceptEvidence(network: NetworkId, items: readonly { jobId: string; sealed: string }[]): Promise<EvidenceResult[]> {
    return this.#intake.accept(network, items);
  }

  cursor(network: NetworkId): FollowerCursor | undefined {
    const { view } = this.#core;
    if (!view.network(network)) return undefined;
    const vaults = Array.from(view.vaultLedgers())
      .filter(({ vault }) => vault.network === network)
      .map(({ vault, nextEventSeq, cursorBlock }) => ({
        asset: vault.asset,
        address: addressOf(vault),
        nextEventSeq,
        fromBlock: isCordaVault(vault) ? 0 : Math.max(vault.fromBlock, cursorBlock),
      }));
    const chain = view.trackedChain(network);
    return { network, vaults, ...(chain && { head: { number: chain.head.number, hash: chain.head.hash } }) };
  }

  states(network: NetworkId, asset: AssetCode, after: StateRef | undefined, limit: number): BookedStates | undefined {
    const { view } = this.#core;
    const book = view.book(network, asset);
    if (!book) return undefined;
    const coins = Array.from(view.coins(network, asset), ({ ref }) => ({ ref, kind: 'coin' as const }));
    const records = Array.from(view.lockRecords(network, asset), (ref) => ({ ref, kind: 'record' as const }));
    const behind = [...coins, ...records].filter(({ ref }) => after === undefined || ref > after);
    const states = behind.sort((a, b) => (a.ref < b.ref ? -1 : 1)).slice(0, limit);
    const last = states.at(-1)?.ref;
    return {
      proven: book.proven,
      vaultState: book.tip,
      permits: book.permits.map(({ ref }) => ref),
      states,
      ...(behind.length > limit && last !== undefined && { next: last }),
    };
  }

  sealingPublicKey(): string {
    return this.#intake.sealingPublicKey();
  }
}
