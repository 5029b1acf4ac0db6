/**
 * `VaultEventSource` for an EVM chain: logs of the vaults, taken only at depth, and only when the node's blocks still
 * are those that the logs name. A node that reorganises while it is asked gives an error, and is asked again.
 */
import { LedgerUnavailableError } from '@drawbridge/connector-sdk/ledger-connector';
import type { FollowedEvent, VaultEventSource } from '@drawbridge/connector-sdk/vault-event-source';
import { decodeVaultLog } from '@drawbridge/protocol/evm-vault-log';
import { parseEvmAddress } from '@drawbridge/protocol/ids';
import type { EvmLog } from '@drawbridge/protocol/observer-evidence';
import { ProtocolError } from '@drawbridge/protocol/protocol-error';
import type { EvmBlock, EvmNode } from './evm-node.ts';

export class EvmEventSource implements VaultEventSource<EvmLog> {
  readonly #node: EvmNode;
  readonly #depthBlocks: number;

  constructor(options: { depthBlocks: number }, dependencies: { node: EvmNode }) {
    this.#depthBlocks = options.depthBlocks;
    this.#node = dependencies.node;
  }

  async finalisedHead(): Promise<number> {
    return Math.max(-1, (await this.#node.blockNumber()) - this.#depthBlocks + 1);
  }

  async finalisedEvents(query: {
    vaults: readonly string[];
    fromBlock: number;
    toBlock: number;
  }): Promise<FollowedEvent<EvmLog>[]> {
    const addresses = query.vaults.map((vault) => parseEvmAddress(vault));
    const { fromBlock, toBlock } = query;
    // The usual range is the one new block: it is asked for beside its logs, as it stands now.
    const [logs, block] = await Promise.all([
      this.#logs({ addresses, fromBlock, toBlock }),
      fromBlock === toBlock ? this.#node.block(toBlock) : undefined,
    ]);
    const inOrder = [...logs].sort((a, b) => a.blockNumber - b.blockNumber || a.logIndex - b.logIndex);
    await this.#demandCanonical(inOrder, block);
    return inOrder.map(eventOf);
  }

  /** As the node has them now: nothing is built on them. */
  async comingEvents(query: { vaults: readonly string[]; afterBlock: number }): Promise<FollowedEvent<EvmLog>[]> {
    if (this.#depthBlocks === 1) return [];
    const addresses = query.vaults.map((vault) => parseEvmAddress(vault));
    const [fromBlock, toBlock] = [query.afterBlock + 1, query.afterBlock + this.#depthBlocks - 1];
    return (await this.#node.logs({ addresses, fromBlock, toBlock })).map(eventOf);
  }

  async stillHolds(event: Pick<FollowedEvent<EvmLog>, 'blockNumber' | 'blockHash'>): Promise<boolean> {
    return (await this.#node.block(event.blockNumber))?.hash === event.blockHash;
  }

  /** Nodes bound an answer by their own rules: a range that is refused is asked for in halves. */
  async #logs(query: Parameters<EvmNode['logs']>[0]): Promise<EvmLog[]> {
    const { fromBlock, toBlock } = query;
    try {
      return await this.#node.logs(query);
    } catch (error) {
      if (!(error instanceof LedgerUnavailableError) || toBlock <= fromBlock) throw error;
      const middle = Math.floor((fromBlock + toBlock) / 2);
      const first = await this.#logs({ ...query, toBlock: middle });
      return [...first, ...(await this.#logs({ ...query, fromBlock: middle + 1 }))];
    }
  }

  /** @param known the block of all these logs, where it was asked for already */
  async #demandCanonical(logs: readonly EvmLog[], known: EvmBlock | undefined): Promise<void> {
    const blocks = new Map(logs.map(({ blockNumber, blockHash }) => [blockHash, blockNumber]));
    const held = await Promise.all(
      [...blocks].map(async ([blockHash, blockNumber]) =>
        known?.number === blockNumber ? known.hash === blockHash : this.stillHolds({ blockNumber, blockHash }),
      ),
    );
    if (held.includes(false)) throw new LedgerUnavailableError('blocks changed while their logs were read');
  }
}

const eventOf = (raw: EvmLog): FollowedEvent<EvmLog> => ({
  vault: raw.address,
  seq: seqOf(raw),
  blockNumber: raw.blockNumber,
  blockHash: raw.blockHash,
  raw,
});

/** The vault's counter. A log that no vault writes, at a vault's address, means a wrong address: ask no further. */
function seqOf(log: EvmLog): number {
  try {
    return decodeVaultLog(log).seq;
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    throw new LedgerUnavailableError('the address of a vault writes logs that are not of a vault', { cause });
  }
}
