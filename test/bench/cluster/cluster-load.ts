/** Loads on three nodes of the core, with what the nodes used for them. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from '@drawbridge/devnets/until';
import type { CoreNodes } from './core-nodes.ts';
import type { Round } from './measured.ts';
import { type Answered, type Load, Payer } from './payer.ts';
import { usageOf, usedBetween } from './process-usage.ts';
import { keepWritten, type Written } from './written-entries.ts';

const LEDGER_MS = 30_000;
const SAME_ENGINE = join(import.meta.dirname, 'same-engine.ts');

/** Entries that a load wrote: after one seqno, up to another. */
export type Span = Readonly<{ after: number; last: number; payments: number }>;

/** Load on the leader alone, as on etcd's. Connections stay open between rounds. */
export class ClusterLoad {
  readonly #nodes: CoreNodes;
  readonly #payers = new Map<number, Payer>();

  constructor(nodes: CoreNodes) {
    this.#nodes = nodes;
  }

  async #payer(connections: number): Promise<Payer> {
    const known = this.#payers.get(connections);
    if (known) return known;
    const payer = new Payer((await this.#nodes.leader()).url, this.#nodes.service, connections);
    this.#payers.set(connections, payer);
    return payer;
  }

  /** A connection for each request on its way, opened by the first round. */
  async closedLoop(load: Load): Promise<Round> {
    const payer = await this.#payer(load.atOnce);
    return this.#measured(() => payer.closedLoop(load));
  }

  async openLoop(perSecond: number, connections: number, forMs: number): Promise<Round> {
    const payer = await this.#payer(connections);
    return this.#measured(() => payer.openLoop(perSecond, forMs));
  }

  async #measured(load: () => Promise<Answered>): Promise<Round> {
    const { pids } = this.#nodes;
    const before = await usageOf(pids);
    const answered = await load();
    return { ...answered, used: usedBetween(before, await usageOf(pids)) };
  }

  /** The same, and which entries it wrote. */
  async spanOf(load: Load): Promise<Span> {
    const leader = await this.#nodes.leader();
    const { committedSeqno: after } = await leader.state();
    const { done: payments } = await this.closedLoop(load);
    const { committedSeqno: last } = await leader.state();
    return { after, last, payments };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#payers.values()].map((payer) => payer.close()));
    this.#payers.clear();
  }
}

/** Payments per second of the bare engine, fed what `span` has, with `inFlight` entries proposed at a time. */
export async function feedEngine(
  nodes: CoreNodes,
  span: Span,
  { inFlight, forMs }: Readonly<{ inFlight: number; forMs: number }>,
): Promise<Readonly<{ paymentsPerSecond: number; written: Written }>> {
  const { place } = await nodes.leader();
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-entries-'));
  try {
    const file = join(folder, 'entries');
    let written: Written | undefined;
    await until('the ledger is on the disk', LEDGER_MS, async () => {
      written = await keepWritten(place.dir, span, file);
      return true;
    });
    if (!written || written.kept === 0) throw new Error('the load wrote no entry');
    const flags = ['--conditions=drawbridge-source', '--import', import.meta.resolve('tsx')];
    const args = [...flags, SAME_ENGINE, file, String(inFlight), String(forMs)];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const { entries, seconds } = JSON.parse(stdout) as { entries: number; seconds: number };
    return { paymentsPerSecond: (entries / seconds) * (span.payments / written.all), written };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
