/** The relay as the API offers it: instructions out, evidence in, and where a follower should look from. */
import { addressOf, isCordaVault } from '@drawbridge/governance/registration';
import type { NetworkId } from '@drawbridge/protocol/ids';
import type { CoreService, EvidenceResult, FollowerCursor, OutboxItem, RelayService } from '../core-service.ts';
import { EvidenceIntake } from './evidence-intake.ts';
import { Outbox } from './outbox.ts';

/** Place in a network's outbox up to which a signature in the ledger covers the instructions. */
export type SignedEnd = (network: NetworkId) => Promise<number>;

export class CoreRelay implements RelayService {
  readonly #core: Pick<CoreService, 'submit' | 'view'>;
  readonly #outbox: Outbox;
  readonly #intake: EvidenceIntake;
  readonly #signedEnd: SignedEnd;

  constructor(core: Pick<CoreService, 'submit' | 'view'>, signedEnd: SignedEnd) {
    this.#core = core;
    this.#signedEnd = signedEnd;
    this.#outbox = new Outbox(() => core.view);
    this.#intake = new EvidenceIntake(core);
  }

  async outbox(network: NetworkId, after: number, limit: number): Promise<{ items: OutboxItem[]; next: number }> {
    return this.#outbox.read(network, { after, upTo: await this.#signedEnd(network), limit });
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

  sealingPublicKey(): string {
    return this.#intake.sealingPublicKey();
  }
}
