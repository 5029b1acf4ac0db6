/** The trust root of a recording, and the parameters of its network. */
import { type Bytes32, ZERO_BYTES32 } from '@drawbridge/protocol/bytes32';
import { chainFrom, type ConsensusFinality, type TrackedChain } from '@drawbridge/evidence/tracked-chain';
import { fieldCount } from './recorded-header.ts';
import { type Fields, fault, isFields, numberOf, recorded, type Recording, wordOf } from './recording.ts';

/** Where neither the recording nor its description says otherwise. */
const USUAL_EPOCH_LENGTH = 30_000;
const LONG = 2 ** 40;
const MAX_GAP_BLOCKS = 65_536;

/** A number under one of `names`, in the file or in an object of it. */
function parameter(data: Fields, names: readonly string[]): number | undefined {
  for (const fields of [data, ...Object.values(data).filter(isFields)]) {
    for (const name of names) if (recorded(fields[name])) return numberOf(fields[name], name);
  }
  return undefined;
}
/** A number behind a word in the description of the network's shape. */
function described(entry: Fields, word: RegExp): number | undefined {
  const found = typeof entry.shape === 'string' ? word.exec(entry.shape)?.[1] : undefined;
  return found === undefined ? undefined : Number(found);
}

function epochLengthOf({ entry, data }: Recording): number {
  return (
    parameter(data, ['epoch', 'epochLength', 'epochlength', 'epoch_length']) ??
    described(entry, /epoch(?:\s*length)?\s+(\d+)/i) ??
    USUAL_EPOCH_LENGTH
  );
}

/** Where the number of header fields changes, as the headers themselves have it. */
function headerFieldsOf(headers: readonly Fields[]): ConsensusFinality['headerFields'] {
  const changes: { fromBlock: number; count: number }[] = [];
  for (const header of headers) {
    const count = fieldCount(header);
    if (changes.at(-1)?.count === count) continue;
    changes.push({ fromBlock: changes.length === 0 ? 0 : numberOf(header.number, 'number'), count });
  }
  return changes;
}

type Checkpoint = ConsensusFinality['checkpoint'];
/** All of a registration but its checkpoint. */
export type Parameters = Omit<ConsensusFinality, 'checkpoint'>;
export type Root = Readonly<{ chain: TrackedChain; finality: ConsensusFinality }>;

export function parametersOf(recording: Recording, headers: readonly Fields[]): Parameters {
  const { rule, data, entry } = recording;
  const periodS = parameter(data, ['period']) ?? described(entry, /period\s+(\d+)\s*s/i) ?? 0;
  return {
    rule,
    epochLength: epochLengthOf(recording),
    headerFields: headerFieldsOf(headers),
    trustingPeriodS: LONG,
    maxGapBlocks: MAX_GAP_BLOCKS,
    ...(rule === 'clique' && { periodS }),
  };
}

/** A chain that begins at a block pinned by hash, with the set that seals the next. */
export function rootAt(recording: Recording, headers: readonly Fields[], checkpoint: Checkpoint): Root {
  const { validators } = checkpoint;
  if (checkpoint.blockHash === ZERO_BYTES32) fault('the parent has no hash');
  if (validators.length === 0 || new Set(validators).size < validators.length) fault('the trusted set is no set');
  const finality: ConsensusFinality = { ...parametersOf(recording, headers), checkpoint };
  return { finality, chain: chainFrom(finality) };
}

/** The parent of a header, of which only the hash is known. */
export const parentOf = (
  header: Fields,
): Readonly<{ blockNumber: number; blockHash: Bytes32; timestampS: number }> => {
  const number = numberOf(header.number, 'number');
  if (number < 1) fault('the first header has no parent');
  return {
    blockNumber: number - 1,
    blockHash: wordOf(header.parentHash, 'parentHash'),
    timestampS: Math.max(0, numberOf(header.timestamp, 'timestamp') - LONG),
  };
};
