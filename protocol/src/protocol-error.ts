export type ProtocolErrorCode =
  | 'HEX_INVALID'
  | 'ID_INVALID'
  | 'AMOUNT_INVALID'
  | 'INSTRUCTION_INVALID'
  | 'EVENT_INVALID'
  | 'EVIDENCE_INVALID'
  | 'ENVELOPE_INVALID'
  | 'JOB_INVALID'
  | 'ATTEST_INVALID'
  | 'LEDGER_INVALID'
  | 'RECEIPT_INVALID';

/** Bytes or text that do not have the form that this protocol gives them. The message never repeats confidential content. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: ProtocolErrorCode;

  constructor(code: ProtocolErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Tells an expected refusal from a bug, by name: two copies of this module may meet in one process. */
export const isProtocolError = (error: unknown): error is ProtocolError =>
  error instanceof Error && error.name === 'ProtocolError';
