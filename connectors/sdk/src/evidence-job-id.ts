/**
 * Ids of evidence jobs. Whoever reads the queue must not be able to tell which event of the chain a job is about, so an
 * id is an HMAC under a key of the connector; it is the same at every offer, so that adding twice is adding once. The
 * followers of one network share the sealing key and so the ids.
 */
import { createHmac, createPrivateKey, hkdfSync } from 'node:crypto';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { NetworkId } from '@drawbridge/protocol/ids';
import type { FollowedEvent } from './vault-event-source.ts';

const KEY_BYTES = 32;

/** @param sealingKeyPem the connector's RSA private key. */
export function evidenceIdKey(sealingKeyPem: string): Uint8Array {
  const secret = createPrivateKey(sealingKeyPem).export({ type: 'pkcs8', format: 'der' });
  return new Uint8Array(hkdfSync('sha256', secret, '', 'drawbridge/evidence-job-id/1', KEY_BYTES));
}

/** 64 hex digits. The block hash is part of it: an event in another block is other evidence. */
export function evidenceJobId(
  key: Uint8Array,
  network: NetworkId,
  event: Pick<FollowedEvent<unknown>, 'vault' | 'seq' | 'blockHash'>,
): string {
  return createHmac('sha256', key)
    .update(JSON.stringify([network, event.vault, event.seq, event.blockHash]))
    .digest('hex');
}

/** 64 hex digits. Of evidence of a notarised transaction: one transaction has one id, whatever the vault. */
export function transactionJobId(key: Uint8Array, network: NetworkId, transaction: Bytes32): string {
  return createHmac('sha256', key)
    .update(JSON.stringify([network, 'transaction', transaction]))
    .digest('hex');
}

/** 64 hex digits: the same for the same blocks, whichever seals their headers have. */
export function headerBatchJobId(
  key: Uint8Array,
  network: NetworkId,
  batch: Readonly<{ firstHash: Bytes32; lastHash: Bytes32 }>,
): string {
  return createHmac('sha256', key)
    .update(JSON.stringify([network, 'headers', batch.firstHash, batch.lastHash]))
    .digest('hex');
}
