/**
 * Checks one recording with the verifiers of `evidence/`: every header under the set that the headers before it voted, every
 * receipt under its root, and each thing that the recording says against what is computed.
 */
import { recoverSealer } from '@drawbridge/enclave-core/relay/secp256k1';
import { type ChainFront, nextValidators, verifyHeaders } from '@drawbridge/evidence/tracked-chain';
import { MAX_HEADERS } from '@drawbridge/protocol/consensus-evidence';
import { type Computed, checkExpected, checkNodeAnswer, computedOf, rootComputed, sameSet } from './computed-header.ts';
import { headerRlp } from './recorded-header.ts';
import { checkExampleProof, checkPrivateView, checkReceipts } from './recorded-receipts.ts';
import {
  addressesOf,
  addressOf,
  type Fields,
  fault,
  fieldsOf,
  isFields,
  listOf,
  numberOf,
  type Recording,
  recorded,
  unknownShape,
  wordOf,
} from './recording.ts';
import { parametersOf, parentOf, type Root, rootAt } from './trust-root.ts';

/** Where the trust root's set is recorded. */
const TRUSTED = ['trustedValidators', 'trustedSigners'] as const;
/** Where the set after the last header is. */
const AT_END = ['signersAtEnd', 'validatorsAtEnd'] as const;

/** @throws RecordingFault for the first thing that is refused, or not as recorded. */
export async function checkRecording(recording: Recording): Promise<void> {
  const { block, headers } = recording.data;
  if (!recorded(block) && !recorded(headers)) return unknownShape();
  if (recorded(block)) await checkBlock(recording, fieldsOf(block, 'block'));
  if (recorded(headers)) {
    const items = listOf(headers, 'headers').map((header) => fieldsOf(header, 'header'));
    await checkRange(recording, items);
  }
}

const countIs = (expected: unknown, found: number, what: string): void => {
  if (recorded(expected) && numberOf(expected, what) !== found) fault(`there are ${found} ${what}, not as recorded`);
};

async function checkBlock(recording: Recording, block: Fields): Promise<void> {
  const { entry, data } = recording;
  const [computed = fault('there is no header')] = chainOf(recording, [block]).computed;
  if (recorded(entry.block)) countIs(entry.block, computed.number, 'as number of the block');
  checkExpected(computed, entry);
  if (isFields(data.expected)) checkExpected(computed, data.expected);
  if (isFields(data.istanbulSigners)) checkNodeAnswer(computed, data.istanbulSigners);
  if (recorded(data.receipts)) countIs(entry.receipts, listOf(data.receipts, 'receipts').length, 'receipts');
  await checkContent(data, block, computed);
}

/** Receipts of a block and proofs of them, where they are recorded. */
async function checkContent(content: Fields, block: Fields, { receiptsRoot }: Computed): Promise<void> {
  if (recorded(content.receipts)) {
    const receipts = listOf(content.receipts, 'receipts');
    if (Array.isArray(block.transactions)) countIs(block.transactions.length, receipts.length, 'receipts');
    await checkReceipts(receipts, receiptsRoot);
  }
  if (recorded(content.participantReceipts)) {
    await checkPrivateView(listOf(content.participantReceipts, 'participantReceipts'), receiptsRoot);
  }
  if (isFields(content.exampleProof)) checkExampleProof(content.exampleProof, receiptsRoot);
}

type Chain = Readonly<{
  computed: readonly Computed[];
  /** The set after each header. */
  sets: readonly (readonly string[])[];
}>;

