/** Batches of headers from files and folders, as connectors hand them in. */
import { EVIDENCE_CHECKS } from '@drawbridge/evidence/consensus-evidence';
import {
  type ConsensusRule,
  decodeHeaderBatch,
  evidenceKindOf,
  type HeaderBatch,
} from '@drawbridge/protocol/consensus-evidence';
import type { NetworkId } from '@drawbridge/protocol/ids';
import { isProtocolError } from '@drawbridge/protocol/protocol-error';
import { CliError } from './cli-error.ts';
import { evidenceFiles } from './evidence-files.ts';
import { type Refusal, refusedBy } from './refusal.ts';

/** Most batches that are held in memory at once, 256 KiB each at most. */
const MAX_BATCHES = 2_048;
export type BatchFile = Readonly<{ path: string; headers: readonly Uint8Array[] }>;
type Wanted = Readonly<{ network: NetworkId; rule: ConsensusRule }>;

/**
 * The batches of one network. Whatever else lies in a folder is passed over; a file that is named must be one of them.
 * @throws CliError for what cannot be read
 */
export async function readHeaderFiles(
  paths: readonly string[],
  wanted: Wanted,
): Promise<Readonly<{ ok: true; files: readonly BatchFile[] }> | Refusal> {
  const files: BatchFile[] = [];
  for await (const { path, named, bytes } of evidenceFiles(paths, 'headers')) {
    if (!named && evidenceKindOf(bytes) !== 'headers') continue;
    const batch = decoded(bytes, path);
    if ('ok' in batch) return batch;
    if (!named && batch.network !== wanted.network) continue;
    const fault = mismatch(batch, wanted, path);
    if (fault !== undefined) return fault;
    if (files.length === MAX_BATCHES) throw new CliError('FILE', `there are over ${MAX_BATCHES} batches of headers`);
    files.push({ path, headers: batch.headers });
  }
  return { ok: true, files };
}

function decoded(bytes: Uint8Array, path: string): HeaderBatch | Refusal {
  try {
    return decodeHeaderBatch(bytes);
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    return refusedBy(
      EVIDENCE_CHECKS,
      { ok: false, check: 'form', code: 'FORM_INVALID', detail: error.message },
      `headers of ${path}`,
    );
  }
}

function mismatch(batch: HeaderBatch, { network, rule }: Wanted, path: string): Refusal | undefined {
  const refuse = (check: 'network' | 'rule', code: string, detail: string): Refusal =>
    refusedBy(EVIDENCE_CHECKS, { ok: false, check, code, detail }, `headers of ${path}`);
  if (batch.network !== network) {
    return refuse('network', 'NETWORK_MISMATCH', `the headers are of ${batch.network}, the event is of ${network}`);
  }
  if (batch.rule !== rule) {
    return refuse('rule', 'RULE_MISMATCH', `the headers are for rule ${batch.rule}, the network has ${rule}`);
  }
  return undefined;
}
