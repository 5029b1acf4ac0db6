/**
 * What a log entry carries: a format, a kind, and a body of that kind. Settlement is sealed, since it names parties and
 * amounts; what governs the service can be read by whoever has the files.
 */
import { ENTRY_FORMAT, type LedgerKind, ledgerKind } from '@drawbridge/protocol/ledger/ledger-kind';
import { decodeServiceEntry, encodeServiceEntry, type ServiceEntry } from '@drawbridge/protocol/ledger/service-entry';
import {
  decodeSignatureEntry,
  encodeSignatureEntry,
  type SignatureEntry,
} from '@drawbridge/protocol/ledger/signature-entry';
import { entryType, type Entry as LogEntry } from '../consensus/raft-types.ts';
import type { LedgerKeys } from '../keys/ledger-keys.ts';
import { decodeEntry, encodeEntry } from '../settlement/codec.ts';
import type { Entry } from '../settlement/command.ts';

/** Bytes before the body. */
const HEAD_BYTES = 2;

export type OpenedEntry =
  | Readonly<{ kind: 'settlement' | 'governance'; entry: Entry }>
  | Readonly<{ kind: 'service'; service: ServiceEntry }>
  | Readonly<{ kind: 'signature'; signature: SignatureEntry }>
  /** Raft's own, by which it proceeds. */
  | Readonly<{ kind: 'empty' | 'members' }>;

/** Thrown where an entry of the log cannot be understood: the node must stop, and stay stopped until it is looked into. */
export class EntryUnreadableError extends Error {
  override readonly name = 'EntryUnreadableError';
  readonly code = 'ENTRY_UNREADABLE' as const;
}

/** Amendments travel in entries of their own, which are not sealed. @throws RangeError where they are mixed with others */
export function settlementKind(entry: Entry): 'settlement' | 'governance' {
  const amendments = entry.commands.filter(({ type }) => type === 'amendment').length;
  if (amendments > 0 && amendments < entry.commands.length) throw new RangeError('amendments share no entry');
  return amendments > 0 ? 'governance' : 'settlement';
}

export function sealEntry(keys: LedgerKeys, entry: Entry): Uint8Array {
  const kind = settlementKind(entry);
  const body = encodeEntry(entry);
  return envelope(kind, kind === 'governance' ? body : keys.seal('log', body));
}

export const serviceEnvelope = (entry: ServiceEntry): Uint8Array => envelope('service', encodeServiceEntry(entry));

export const signatureEnvelope = (entry: SignatureEntry): Uint8Array =>
  envelope('signature', encodeSignatureEntry(entry));

function envelope(kind: LedgerKind, body: Uint8Array): Uint8Array {
  const data = Buffer.allocUnsafe(HEAD_BYTES + body.length);
  data[0] = ENTRY_FORMAT;
  data[1] = ledgerKind[kind];
  data.set(body, HEAD_BYTES);
  return data;
}

/** @throws EntryUnreadableError */
export function openEntry(keys: LedgerKeys, { type, data, index }: LogEntry): OpenedEntry {
  if (type !== entryType.normal) return { kind: 'members' };
  if (data.length === 0) return { kind: 'empty' };
  try {
    return open(keys, data);
  } catch (cause) {
    throw new EntryUnreadableError(`log entry ${index} cannot be decrypted or decoded with these keys and version`, {
      cause,
    });
  }
}

function open(keys: LedgerKeys, data: Uint8Array): OpenedEntry {
  if (data[0] !== ENTRY_FORMAT) throw new RangeError('entry format is unknown; a newer version wrote it');
  const body = data.subarray(HEAD_BYTES);
  switch (data[1]) {
    case ledgerKind.settlement:
      return { kind: 'settlement', entry: expectKind('settlement', decodeEntry(keys.open('log', body))) };
    case ledgerKind.governance:
      return { kind: 'governance', entry: expectKind('governance', decodeEntry(body)) };
    case ledgerKind.service:
      return { kind: 'service', service: decodeServiceEntry(body) };
    case ledgerKind.signature:
      return { kind: 'signature', signature: decodeSignatureEntry(body) };
    default:
      throw new RangeError('entry kind is unknown');
  }
}

function expectKind(kind: 'settlement' | 'governance', entry: Entry): Entry {
  if (settlementKind(entry) !== kind) throw new RangeError(`a ${kind} entry holds commands of another kind`);
  return entry;
}
