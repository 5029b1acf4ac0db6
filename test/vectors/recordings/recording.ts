/**
 * Reading what nodes answered, as JSON: `manifest.json` and the files that it names. Keys that are not known are let be;
 * what is needed and missing or of another form is a `RecordingFault`.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Bytes32, fromHex, type Hex, parseBytes32, parseHex } from '@drawbridge/protocol/bytes32';
import { CONSENSUS_RULES, type ConsensusRule } from '@drawbridge/protocol/consensus-evidence';
import { type EvmAddress, parseEvmAddress } from '@drawbridge/protocol/ids';

/** What is recorded is refused, or is not what is computed. */
export class RecordingFault extends Error {
  override readonly name = 'RecordingFault';
  readonly code = 'RECORDING_FAULT' as const;
}
/** Nothing can be said of a recording: it is not the file of the manifest, or of a kind that is unknown. */
export class RecordingUnusable extends Error {
  override readonly name = 'RecordingUnusable';
  readonly code = 'RECORDING_UNUSABLE' as const;
}

export const fault = (message: string): never => {
  throw new RecordingFault(message);
};
const unusable = (message: string): never => {
  throw new RecordingUnusable(message);
};

/** A JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
export function fieldsOf(value: unknown, what: string): Fields {
  return isFields(value) ? value : fault(`${what} is not an object`);
}
export function listOf(value: unknown, what: string): readonly unknown[] {
  return Array.isArray(value) ? value : fault(`${what} is not a list`);
}
/** `null` and a missing key are the same: nothing was recorded. */
export const recorded = (value: unknown): boolean => value !== undefined && value !== null;

/** A hex quantity, as JSON-RPC has it, or a JSON number. */
export function quantityOf(value: unknown, what: string): bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  if (typeof value === 'string' && /^(0x[0-9a-fA-F]+|[0-9]+)$/.test(value)) return BigInt(value);
  return fault(`${what} is not a quantity`);
}
export function numberOf(value: unknown, what: string): number {
  const quantity = quantityOf(value, what);
  return quantity <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(quantity) : fault(`${what} is too large`);
}
const textOf = (value: unknown, what: string): string =>
  typeof value === 'string' ? value : fault(`${what} is not text`);
export const hexOf = (value: unknown, what: string): Hex => parseHex(textOf(value, what), what);
export const bytesOf = (value: unknown, what: string): Uint8Array => fromHex(hexOf(value, what));
export const wordOf = (value: unknown, what: string): Bytes32 => parseBytes32(textOf(value, what), what);
export const addressOf = (value: unknown, what: string): EvmAddress => parseEvmAddress(textOf(value, what));
export const addressesOf = (value: unknown, what: string): EvmAddress[] =>
  listOf(value, what).map((item) => addressOf(item, `each of ${what}`));

/** One entry of the manifest with the file that it is about. */
export type Recording = Readonly<{ rule: ConsensusRule; entry: Fields; data: Fields }>;
/** A transaction of Corda with its signatures. */
export type CordaRecording = Readonly<{ rule: 'corda-notary'; entry: Fields; data: Fields }>;

function readable(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    return unusable(`${basename(path)} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}
function jsonOf(bytes: Uint8Array, what: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return unusable(`${what} is not JSON`);
  }
  return isFields(value) ? value : unusable(`${what} is not an object`);
}

/** The entries of `manifest.json` in `folder`. @throws RecordingUnusable when there is no such manifest. */
export function manifestEntries(folder: string): readonly Fields[] {
  const { vectors } = jsonOf(readable(join(folder, 'manifest.json')), 'manifest.json');
  if (!Array.isArray(vectors) || !vectors.every(isFields)) return unusable('manifest.json has no list of vectors');
  return vectors;
}

/** The file of an entry. @throws RecordingUnusable unless it has the bytes that the manifest counted and hashed. */
function fileOf(folder: string, entry: Fields): Uint8Array {
  const name = entry.file;
  if (typeof name !== 'string' || name !== basename(name)) return unusable('file is not a name in the folder');
  const bytes = readable(join(folder, name));
  if (recorded(entry.bytes) && bytes.length !== entry.bytes) {
    unusable(`${name} has ${bytes.length} bytes, the manifest says ${String(entry.bytes)}`);
  }
  if (recorded(entry.sha256) && createHash('sha256').update(bytes).digest('hex') !== entry.sha256) {
    unusable(`${name} does not have the SHA-256 of the manifest`);
  }
  return bytes;
}

const isRule = (value: unknown): value is ConsensusRule => CONSENSUS_RULES.some((rule) => rule === value);

/** Reads an entry's file. @throws RecordingUnusable for another file than the manifest's and for an unknown rule. */
export function recordingOf(folder: string, entry: Fields): Recording | CordaRecording {
  const data = jsonOf(fileOf(folder, entry), String(entry.file));
  const rule = [entry.rule, entry.format, data.rule, data.algo].find(recorded);
  if (rule === 'corda-notary' || (rule === undefined && recorded(data.txId) && recorded(data.sigs))) {
    return { rule: 'corda-notary', entry, data };
  }
  return isRule(rule) ? { rule, entry, data } : unusable(`rule ${JSON.stringify(rule) ?? 'none'} is unknown`);
}

/** @throws RecordingUnusable, since what is recorded is neither a block nor a range of headers. */
export const unknownShape = (): never => unusable('the file has neither a block nor headers');
