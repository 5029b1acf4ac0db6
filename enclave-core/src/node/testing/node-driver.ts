/** A real node on a folder of its own, with the small service of the settlement tests, and what banks would ask of it. */
import { createHash } from 'node:crypto';
import type { AssetCode, ParticipantId } from '@drawbridge/protocol/ids';
import type { NodeDescription } from '@drawbridge/protocol/ledger/service-entry';
import { systemEntropy } from '../../consensus/node-host.ts';
import { loadRaftModule } from '../../consensus/raft-engine.ts';
import type { Committed } from '../../core-service.ts';
import { KeyRing } from '../../keys/key-ring.ts';
import type { LedgerKeys } from '../../keys/ledger-keys.ts';
import { makeRekey, openRekey } from '../../keys/rekey.ts';
import type { NodeLog } from '../../node-log.ts';
import { virtualPlatform } from '../../platform/virtual.ts';
import type { Command, Outcome } from '../../settlement/command.ts';
import type { Rulebook } from '../../settlement/rules.ts';
import { ALPHA, addressOf, EUR, GENESIS, START_MS, word } from '../../settlement/testing/world.ts';
import { CoreNode, type CoreNodeOptions } from '../core-node.ts';
import { systemHost } from '../node-host.ts';
import type { OpenPeers } from '../node-peers.ts';
import { fileStorage } from '../node-storage.ts';
import { payment } from './payments.ts';
import { type TestIdentity, TestService } from './test-service.ts';

export type LogLine = Readonly<{ level: 'info' | 'warn' | 'error'; message: string; fields: object }>;

export type TestNodeOptions = Partial<CoreNodeOptions> &
  Readonly<{
    nowMs?: () => number;
    service?: TestService;
    identity?: TestIdentity;
    openPeers?: OpenPeers;
    rules?: Rulebook;
    ledgerSecret?: Uint8Array;
    saveSecrets?: () => Promise<void>;
  }>;

const SMALL_FILES = { segmentBytes: 256 * 1024 };
/** Compiled once for all nodes of a process. */
const engine = loadRaftModule();
/** Its keys take a while to make, so that tests share one. */
export const testService = new TestService();

export class NodeDriver {
  readonly node: CoreNode;
  /** As the node has them: a rekey adds to them. */
  readonly keys: LedgerKeys;
  readonly lines: readonly LogLine[];
  /** Resolves when the node stops for good. */
  readonly failed: Promise<unknown>;
  readonly #nowMs: () => number;

  private constructor(
    parts: Pick<NodeDriver, 'node' | 'keys' | 'lines' | 'failed'> & Readonly<{ nowMs: () => number }>,
  ) {
    this.node = parts.node;
    this.keys = parts.keys;
    this.lines = parts.lines;
    this.failed = parts.failed;
    this.#nowMs = parts.nowMs;
  }

  static async start(dir: string, options: TestNodeOptions = {}): Promise<NodeDriver> {
    const { nowMs = () => START_MS, service = testService, openPeers, rules, ...others } = options;
    const { saveSecrets = async () => undefined, ...nodeOptions } = others;
    const identity = options.identity ?? service.first;
    const lines: LogLine[] = [];
    const write = (level: LogLine['level']) => (fields: object, message: string) => {
      lines.push({ level, fields, message });
    };
    const log: NodeLog = { info: write('info'), warn: write('warn'), error: write('error') };
    let onFailed: (error: unknown) => void = () => undefined;
    const failed = new Promise<unknown>((resolve) => {
      onFailed = resolve;
    });
    const host = systemHost(nowMs);
    const keys = service.keys(options.ledgerSecret);
    const localKeys = new KeyRing({ secret: createHash('sha256').update(identity.nodeId).digest() });
    const storage = { dir, serviceId: GENESIS.serviceId, log: SMALL_FILES };
    const node = await CoreNode.start(
      { raftId: 1, joined: false, ...nodeOptions },
      {
        identity,
        keys,
        // In clear: these tests are about the ledger, and RSA takes its time.
        openRekey: (entry) => openRekey(entry, identity.nodeId, (_, sealed) => sealed, keys),
        makeRekey: (nodes) =>
          makeRekey({ keys, nodes, entropy: systemEntropy, sealTo: (_key, _place, plaintext) => plaintext }),
        saveSecrets,
        openStorage: fileStorage(storage, localKeys, host),
        platform: virtualPlatform,
        engine: await engine,
        genesis: () => service.genesis(),
        serviceCertificate: service.certificate,
        admit: async (_nodeId, body, { propose }) => {
          const node = JSON.parse(Buffer.from(body).toString()) as NodeDescription;
          const outcome = await propose({ type: 'admitNode', node });
          if (!outcome.ok) throw new Error(outcome.detail);
          return Buffer.from(String(outcome.raftId));
        },
        ...(openPeers && { openPeers }),
        ...(rules && { rules }),
        host,
        log,
        onFailed,
      },
    );
    return new NodeDriver({ node, keys, lines, failed, nowMs });
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
