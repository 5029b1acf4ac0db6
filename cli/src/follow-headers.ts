/** From the checkpoint of the genesis along batches of headers, whatever order they are in, with every seal checked. */
import { EVIDENCE_CHECKS } from '@drawbridge/evidence/consensus-evidence';
import { CONSENSUS_CHECKS, type ConsensusRefusal } from '@drawbridge/evidence/consensus-refusal';
import { blockOf, type SealRecovery } from '@drawbridge/evidence/sealed-header';
import {
  type ConsensusFinality,
  chainFrom,
  dropKnown,
  type TrackedChain,
  verifyConflict,
  verifyHeaders,
} from '@drawbridge/evidence/tracked-chain';
import type { BatchFile } from './header-files.ts';
import { type Refusal, refusedBy } from './refusal.ts';

/** A batch that was not verified: it begins above the head, or (`clique`) its blocks need more of them on top. */
export type UnusedBatch = Readonly<{ path: string; fromBlock: number }>;

export type Followed = Readonly<{
  ok: true;
  /** Remembers every block from the checkpoint on, so that the event may be in any of them. */
  chain: TrackedChain;
  /** The verified header of each block, by number. Others may show other seals. */
  headers: ReadonlyMap<number, Uint8Array>;
  unused: readonly UnusedBatch[];
}>;

/** `numbers`: the block of each of the headers. */
type Batch = BatchFile & Readonly<{ numbers: readonly number[] }>;
type Walk = Readonly<{
  finality: ConsensusFinality;
  recover: SealRecovery;
  headers: Map<number, Uint8Array>;
}>;
/** The chain behind a batch; `undefined` where others must come first. */
type Taken = Readonly<{ ok: true; chain: TrackedChain | undefined }> | Refusal;

/**
 * Takes batch after batch, lowest first; what leaves a gap is tried again as long as others fit. The first that fails in
 * any other way is named. At most one signature for each header and validator, and eight times the batch that fails.
 */
export function followHeaders(
  finality: ConsensusFinality,
  files: readonly BatchFile[],
  recover: SealRecovery,
): Followed | Refusal {
  const read = readNumbers(finality, files);
  if (!read.ok) return read;
  const walk: Walk = { finality, recover, headers: new Map() };
  const count = files.reduce((sum, { headers }) => sum + headers.length, 1);
  let chain = chainFrom({ ...finality, maxGapBlocks: count });
  let waiting = read.batches.toSorted((a, b) => firstOf(a) - firstOf(b));
  for (let tried = Number.POSITIVE_INFINITY; waiting.length < tried; ) {
    tried = waiting.length;
    const left: Batch[] = [];
    for (const batch of waiting) {
      const taken = takeBatch(chain, batch, walk);
      if (!taken.ok) return taken;
      if (taken.chain === undefined) left.push(batch);
      else chain = taken.chain;
    }
    waiting = left;
  }
  const unused = waiting.map((batch) => ({ path: batch.path, fromBlock: firstOf(batch) }));
  return { ok: true, chain, headers: walk.headers, unused };
}

const firstOf = ({ numbers }: Batch): number => numbers[0] ?? 0;

function readNumbers(
  finality: ConsensusFinality,
  files: readonly BatchFile[],
): Readonly<{ ok: true; batches: readonly Batch[] }> | Refusal {
  const batches: Batch[] = [];
  for (const file of files) {
    const numbers: number[] = [];
    for (const rlp of file.headers) {
      const block = blockOf(rlp, finality);
      if (!block.ok) return refusedBy(CONSENSUS_CHECKS, block, placeOf(file, numbers.length));
      numbers.push(block.number);
    }
    batches.push({ ...file, numbers });
  }
  return { ok: true, batches };
}

const placeOf = ({ path, headers }: BatchFile, at: number): string =>
  `header ${at + 1} of ${headers.length} in ${path}`;

function takeBatch(chain: TrackedChain, batch: Batch, walk: Walk): Taken {
  const { finality, recover } = walk;
  const rest = dropKnown(chain, finality, batch.headers);
  if (!rest.ok) return refusedBy(CONSENSUS_CHECKS, rest, `headers of ${batch.path}`);
  const at = batch.headers.length - rest.headers.length;
  const from = batch.numbers[at];
  if (from === undefined) return { ok: true, chain };
  if (rest.conflicting) return conflictOf(chain, batch, at, walk);
  if (from > chain.head.number + 1) return { ok: true, chain: undefined };
  const proof = verifyHeaders(chain, finality, rest.headers, recover);
  if (!proof.ok) {
    if (proof.code === 'NOT_FINAL_YET') return { ok: true, chain: undefined };
    return refusedHeader(proof, batch, at + faultAt(chain, rest.headers, walk));
  }
  for (const [i, { number }] of proof.blocks.entries()) {
    const header = rest.headers[i];
    if (header !== undefined) walk.headers.set(number, header);
  }
  return { ok: true, chain: proof.chain };
}

const refusedHeader = (refusal: ConsensusRefusal, batch: Batch, at: number): Refusal =>
  refusedBy(CONSENSUS_CHECKS, refusal, `${placeOf(batch, at)}, block ${batch.numbers[at]}`);

/** Another block at the height of one that was verified: a forgery, or the network broke its own promise. */
function conflictOf(chain: TrackedChain, batch: Batch, at: number, { finality, recover }: Walk): Taken {
  const number = batch.numbers[at];
  const refuse = (detail: string): Refusal =>
    refusedBy(EVIDENCE_CHECKS, { ok: false, check: 'block', code: 'BLOCK_CONFLICTS', detail }, placeOf(batch, at));
  if (number === finality.checkpoint.blockNumber) {
    return refuse(`block ${number} is not the one that the genesis has for its checkpoint`);
  }
  const conflict = verifyConflict(chain, finality, batch.headers.slice(at), recover);
  if (conflict.ok) {
    const { trackedHash, otherHash } = conflict;
    return refuse(`block ${number} is sealed twice, ${trackedHash} and ${otherHash}: the network proves nothing`);
  }
  if (conflict.code === 'NOT_FINAL_YET') return { ok: true, chain: undefined };
  return refusedHeader(conflict, batch, at);
}

/** Which header a run of them is refused for: the first that is in no run which holds. */
function faultAt(chain: TrackedChain, headers: readonly Uint8Array[], { finality, recover }: Walk): number {
  let sound = 0;
  let faulty = headers.length;
  while (faulty - sound > 1) {
    const middle = Math.floor((sound + faulty) / 2);
    const proof = verifyHeaders(chain, finality, headers.slice(0, middle), recover);
    if (proof.ok || proof.code === 'NOT_FINAL_YET') sound = middle;
    else faulty = middle;
  }
  return faulty - 1;
}
