/**
 * Canonical bytes of the whole state: CBOR of lists, rows in rising order of their keys, so that equal states have equal
 * bytes however they came about. Holds secrets and balances in clear: whoever stores it encrypts it. Both ways derive
 * all balances again (`assertAll`).
 */
import { vaultKey } from '@drawbridge/protocol/ids';
import { ProtocolError } from '@drawbridge/protocol/protocol-error';
import { decode, encode } from 'cborg';
import { InvariantError } from './invariant-error.ts';
import { assertAll } from './invariants.ts';
import { accountKey, lockKey, type PastKey, transferKey } from './keys.ts';
import { readRegistry, registryTuple } from './registry-tuple.ts';
import {
  accountTuple,
  instructionTuple,
  limitsTuple,
  partyTuple,
  readAccount,
  readInstruction,
  readLimits,
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
import { readNetworkId, readTransfer, transferTuple } from './terms-tuple.ts';
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
const FIELDS = 16;
const SHARDS = 256;
/** Rows of one table, when they are read back. */
const MAX_ROWS = 50_000_000;

/** @throws InvariantError when the state contradicts itself. */
export function encodeSnapshot(state: SettlementState): Uint8Array {
  assertAll(state);
  return encode([
    VERSION,
    bytesOf(state.serviceId),
    secretsTuple(state.secrets),
    limitsTuple(state.limits),
    state.header.stampMs,
    state.header.nextOrder,
    registryTuple(state.header.registry),
    sorted(state.accounts, (_, account) => accountTuple(account)),
    sorted(state.vaults, (key, row) => vaultTuple(key, row)),
    sorted(state.transfers, (_, { transfer, order }) => [order, transferTuple(transfer)]),
    sorted(state.references, referenceTuple),
    sorted(state.pastReferences, (key, reference) => [key, bytesOf(reference)]),
    sorted(state.unmatched, (_, lock) => unmatchedTuple(lock)),
    sorted(state.instructions, (_, instruction) => instructionTuple(instruction)),
    [sorted(state.parties, partyTuple), sorted(state.outboxEnds, (network, end) => [network, end])],
    state.spent.toShards(),
  ]);
}

function sorted<K extends string, V>(rows: ReadonlyMap<K, V>, write: (key: K, value: V) => Cbor): Cbor {
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => write(key, value));
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
  const fields = readTuple(value, FIELDS);
  if (fields[0] !== VERSION) throw new TupleError('snapshot version is unknown');
  const state = new SettlementState({
    serviceId: readBytes32(fields[1]),
    secrets: readSecrets(fields[2]),
    limits: readLimits(fields[3]),
    header: { stampMs: readWhole(fields[4]), nextOrder: readWhole(fields[5]), registry: readRegistry(fields[6]) },
    spent: SpentIds.fromShards(readList(fields[15], SHARDS).map(readBytes)),
  });
  for (const row of readRows(fields[7])) {
    const account = readAccount(row);
    state.putAccount(accountKey(account.participant, account.asset), account);
  }
  for (const row of readRows(fields[8])) state.vaults.set(...readVaultRow(row));
  for (const row of readRows(fields[9])) {
    const [order, tuple] = readTuple(row, 2);
    const transfer = readTransfer(tuple);
    state.putTransfer(transferKey(transfer.terms.debtor, transfer.terms.id), { order: readWhole(order), transfer });
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
  const [parties, outboxEnds] = readTuple(fields[14], 2);
  for (const row of readRows(parties)) state.parties.set(...readParty(row));
  for (const row of readRows(outboxEnds)) {
    const [network, end] = readTuple(row, 2);
    state.outboxEnds.set(readNetworkId(network), readWhole(end));
  }
  return state;
}

const readRows = (value: unknown): readonly unknown[] => readList(value, MAX_ROWS);
