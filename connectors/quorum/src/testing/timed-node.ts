/** An `EvmNode` that knows how long anybody waited for the node: the time in which at least one call was underway. */
import type { EvmNode } from '../evm-node.ts';

export class NodeClock {
  #underway = 0;
  #sinceMs = 0;
  #waitedMs = 0;

  get waitedMs(): number {
    return this.#waitedMs + (this.#underway > 0 ? performance.now() - this.#sinceMs : 0);
  }

  async time<T>(call: Promise<T>): Promise<T> {
    if (this.#underway === 0) this.#sinceMs = performance.now();
    this.#underway += 1;
    try {
      return await call;
    } finally {
      this.#underway -= 1;
      if (this.#underway === 0) this.#waitedMs += performance.now() - this.#sinceMs;
    }
  }
}

export function timedNode(node: EvmNode, clock: NodeClock): EvmNode {
  return {
    chainId: () => clock.time(node.chainId()),
    blockNumber: () => clock.time(node.blockNumber()),
    block: (tag) => clock.time(node.block(tag)),
    transactionCount: (address, tag) => clock.time(node.transactionCount(address, tag)),
    receipt: (hash) => clock.time(node.receipt(hash)),
    knowsTransaction: (hash) => clock.time(node.knowsTransaction(hash)),
    sendRaw: (raw) => clock.time(node.sendRaw(raw)),
    estimateGas: (request, tag) => clock.time(node.estimateGas(request, tag)),
    call: (request, tag) => clock.time(node.call(request, tag)),
    logs: (query) => clock.time(node.logs(query)),
    gasPriceWei: () => clock.time(node.gasPriceWei()),
    priorityFeeWei: () => clock.time(node.priorityFeeWei()),
  };
}
