/**
 * Canonical bytes of the whole state: CBOR of lists, rows in rising order of their keys, so that equal states have equal
 * bytes however they came about. Holds secrets and balances in clear: whoever stores it encrypts it. Both ways derive
 * all balances again (`assertAll`).
 */
import { vaultKey } from '@drawbridge/protocol/ids';
import { ProtocolError } from '@drawbridge/protocol/protocol-error';
import { concatBytes } from '@noble/hashes/utils.js';
import { decode, encode } from 'cborg';
import { bookTuple, coinTuple, readBook, readCoin, readRecord, recordTuple } from './book-tuples.ts';
import { chainTuple, readChain } from './chain-tuple.ts';
import { InvariantError } from './invariant-error.ts';
import { assertAll } from './invariants.ts';
import { accountKey, coinKey, lockKey, type PastKey, transferKey } from './keys.ts';
import { readRegistry, registryTuple } from './registry-tuple.ts';
import {
  accountTuple,
  instructionTuple,
  limitsTuple,
  liveTransferTuple,
  partyTuple,
  readAccount,
  readInstruction,
  readLimits,
  readLiveTransfer,
  readParty,
  readReference,
  readSecrets,
  readUnmatched,
  readVaultRow,
  referenceTuple,
  secretsTuple,
  unmatchedTuple,
  vaultTuple,
} from './row-tuples.ts';
import { SpentIds } from './spent-ids.ts';
import { SettlementState } from './state.ts';
import { readNetworkId } from './terms-tuple.ts';
import {
  bytesOf,
  type Cbor,
  CodecError,
  readBytes,
  readBytes32,
  readList,
  readText,
  readTuple,
  readWhole,
  TupleError,
} from './tuples.ts';

const VERSION = 1;
const FIELDS = 17;
/**
 * With a field more for the books of Corda vaults; a state without any keeps the first form. 2 was that of books without the proof of
 * how their vault was made; no release had it.
 */
const VERSION_WITH_BOOKS = 3;
const SHARDS = 256;
/** Rows of one table, when they are read back. */
const MAX_ROWS = 50_000_000;

/** Rows of one slice. */
const ROWS_PER_SLICE = 512;

/** @throws InvariantError when the state contradicts itself. */
export function encodeSnapshot(state: SettlementState): Uint8Array {
  return concatBytes(...[...snapshotSlices(state)].flat());
}

type Slices = Generator<readonly Uint8Array[], void, undefined>;

/** To be read once. `release`: for who may not read it to its end. */
export type CapturedSlices = Readonly<{ [Symbol.iterator]: () => Slices; release: () => void }>;

/**
 * The same bytes in slices, so that a large state does not hold up everything else: all is captured by the call, and what
 * changes later is not in it. Capturing is O(live rows); the spent ids, the bulk, cost nothing.
 * @throws InvariantError
 */
export function snapshotSlices(state: SettlementState): CapturedSlices {
  assertAll(state);
  const { header } = state;
  const hasBooks = state.books.size > 0;
  const head = [
    hasBooks ? VERSION_WITH_BOOKS : VERSION,
    bytesOf(state.serviceId),
    secretsTuple(state.secrets),
    limitsTuple(state.limits),
    header.stampMs,
    header.nextOrder,
    registryTuple(header.registry),
  ].map((field) => encode(field));
  const tables = [
    captured(state.accounts, (_, account) => accountTuple(account)),
    captured(state.vaults, (key, row) => vaultTuple(key, row)),
    captured(state.transfers, liveTransferTuple),
    captured(state.references, referenceTuple),
    captured(state.pastReferences, (key, reference) => [key, bytesOf(reference)]),
    captured(state.unmatched, (_, lock) => unmatchedTuple(lock)),
    captured(state.instructions, (_, instruction) => instructionTuple(instruction)),
    captured(state.chains, chainTuple),
  ];
  const parties = captured(state.parties, partyTuple);
  const outboxEnds = captured(state.outboxEnds, (network, end) => [network, end]);
  const books = [
    captured(state.books, bookTuple),
    captured(state.coinRows, coinTuple),
    captured(state.recordRows, recordTuple),
  ];
  const spent = state.spent.capture();
  const slices = function* (): Slices {
    yield [listHead(hasBooks ? FIELDS + 1 : FIELDS), ...head];
    for (const table of tables) yield* tableSlices(table);
    yield [listHead(2)];
    yield* tableSlices(parties);
    yield* tableSlices(outboxEnds);
    yield [listHead(spent.shards)];
    for (const shard of spent.encode()) yield [bytesHead(shard.length), shard];
    if (!hasBooks) return;
    yield [listHead(books.length)];
    for (const table of books) yield* tableSlices(table);
  };
  return { [Symbol.iterator]: slices, release: spent.release };
}

/** A table's rows as they are now; rows never change, they are replaced. */
type Captured = Readonly<{ size: number; rows: () => Generator<Uint8Array> }>;

