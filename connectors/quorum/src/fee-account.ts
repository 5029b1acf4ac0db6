/** The parts that send transactions of one fee key, put together: journal, book, lease, sender, tracker, ledger. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConnectorMetrics } from '@drawbridge/connector-sdk/connector-metrics';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { BlockNews } from './block-announcements.ts';
import type { ConnectorLimits } from './config.ts';
import { EvmLedger } from './evm-ledger.ts';
import type { EvmNode } from './evm-node.ts';
import { FeeKey } from './fee-key.ts';
import { FlightBook } from './flight-book.ts';
import { FlightTracker } from './flight-tracker.ts';
import { IntentJournal } from './intent-journal.ts';
import { RedisNonceLease } from './nonce-lease.ts';
import { TransactionSender } from './transaction-sender.ts';

export type FeeAccountOptions = Readonly<{
  chainId: number;
  genesisHash: Bytes32;
  depthBlocks: number;
  feeKey: string;
  stateDir: string;
  limits: ConnectorLimits;
}>;
export type FeeAccountDependencies = Readonly<{
  node: EvmNode;
  /** Must fail commands at once when it is not connected. */
  redis: Redis;
  metrics: ConnectorMetrics;
  log: Logger;
  news?: BlockNews;
  now: () => number;
}>;
export type FeeAccount = Readonly<{ ledger: EvmLedger; stop: () => Promise<void> }>;

/** @throws ProcessLockError when another process has the state folder. */
export async function openFeeAccount(
  options: FeeAccountOptions,
  dependencies: FeeAccountDependencies,
): Promise<FeeAccount> {
  const { chainId, genesisHash, depthBlocks, feeKey, stateDir, limits } = options;
  const { node, redis, metrics, log, news, now } = dependencies;
  const key = new FeeKey(feeKey, chainId);
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const journal = await IntentJournal.open({
    file: join(stateDir, 'intents'),
    secret: feeKey,
    binding: `${chainId} ${genesisHash} ${key.address}`,
    compactAfter: limits.journalRecords,
  });
  if (journal.unreadable > 0) log.warn({ lines: journal.unreadable }, 'the journal has lines that are not readable');
  const book = new FlightBook(journal);
  const lease = new RedisNonceLease(
    { chainId, address: key.address, leaseMs: limits.leaseMs, waitMs: limits.leaseWaitMs, hintMs: limits.nonceHintMs },
    redis,
    () => metrics.leaseFallback(),
  );
  const fees = { maxFeeWei: limits.maxFeeWei, minPriorityFeeWei: limits.minPriorityFeeWei };
  const sender = new TransactionSender(
    {
      fees,
      batch: limits.sendBatch,
      maxUnmined: limits.maxUnmined,
      maxNonces: limits.maxNonces,
      outlookMs: limits.outlookMs,
      roomWaitMs: limits.minedTimeoutMs,
      pollMs: limits.pollMs,
    },
    { node, key, book, lease, log, now },
  );
  const tracker = new FlightTracker(
    {
      pollMs: limits.pollMs,
      quietPollMs: limits.quietPollMs,
      depthBlocks,
      fees,
      droppedAfterMs: limits.droppedAfterMs,
      replaceAfterMs: limits.replaceAfterMs,
      gapAfterMs: limits.gapAfterMs,
      supersededLooks: limits.supersededLooks,
      maxGapFills: limits.maxGapFills,
    },
    { node, key, book, lease, sender, metrics, log, now, ...(news && { news }) },
  );
  await tracker.start();
  const ledger = new EvmLedger(
    {
      sender: key.address,
      depthBlocks,
      pollMs: limits.pollMs,
      quietPollMs: limits.quietPollMs,
      descriptionMs: limits.descriptionMs,
      minedTimeoutMs: limits.minedTimeoutMs,
      maxGas: BigInt(limits.maxGas),
      maxRounds: MAX_ROUNDS,
    },
    { node, transactions: sender, flights: book, tracker, now, ...(news && { news }) },
  );
  const stop = async (): Promise<void> => {
    await sender.idle();
    await tracker.stop();
    await journal.close();
  };
  return { ledger, stop };
}

/** Times that one attempt starts over after its transaction got lost. */
const MAX_ROUNDS = 3;
