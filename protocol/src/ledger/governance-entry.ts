/**
 * Governance entries, for readers: `[version, stampMs, clockProtected, [[7, number, CBOR of the actions as JSON, [[key,
 * signature] …]] …]]`, of which the core's own codec holds the rules. Here only what stands there is read.
 */
import { type CborFormat, decodeCbor } from '../canonical-cbor.ts';
import { readBytes, readList, readTuple, readWhole, refuseLedger } from './ledger-fields.ts';

export type ReadAmendment = Readonly<{
  number: number;
  /** In the form that is signed. */
  actions: readonly unknown[];
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
const FORMAT: CborFormat = { what: 'governance entry', code: 'LEDGER_INVALID', maxBytes: 32 * 2 ** 20 };

/** `payload` is without the entry's head. @throws ProtocolError `LEDGER_INVALID` */
export function readGovernanceEntry(payload: Uint8Array): GovernanceEntry {
  const [version, stampMs, , commands] = readTuple(decodeCbor(payload, FORMAT), 4, FORMAT.what);
  if (version !== 1) return refuseLedger('governance entry has an unknown version');
  return {
    stampMs: readWhole(stampMs, 0, Number.MAX_SAFE_INTEGER, 'stamp'),
    amendments: readList(commands, MAX_ITEMS, 'commands').map(readAmendment),
  };
}

function readAmendment(value: unknown): ReadAmendment {
  const [type, number, actions, signatures] = readTuple(value, 4, 'amendment');
  if (type !== AMENDMENT) return refuseLedger('governance entry holds something else than amendments');
  const bytes = readBytes(actions, FORMAT.maxBytes, 'actions');
  return {
    number: readWhole(number, 1, Number.MAX_SAFE_INTEGER, 'number of an amendment'),
    actions: readList(decodeCbor(bytes, { ...FORMAT, what: 'actions' }), MAX_ITEMS, 'actions'),
    signatures: readList(signatures, MAX_ITEMS, 'signatures').length,
  };
}