/** Verifies headers that follow one another, from the set at the parent of the first or from the first. */
function chainOf(recording: Recording, headers: readonly Fields[]): Chain {
  const [first = fault('there are no headers')] = headers;
  const rlps = headers.map((header) => headerRlp(header));
  const trusted = TRUSTED.map((name) => recording.data[name]).find(recorded);
  const computed: Computed[] = [];
  let root: Root;
  if (trusted !== undefined && numberOf(first.number, 'number') > 0) {
    const validators = addressesOf(trusted, 'trusted validators');
    root = rootAt(recording, headers, { ...parentOf(first), validators });
  } else {
    const parameters = parametersOf(recording, headers);
    const { validators, ...listed } = rootComputed(rlps[0] ?? new Uint8Array(), parameters);
    computed.push(listed);
    const timestampS = numberOf(first.timestamp, 'timestamp');
    root = rootAt(recording, headers, { blockNumber: listed.number, blockHash: listed.hash, timestampS, validators });
  }
  const following = rlps.slice(computed.length);
  verifyInBatches(root, following);
  let front: ChainFront = root.chain;
  const sets = computed.map(() => nextValidators(front));
  for (const rlp of following) {
    const next = computedOf(rlp, front, root.finality);
    computed.push(next.computed);
    front = next.front;
    sets.push(nextValidators(front));
  }
  for (const [at, header] of headers.entries()) {
    if (recorded(header.hash) && wordOf(header.hash, 'hash') !== computed[at]?.hash) {
      fault(`block ${computed[at]?.number} does not have the hash that is recorded`);
    }
  }
  return { computed, sets };
}

/**
 * As the core takes them. With rule `clique` the last blocks of a recording have too little stacked on them to be taken:
 * that is no fault of theirs, and they are checked one by one as well.
 */
function verifyInBatches({ chain, finality }: Root, rlps: readonly Uint8Array[]): void {
  let tracked = chain;
  let waiting = rlps;
  while (waiting.length > 0) {
    const result = verifyHeaders(tracked, finality, waiting.slice(0, MAX_HEADERS / 4), recoverSealer);
    if (!result.ok) {
      if (result.code === 'NOT_FINAL_YET') return;
      return fault(`${result.code}: ${result.detail}`);
    }
    tracked = result.chain;
    waiting = waiting.slice(result.blocks.length);
  }
}

async function checkRange(recording: Recording, headers: readonly Fields[]): Promise<void> {
  const { entry, data } = recording;
  countIs(entry.headers, headers.length, 'headers');
  const { computed, sets } = chainOf(recording, headers);
  const each = (name: string, check: (item: unknown, at: number) => void): void => {
    if (!recorded(data[name])) return;
    const items = listOf(data[name], name);
    if (items.length !== headers.length) fault(`${name} does not have an item for each header`);
    for (const [at, item] of items.entries()) if (recorded(item)) check(item, at);
  };
  const of = (at: number): Computed => computed[at] ?? fault('there is no such header');
  each('nodeSigners', (item, at) => {
    if (addressOf(item, 'signer') !== of(at).proposer) fault(`block ${of(at).number} has another sealer`);
  });
  each('istanbulSigners', (item, at) => checkNodeAnswer(of(at), fieldsOf(item, 'istanbulSigners')));
  for (const name of ['validatorsAfter', 'signersAfter']) {
    each(name, (item, at) => {
      if (!sameSet(addressesOf(item, name), sets[at] ?? [])) fault(`another set follows block ${of(at).number}`);
    });
  }
  for (const name of AT_END) {
    if (!recorded(data[name])) continue;
    if (!sameSet(addressesOf(data[name], name), sets.at(-1) ?? [])) fault('another set follows the last header');
  }
  if (recorded(data.blocks)) for (const item of listOf(data.blocks, 'blocks')) await checkBlockOf(computed, item);
}

/** A block of the range: its receipts under the root of its header. */
async function checkBlockOf(computed: readonly Computed[], item: unknown): Promise<void> {
  const block = fieldsOf(item, 'block');
  const number = numberOf(block.number, 'number');
  const found = computed.find((header) => header.number === number) ?? fault(`block ${number} is not in the range`);
  checkExpected(found, { hash: block.hash });
  await checkContent(block, block, found);
}
