/** What the core says of one item of evidence, from a check's refusal or from the outcome of its command. */
import type { EvidenceResult } from '../core-service.ts';
import type { Outcome } from '../settlement/command.ts';

export type Refused = Readonly<{ ok: false; code: string; detail: string }>;
export type Checked<T> = Readonly<{ ok: true; value: T }> | Refused;

export const refused = (code: string, detail: string): Refused => ({ ok: false, code, detail });

/** Codes after which the same item can still be accepted later. */
const TRANSIENT: ReadonlySet<string> = new Set([
  'EVENT_EARLY',
  'TRUST_VERSION_STALE',
  'LANE_HALTED',
  'LANE_CLOSED',
  'BLOCK_NOT_TRACKED',
  'HEADERS_STALE',
  'HEADER_AHEAD',
  'HEADER_GAP',
  'NOT_FINAL_YET',
  'HEAD_EXPIRED',
]);
/** Codes of what the core has already. */
const KNOWN: ReadonlySet<string> = new Set(['EVENT_SEEN', 'HEADERS_SEEN']);

export function verdict(jobId: string, outcome: Outcome | Refused): EvidenceResult {
  if (outcome.ok) return { jobId, result: 'accepted' };
  const { code, detail } = outcome;
  const expectedSeq = 'expectedSeq' in outcome ? outcome.expectedSeq : undefined;
  const rest = { code, detail, ...(expectedSeq !== undefined && { expectedSeq }) };
  if (KNOWN.has(code)) return { jobId, result: 'duplicate', ...rest };
  return { jobId, result: TRANSIENT.has(code) ? 'early' : 'refused', ...rest };
}

/** Whoever sends garbage learns its code; anything but a protocol error is a bug and goes on. */
export function protocolRefusal(error: unknown): Refused {
  if (error instanceof Error && error.name === 'ProtocolError' && 'code' in error) {
    return refused(String(error.code), error.message);
  }
  throw error;
}
