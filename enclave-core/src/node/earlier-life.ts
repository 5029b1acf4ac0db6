/**
 * What an earlier life of a node left on its disk, for the life that gets a new place. The disk is not trusted: it can be damaged,
 * old, or someone's invention. A snapshot counts if the ledger beside it vouches for the digest of its state, in an entry under a
 * signature that the service endorses; ledger and history are kept with one, and fetched anew without. An older disk is then no
 * danger: whatever it proves was committed, what followed is fetched, and the new place has never voted. A fork of the time when
 * a node was alone proves itself, too; the digest at the end of catching up tells it (ADR 0019).
 */
import type { EarlierSnapshots } from '../consensus/log/earlier-snapshots.ts';
import type { StoredSnapshot } from '../consensus/ports.ts';
import { SealBrokenError } from '../keys/key-ring.ts';
import type { LedgerKeys } from '../keys/ledger-keys.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { LedgerDamagedError } from '../ledger/ledger-errors.ts';
import type { NodeLog } from '../node-log.ts';
import type { NodeStorage, OpenStorage } from './node-storage.ts';
import { proofStep } from './receipt-desk.ts';
import { verifySnapshotEvidence } from './snapshot-evidence.ts';
import { openImage, type ReplicatedState } from './state-image.ts';

/** A snapshot whose state was proven. */
export type EarlierState = StoredSnapshot &
  Readonly<{
    digest: Buffer;
    /** The state, once; nothing after that, or when it was discarded. */
    take: () => ReplicatedState | undefined;
    /** It is not needed any more. */
    discard: () => Promise<void>;
  }>;

export type EarlierLife = Readonly<{
  snapshots: Pick<EarlierSnapshots, 'discard' | 'whole'>;
  keys: LedgerKeys;
  /** PEM that this node was told to trust. */
  serviceCertificate: string;
  /** Takes away ledger, history and snapshots; neither is open. */
  discard: () => Promise<void>;
  log: NodeLog;
}>;

/** Opens what is there with the newest snapshot that is proven, or begins with nothing. */
export function storageAfterLife(open: OpenStorage, life: EarlierLife): OpenStorage {
  return async (onFailure) => {
    const kept = await keptStorage(open, life, onFailure);
    if (kept) return kept;
    await life.discard();
    return open(onFailure);
  };
}

async function keptStorage(
  open: OpenStorage,
  life: EarlierLife,
  onFailure: (error: unknown) => void,
): Promise<NodeStorage | undefined> {
  let storage: NodeStorage | undefined;
  const openOnce: OpenStorage = async (failed) => {
    storage ??= await open(failed);
    return storage;
  };
  let kept: NodeStorage | undefined;
  try {
    kept = await provenStorage(openOnce, life, onFailure);
    return kept;
  } finally {
    if (storage && !kept) {
      await storage.history.close();
      await storage.ledger.close();
      await storage.log.close();
    }
  }
}

async function provenStorage(
  open: OpenStorage,
  life: EarlierLife,
  onFailure: (error: unknown) => void,
): Promise<NodeStorage | undefined> {
  const { snapshots, log } = life;
  for await (const snapshot of snapshots.whole()) {
    let storage: NodeStorage;
    try {
      storage = await open(onFailure);
    } catch (error) {
      if (isOfSystem(error)) throw error;
      log.warn({ detail: wordsOf(error) }, 'what an earlier life left cannot be opened');
      return undefined;
    }
    const proven = await provenState(snapshot, storage.ledger, life);
    if (!('reason' in proven)) {
      log.info({ seqno: snapshot.index }, 'the ledger on this disk vouches for a snapshot of an earlier life');
      return { ...storage, earlier: earlierState(snapshot, proven, snapshots) };
    }
    log.warn({ seqno: snapshot.index, ...proven }, 'a snapshot of an earlier life is passed over');
  }
  return undefined;
}

/** Held in memory until it is taken: it is large. */
function earlierState(
  snapshot: StoredSnapshot,
  { state: proven, digest }: Proven,
  snapshots: EarlierLife['snapshots'],
): EarlierState {
  let held: ReplicatedState | undefined = proven;
  const take = (): ReplicatedState | undefined => {
    const state = held;
    held = undefined;
    return state;
  };
  const discard = (): Promise<void> => {
    held = undefined;
    return snapshots.discard();
  };
  return { ...snapshot, digest, take, discard };
}

type Proven = Readonly<{ state: ReplicatedState; digest: Buffer }>;

async function provenState(
  snapshot: StoredSnapshot,
  ledger: Ledger,
  { keys, serviceCertificate }: Pick<EarlierLife, 'keys' | 'serviceCertificate'>,
): Promise<Proven | Readonly<{ reason: string }>> {
  const opened = await openImage(keys, snapshot.index, snapshot).catch(() => undefined);
  if (!opened) return { reason: 'it cannot be opened' };
  const { state, digest, evidenceSeqno } = opened;
  try {
    const parts = await ledger.receiptParts(evidenceSeqno);
    if (!parts) return { reason: `the ledger has no signed entry ${evidenceSeqno}, which should vouch for it` };
    const { record, path, signature } = parts;
    const signer = [...state.membership.nodes.values()].find(({ nodeId }) => nodeId === signature.nodeId);
    if (!signer) return { reason: 'it was signed by a node that was not known yet' };
    const receipt = {
      cert: signer.certificate,
      node_id: signer.nodeId,
      proof: path.map(proofStep),
      signature: Buffer.from(signature.signature).toString('base64'),
    };
    const seqno = snapshot.index;
    const proven = verifySnapshotEvidence({ receipt, evidence: record, serviceCertificate, seqno });
    if (!proven.ok) return proven;
    return digest.equals(proven.digest)
      ? { state, digest }
      : { reason: 'its state is not the one that the ledger vouches for' };
  } catch (error) {
    if (isOfSystem(error)) throw error;
    return { reason: wordsOf(error) };
  }
}

/** Of the machine, rather than of what it holds. */
const isOfSystem = (error: unknown): boolean => error instanceof Error && 'syscall' in error;

/** Words of other errors than ours may say anything. */
const wordsOf = (error: unknown): string =>
  error instanceof LedgerDamagedError || error instanceof SealBrokenError ? error.message : 'it has another form';
