/**
 * Payments under whatever happens to the nodes, with a record of which were acknowledged; and the judgement afterwards: every
 * acknowledged one is there, every other one once or not at all, and the sums agree, at each node.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { DrawbridgeClient, Submitted } from '@drawbridge/client/bank-client';
import { until } from '@drawbridge/devnets/until';
import { type CoreCluster, EUR, payment } from './core-cluster.ts';
import type { CoreProcess } from './core-process.ts';

const PATIENCE_MS = 60_000;
/** Amounts differ, so that sums show which payments are there. */
const AMOUNTS = 997;
/** After a failure, before the same loop sends the next. */
const BREATH_MS = 50;

type Sent = Readonly<{ id: string; amountMinor: bigint }>;
/** What one node says of all payments. */
export type Judgement = Readonly<{ node: string; acknowledged: number; others: number; sent: number }>;

export class PaymentLoad {
  readonly #cluster: CoreCluster;
  readonly #depositedMinor: bigint;
  readonly #sent = new Map<string, Sent>();
  readonly #acknowledged = new Set<string>();
  readonly #loops: Promise<void>[] = [];
  #n = 0;
  #stopped = false;

  constructor(cluster: CoreCluster, depositedMinor: bigint) {
    this.#cluster = cluster;
    this.#depositedMinor = depositedMinor;
  }

  get acknowledged(): number {
    return this.#acknowledged.size;
  }

  /** `lanes` clients, each with one payment or one batch on its way, each asking the nodes in turn from another one on. */
  start(lanes: number, nodes: readonly CoreProcess[] = this.#cluster.nodes, batch = 1): void {
    this.#stopped = false;
    for (let lane = 0; lane < lanes; lane += 1) {
      const first = lane % nodes.length;
      const client = this.#cluster.client('bankA', [...nodes.slice(first), ...nodes.slice(0, first)]);
      this.#loops.push(this.#loop(client, batch));
    }
  }

  async #loop(client: DrawbridgeClient, batch: number): Promise<void> {
    while (!this.#stopped) if (!(await this.#pay(client, batch))) await pause(BREATH_MS);
  }

  async #pay(client: DrawbridgeClient, batch: number): Promise<boolean> {
    try {
      await (batch === 1 ? this.one(client, randomUUID()) : this.batch(client, batch));
      return true;
    } catch {
      // What became of it is for the judgement: it may be there or not.
      return false;
    }
  }

  /** One payment. @throws where it is not acknowledged */
  async one(client: DrawbridgeClient, id: string): Promise<Submitted> {
    const { amountMinor } = this.#next(id);
    const submitted = await client.submitTransfer(payment(amountMinor, id));
    if (submitted.transfer.state !== 'SETTLED') throw new Error(`${id} is ${submitted.transfer.state}`);
    this.#acknowledged.add(id);
    return submitted;
  }

  /** One batch of `count`. @throws where not all of them are acknowledged */
  async batch(client: DrawbridgeClient, count: number): Promise<void> {
    const sent = Array.from({ length: count }, () => this.#next(randomUUID()));
    const answers = await client.submitBatch(sent.map(({ id, amountMinor }) => payment(amountMinor, id)));
    for (const [n, { id }] of sent.entries()) {
      if (answers[n]?.transfer?.state !== 'SETTLED') throw new Error(`a batch has ${JSON.stringify(answers[n])}`);
      this.#acknowledged.add(id);
    }
  }

  #next(id: string): Sent {
    this.#n += 1;
    const sent = { id, amountMinor: BigInt(1 + (this.#n % AMOUNTS)) };
    this.#sent.set(id, sent);
    return sent;
  }

  /** Terms of a payment that the caller makes, and whose acknowledgement it demands. */
  terms(): ReturnType<typeof payment> {
    const { id, amountMinor } = this.#next(randomUUID());
    this.#acknowledged.add(id);
    return payment(amountMinor, id);
  }

  /** Waits until `more` further payments were acknowledged. */
  async acknowledges(more: number): Promise<void> {
    const goal = this.acknowledged + more;
    await until(`${more} more payments`, PATIENCE_MS, async () => this.acknowledged >= goal);
  }

  /** No more payments; waits for those on their way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#loops.splice(0));
  }

  /** Reads everything back from every node that runs. @throws where anything is missing, double or wrong */
  async judge(nodes: readonly CoreProcess[] = this.#cluster.up): Promise<Judgement[]> {
    const judged: Judgement[] = [];
    for (const node of nodes) judged.push(await this.#judgeAt(node));
    const [first] = judged;
    for (const { node, others } of judged) {
      if (others !== first?.others) throw new Error(`${node} knows other payments than ${first?.node}`);
    }
    return judged;
  }

  async #judgeAt(node: CoreProcess): Promise<Judgement> {
    const bankA = this.#cluster.client('bankA', [node]);
    const settled = new Set<string>();
    for await (const { id, state } of bankA.allTransfers({ state: 'SETTLED' })) {
      if (state !== 'SETTLED' || settled.has(id)) throw new Error(`${node.name}: ${id} is there twice, or ${state}`);
      settled.add(id);
    }
    const lost = [...this.#acknowledged].filter((id) => !settled.has(id));
    if (lost.length > 0) throw new Error(`${node.name} lost ${lost.length} acknowledged payments, ${lost[0]} first`);
    let paidMinor = 0n;
    let others = 0;
    for (const { id, amountMinor } of this.#sent.values()) {
      if (!settled.has(id)) continue;
      paidMinor += amountMinor;
      if (!this.#acknowledged.has(id)) others += 1;
    }
    const bankB = this.#cluster.client('bankB', [node]);
    const [mine, theirs] = await Promise.all([bankA.account(EUR), bankB.account(EUR)]);
    const balances = { mine: mine.postedMinor, theirs: theirs.postedMinor };
    const right = { mine: String(this.#depositedMinor - paidMinor), theirs: String(paidMinor) };
    if (JSON.stringify(balances) !== JSON.stringify(right)) {
      throw new Error(`${node.name} has balances ${JSON.stringify(balances)}, right is ${JSON.stringify(right)}`);
    }
    return { node: node.name, acknowledged: this.acknowledged, others, sent: this.#sent.size };
  }
}