function captured<K extends string, V>(rows: ReadonlyMap<K, V>, write: (key: K, value: V) => Cbor): Captured {
  const entries = [...rows];
  return {
    size: entries.length,
    rows: function* () {
      entries.sort(([a], [b]) => (a < b ? -1 : 1));
      for (const [key, value] of entries) yield encode(write(key, value));
    },
  };
}

function* tableSlices({ size, rows }: Captured): Slices {
  let slice = [listHead(size)];
  for (const row of rows()) {
    slice.push(row);
    if (slice.length < ROWS_PER_SLICE) continue;
    yield slice;
    slice = [];
  }
  yield slice;
}

/** Head of a list of CBOR items (RFC 8949 §3.1, major type 4); the items follow one by one. */
const listHead = (length: number): Uint8Array => itemHead(0x80, length);
/** Head of a byte string (major type 2). */
const bytesHead = (length: number): Uint8Array => itemHead(0x40, length);

/** In its shortest form. */
function itemHead(major: number, length: number): Uint8Array {
  if (length < 24) return Uint8Array.of(major | length);
  if (length < 2 ** 8) return Uint8Array.of(major | 24, length);
  if (length < 2 ** 16) return Uint8Array.of(major | 25, length >>> 8, length & 0xff);
  return Uint8Array.of(major | 26, length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff);
}

/** @throws CodecError `SNAPSHOT_INVALID` for bytes that are no snapshot or hold a state that contradicts itself. */
export function decodeSnapshot(bytes: Uint8Array): SettlementState {
  try {
    const state = readState(
      decode(bytes, { strict: true, allowIndefinite: false, allowUndefined: false, rejectDuplicateMapKeys: true }),
    );
    assertAll(state);
    return state;
  } catch (cause) {
    throw new CodecError('SNAPSHOT_INVALID', `snapshot has another form: ${reasonOf(cause)}`, { cause });
  }
}

const reasonOf = (cause: unknown): string =>
  cause instanceof TupleError || cause instanceof ProtocolError || cause instanceof InvariantError
    ? cause.message
    : 'not as it was written';

function readState(value: unknown): SettlementState {
  const hasBooks = Array.isArray(value) && value[0] === VERSION_WITH_BOOKS;
  const fields = readTuple(value, hasBooks ? FIELDS + 1 : FIELDS);
  if (!hasBooks && fields[0] !== VERSION) throw new TupleError('snapshot version is unknown');
  const state = new SettlementState({
    serviceId: readBytes32(fields[1]),
    secrets: readSecrets(fields[2]),
    limits: readLimits(fields[3]),
    header: { stampMs: readWhole(fields[4]), nextOrder: readWhole(fields[5]), registry: readRegistry(fields[6]) },
    spent: SpentIds.fromShards(readList(fields[16], SHARDS).map(readBytes)),
  });
  for (const row of readRows(fields[7])) {
    const account = readAccount(row);
    state.putAccount(accountKey(account.participant, account.asset), account);
  }
  for (const row of readRows(fields[8])) state.vaults.set(...readVaultRow(row));
  for (const row of readRows(fields[9])) {
    const live = readLiveTransfer(row);
    const { debtor, id } = live.transfer.terms;
    state.putTransfer(transferKey(debtor, id), live);
  }
  for (const row of readRows(fields[10])) state.references.set(...readReference(row));
  for (const row of readRows(fields[11])) {
    const [key, reference] = readTuple(row, 2);
    state.pastReferences.set(readText(key) as PastKey, readBytes32(reference));
  }
  for (const row of readRows(fields[12])) {
    const lock = readUnmatched(row);
    state.unmatched.set(lockKey(vaultKey(lock.network, lock.asset), lock.lockId), lock);
  }
  for (const row of readRows(fields[13])) {
    const instruction = readInstruction(row);
    state.putInstruction(instruction.id, instruction);
  }
  for (const row of readRows(fields[14])) state.chains.set(...readChain(row));
  const [parties, outboxEnds] = readTuple(fields[15], 2);
  for (const row of readRows(parties)) state.parties.set(...readParty(row));
  for (const row of readRows(outboxEnds)) {
    const [network, end] = readTuple(row, 2);
    state.outboxEnds.set(readNetworkId(network), readWhole(end));
  }
  if (hasBooks) readBooks(state, fields[17]);
  return state;
}

function readBooks(state: SettlementState, value: unknown): void {
  const [books, coins, records] = readTuple(value, 3);
  for (const row of readRows(books)) state.books.set(...readBook(row));
  for (const row of readRows(coins)) {
    const coin = readCoin(row);
    state.coinRows.set(coinKey(coin.vault, coin.ref), coin);
  }
  for (const row of readRows(records)) state.recordRows.set(...readRecord(row));
}

const readRows = (value: unknown): readonly unknown[] => readList(value, MAX_ROWS);
