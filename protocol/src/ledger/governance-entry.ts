/**
 * Governance entries, for readers: `[version, stampMs, clockProtected, [[7, number, CBOR of the actions as JSON, [[key,
 * signature] …]] …]]`, of which the core's own codec holds the rules. Here only what stands there is read.
 */
import { type CborFormat, decodeCbor } from '../canonical-cbor.ts';
import { readBytes, readList, readTuple, readWhole, refuseLedger } from './ledger-fields.ts';

/** What JSON can say. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | Readonly<{ [name: string]: JsonValue }>;

export type ReadAmendment = Readonly<{
  number: number;
  /** In the form that is signed. */
  actions: readonly JsonValue[];
  signatures: number;
}>;

/** Whether the core took an amendment or refused it is not in the ledger's readable part. */
export type GovernanceEntry = Readonly<{
  /** Unix ms. */
  stampMs: number;
  amendments: readonly ReadAmendment[];
}>;

const AMENDMENT = 7;
/** More than the core takes, so that this need not change with it. */
const MAX_ITEMS = 65_536;
const MAX_DEPTH = 32;
/** The last moment that a calendar has (ECMA-262, time values). */
const MAX_STAMP_MS = 8.64e15;
const FORMAT: CborFormat = { what: 'governance entry', code: 'LEDGER_INVALID', maxBytes: 32 * 2 ** 20 };

/** `payload` is without the entry's head. @throws ProtocolError `LEDGER_INVALID` */
export function readGovernanceEntry(payload: Uint8Array): GovernanceEntry {
  const [version, stampMs, , commands] = readTuple(decodeCbor(payload, FORMAT), 4, FORMAT.what);
  if (version !== 1) return refuseLedger('governance entry has an unknown version');
  return {
    stampMs: readWhole(stampMs, 0, MAX_STAMP_MS, 'stamp'),
    amendments: readList(commands, MAX_ITEMS, 'commands').map(readAmendment),
  };
}

function readAmendment(value: unknown): ReadAmendment {
  const [type, number, actions, signatures] = readTuple(value, 4, 'amendment');
  if (type !== AMENDMENT) return refuseLedger('governance entry holds something else than amendments');
  const bytes = readBytes(actions, FORMAT.maxBytes, 'actions');
  return {
    number: readWhole(number, 1, Number.MAX_SAFE_INTEGER, 'number of an amendment'),
    actions: readList(decodeCbor(bytes, { ...FORMAT, what: 'actions' }), MAX_ITEMS, 'actions').map((action) =>
      readJsonValue(action),
    ),
    signatures: readList(signatures, MAX_ITEMS, 'signatures').length,
  };
}

/** CBOR says more than JSON: numbers without bound, bytes, infinity. */
function readJsonValue(value: unknown, depth = 0): JsonValue {
  if (depth > MAX_DEPTH) return refuseLedger('actions are nested too deep');
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map((item) => readJsonValue(item, depth + 1));
  if (typeof value !== 'object' || value instanceof Uint8Array) return refuseLedger('actions hold what is no JSON');
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, readJsonValue(field, depth + 1)]));
}
