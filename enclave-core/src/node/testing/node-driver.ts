/** A real node on a folder of its own, with the small service of the settlement tests, and what banks would ask of it. */
import { createHash } from 'node:crypto';
import type { AssetCode, ParticipantId, TransferId } from '@drawbridge/protocol/ids';
import { loadRaftModule } from '../../consensus/raft-engine.ts';
import type { Committed } from '../../core-service.ts';
import { KeyRing } from '../../keys/key-ring.ts';
import type { NodeLog } from '../../node-log.ts';
import type { Command, Outcome, TransferTerms } from '../../settlement/command.ts';
import { initialState } from '../../settlement/genesis-state.ts';
import {
  ALPHA,
  addressOf,
  BANK_A,
  BANK_B,
  EUR,
  GENESIS,
  SECRETS,
  START_MS,
  word,
} from '../../settlement/testing/world.ts';
import { CoreNode, type CoreNodeOptions } from '../core-node.ts';
import { sealSnapshot } from '../state-snapshot.ts';

export type LogLine = Readonly<{ level: 'info' | 'warn' | 'error'; message: string; fields: object }>;

export type TestNodeOptions = Omit<CoreNodeOptions, 'dir'> & Readonly<{ nowMs?: () => number; secret?: Uint8Array }>;

const SMALL_FILES = { segmentBytes: 256 * 1024 };
/** Compiled once for all nodes of a process. */
const engine = loadRaftModule();

export class NodeDriver {
  readonly node: CoreNode;
  readonly lines: readonly LogLine[];
  /** Resolves when the node stops for good. */
  readonly failed: Promise<unknown>;
  readonly #nowMs: () => number;

  private constructor(node: CoreNode, lines: readonly LogLine[], failed: Promise<unknown>, nowMs: () => number) {
    this.node = node;
    this.lines = lines;
    this.failed = failed;
    this.#nowMs = nowMs;
  }

  static async start(dir: string, options: TestNodeOptions = {}): Promise<NodeDriver> {
    const { nowMs = () => START_MS, secret = createHash('sha256').update('test').digest(), ...nodeOptions } = options;
    const keys = new KeyRing({ secret });
    const lines: LogLine[] = [];
    const write = (level: LogLine['level']) => (fields: object, message: string) => {
      lines.push({ level, fields, message });
    };
    const log: NodeLog = { info: write('info'), warn: write('warn'), error: write('error') };
    let onFailed: (error: unknown) => void = () => undefined;
    const failed = new Promise<unknown>((resolve) => {
      onFailed = resolve;
    });
    const genesisContent = async (): Promise<Uint8Array> =>
      sealSnapshot(keys, { genesisDigest: word('genesis'), index: 1, state: initialState(GENESIS, SECRETS, START_MS) });
    const node = await CoreNode.start(
      { ledger: SMALL_FILES, ...nodeOptions, dir },
      { keys, engine: await engine, genesisContent, log, nowMs, onFailed },
    );
    return new NodeDriver(node, lines, failed, nowMs);
  }

  async run(command: Command): Promise<Committed & { outcome: Outcome }> {
    const [committed] = await this.node.submit([command]);
    if (!committed) throw new Error('a command has one answer');
    return committed;
  }

  /** Brings money in by a lock at alpha, as its evidence would. */
  async deposit(bank: ParticipantId, amountMinor: bigint, name: string): Promise<void> {
    const source = { network: ALPHA, depositor: addressOf('treasury') };
    const fundByMs = this.#nowMs() + 3_600_000;
    const terms = { ...payment(name, amountMinor), debtor: bank, creditor: bank, source, fundByMs };
    const submitted = await this.run({ type: 'submitTransfer', terms });
    if (!submitted.outcome.ok) throw new Error(submitted.outcome.code);
    const seq = this.node.view.vaultLedger(ALPHA, EUR)?.nextEventSeq ?? 1;
    const reference = this.node.view.liveTransfer(bank, terms.id)?.reference ?? word('none');
    const { depositor } = source;
    const { outcome } = await this.run({
      type: 'vaultEvent',
      network: ALPHA,
      asset: EUR,
      event: { type: 'locked', seq, lockId: word(`lock ${name}`), reference, depositor, amountMinor },
      blockNumber: seq,
      blockHash: word(`block ${name}`),
      evidenceDigest: word(`evidence ${name}`),
      trustVersion: 1,
    });
    if (!outcome.ok) throw new Error(outcome.code);
  }

  posted(bank: ParticipantId, asset: AssetCode = EUR): bigint {
    return this.node.view.account(bank, asset)?.postedMinor ?? 0n;
  }

  stop(): Promise<void> {
    return this.node.stop();
  }
}

/** A UUID that belongs to a name. */
export function paymentId(name: string): TransferId {
  const hex = createHash('sha256').update(name).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}` as TransferId;
}

/** From A to B, within the core. */
export const payment = (name: string, amountMinor: bigint): TransferTerms => ({
  id: paymentId(name),
  asset: EUR,
  amountMinor,
  debtor: BANK_A,
  creditor: BANK_B,
  onVoid: 'return',
});

export const pay = (name: string, amountMinor: bigint): Command => ({
  type: 'submitTransfer',
  terms: payment(name, amountMinor),
});
