/**
 * A new ledger secret: drawn by the leader, sealed to the encryption key of each node that is to have it, and with the one
 * before sealed under it, so that who has the newest can read back to the first.
 */
import { createPublicKey } from 'node:crypto';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import type { NodeRow, ServiceEntry } from '@drawbridge/protocol/ledger/service-entry';
import { isProtocolError } from '@drawbridge/protocol/protocol-error';
import { type Entropy, KeyRing, SealBrokenError } from './key-ring.ts';
import { LEDGER_SECRET_BYTES, type LedgerKeys } from './ledger-keys.ts';
import { sealToKey } from './sealed-to-key.ts';

export type RekeyEntry = Extract<ServiceEntry, { type: 'rekey' }>;

/** Seals to a node's encryption key (SPKI, PEM). `associatedData` is authenticated, not stored. */
export type SealTo = (encryptionKey: string, associatedData: Uint8Array, plaintext: Uint8Array) => Uint8Array;
/** Opens what was sealed to this node's encryption key. @throws ProtocolError */
export type OpenHere = (associatedData: Uint8Array, sealed: Uint8Array) => Uint8Array;

const sealToNode: SealTo = (encryptionKey, associatedData, plaintext) =>
  sealToKey(createPublicKey(encryptionKey), associatedData, plaintext);

/** A wrap cannot be moved to another node or epoch. */
const wrapFor = (epoch: number, nodeId: NodeId): Uint8Array =>
  Buffer.from(`drawbridge/ledger-secret/1\0${epoch}\0${nodeId}`);
const chainTo = (epoch: number): Uint8Array => Buffer.from(`drawbridge/previous-ledger-secret/1\0${epoch}`);

export type MakeRekey = Readonly<{
  keys: LedgerKeys;
  /** Who gets it; of several places of one key, the last one given counts. */
  nodes: Iterable<Pick<NodeRow, 'nodeId' | 'encryptionKey'>>;
  entropy: Entropy;
  /** For simulations, where RSA would be neither quick nor the same each time. */
  sealTo?: SealTo;
}>;

/** The secret itself leaves this function only sealed: its maker opens the entry like everybody else, once it is applied. */
export function makeRekey({ keys, nodes, entropy, sealTo = sealToNode }: MakeRekey): RekeyEntry {
  const epoch = keys.epoch + 1;
  const secret = new Uint8Array(LEDGER_SECRET_BYTES);
  entropy.fill(secret);
  const byId = new Map(Array.from(nodes, (node) => [node.nodeId, node]));
  const wraps = Array.from(byId.values(), ({ nodeId, encryptionKey }) => ({
    nodeId,
    sealed: sealTo(encryptionKey, wrapFor(epoch, nodeId), secret),
  }));
  const previous = new KeyRing({ secret, entropy }).seal('ledger-secret', newest(keys), chainTo(keys.epoch));
  return { type: 'rekey', epoch, wraps, previous };
}

function newest(keys: LedgerKeys): Uint8Array {
  const secret = keys.secrets().get(keys.epoch);
  if (!secret) throw new RangeError('the newest ledger secret is not known');
  return secret;
}

/** The entry is not one that an honest leader writes: this node must stop. */
export class RekeyError extends Error {
  override readonly name = 'RekeyError';
  readonly code = 'REKEY_BROKEN' as const;
}

/**
 * The secret of a rekey that was applied; nothing where it is not for this node, which then has no place any more.
 * @throws RekeyError where the wrap does not open, or the chain to the secret before is not what this node has
 */
export function openRekey(
  entry: RekeyEntry,
  nodeId: NodeId,
  open: OpenHere,
  keys: LedgerKeys,
): Readonly<{ epoch: number; secret: Uint8Array }> | undefined {
  const { epoch, wraps } = entry;
  const before = keys.secrets();
  // Of the past: a node that joined was given the secrets that were made before it came.
  const known = before.get(epoch);
  if (known) return { epoch, secret: known };
  const wrap = wraps.find((one) => one.nodeId === nodeId);
  if (!wrap) return undefined;
  const secret = unwrap(() => open(wrapFor(epoch, nodeId), wrap.sealed));
  const chained = unwrap(() => openPreviousSecret(entry, secret));
  const last = before.get(epoch - 1);
  if (last && Buffer.compare(last, chained) !== 0)
    throw new RekeyError('the new secret is not chained to the one before');
  return { epoch, secret };
}

/** The secret of the epoch before, from that of the entry's own. @throws SealBrokenError */
export const openPreviousSecret = ({ epoch, previous }: RekeyEntry, secret: Uint8Array): Uint8Array =>
  new KeyRing({ secret }).open('ledger-secret', previous, chainTo(epoch - 1));

function unwrap(open: () => Uint8Array): Uint8Array {
  try {
    const secret = open();
    if (secret.length === LEDGER_SECRET_BYTES) return secret;
  } catch (cause) {
    if (!isProtocolError(cause) && !(cause instanceof SealBrokenError)) throw cause;
    throw new RekeyError('the new ledger secret does not open', { cause });
  }
  throw new RekeyError(`a ledger secret has ${LEDGER_SECRET_BYTES} bytes`);
}
