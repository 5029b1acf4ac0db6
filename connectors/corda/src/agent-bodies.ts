/** What stands in replies, events and health before sealing; commands likewise. Forms: docs/corda-agent-protocol.md. */
import { type Bytes32, toBytes32, toHex } from '@drawbridge/protocol/bytes32';
import { type AgentValue, decodeAgentBody, encodeAgentBody } from './agent-cbor.ts';

const VERSION = 1;
const INSTANCE_BYTES = 16;
const CODE = /^[A-Z_]{1,40}$/;

/** `code` and `detail` are words in capitals, never content. */
export type AgentReply =
  | Readonly<{ ok: true; result: readonly AgentValue[] }>
  | Readonly<{ ok: false; code: string; detail: string }>;

/** A transaction that makes a state of a served vault. `evidence` is empty where the agent could not make it. */
export type AgentEvent = Readonly<{
  vault: Bytes32;
  transaction: Bytes32;
  recordedAtMs: number;
  evidence: Uint8Array;
}>;

/** Times are Unix ms by the agent's clock. */
export type AgentHealth = Readonly<{
  /** Hex, drawn when the agent started. */
  instance: string;
  sequence: number;
  sinceMs: number;
  nodeUp: boolean;
  cursorMs: number;
  inFlight: number;
  platformVersion: number;
  /** A code, or empty. */
  lastError: string;
}>;

export const encodeCommand = (verb: string, args: readonly AgentValue[]): Uint8Array =>
  encodeAgentBody([VERSION, verb, args]);

/** @returns nothing for a body of another form. */
export function decodeReply(bytes: Uint8Array): AgentReply | undefined {
  const body = versioned(bytes);
  if (body === undefined) return undefined;
  if (body.length === 3 && body[1] === true && isList(body[2])) return { ok: true, result: body[2] };
  const [, ok, code, detail] = body;
  if (body.length !== 4 || ok !== false || !isCode(code)) return undefined;
  return detail === '' || isCode(detail) ? { ok: false, code, detail } : undefined;
}

/** @returns nothing for a body of another form. */
export function decodeEvent(bytes: Uint8Array): AgentEvent | undefined {
  const body = versioned(bytes);
  if (body?.length !== 5) return undefined;
  const [, vault, transaction, recordedAtMs, evidence] = body;
  if (!isWord(vault) || !isWord(transaction) || !isCount(recordedAtMs)) return undefined;
  if (!(evidence instanceof Uint8Array)) return undefined;
  return { vault: toBytes32(vault), transaction: toBytes32(transaction), recordedAtMs, evidence };
}

/** @returns nothing for a body of another form. */
export function decodeHealth(bytes: Uint8Array): AgentHealth | undefined {
  const body = versioned(bytes);
  if (body?.length !== 9) return undefined;
  const [, instance, sequence, sinceMs, nodeUp, cursorMs, inFlight, platformVersion, lastError] = body;
  if (!(instance instanceof Uint8Array) || instance.length !== INSTANCE_BYTES) return undefined;
  if (!isCount(sequence) || !isCount(sinceMs) || !isCount(cursorMs)) return undefined;
  if (!isCount(inFlight) || !isCount(platformVersion) || typeof nodeUp !== 'boolean') return undefined;
  if (lastError !== '' && !isCode(lastError)) return undefined;
  const numbers = { sequence, sinceMs, cursorMs, inFlight, platformVersion };
  return { instance: toHex(instance).slice(2), ...numbers, nodeUp, lastError };
}

function versioned(bytes: Uint8Array): readonly AgentValue[] | undefined {
  const body = decodeAgentBody(bytes);
  return body?.[0] === VERSION ? body : undefined;
}

export const isList = (value: AgentValue | undefined): value is readonly AgentValue[] => Array.isArray(value);
export const isWord = (value: AgentValue | undefined): value is Uint8Array =>
  value instanceof Uint8Array && value.length === 32;
export const isCount = (value: AgentValue | undefined): value is number => typeof value === 'number';
const isCode = (value: AgentValue | undefined): value is string => typeof value === 'string' && CODE.test(value);
