/** What an operation answers instead of a result, in Cactus's forms. */
import { STATUS_CODES } from 'node:http';

export type CactusErrorCode =
  | 'REQUEST_INVALID'
  | 'REQUEST_TOO_LARGE'
  | 'REQUEST_UNSUPPORTED'
  | 'NOT_FOUND'
  | 'UNAUTHORIZED'
  | 'FORBIDDEN'
  | 'CREDENTIAL_REFUSED'
  | 'KEYCHAIN_NOT_FOUND'
  | 'KEYCHAIN_ENTRY_NOT_FOUND'
  | 'KEYCHAIN_ENTRY_UNUSABLE'
  | 'CONTRACT_UNUSABLE'
  | 'ARGUMENTS_INVALID'
  | 'PRIVATE_TRANSACTIONS_UNAVAILABLE'
  | 'TRANSACTION_MANAGER_UNAVAILABLE'
  | 'FEE_ABOVE_LIMIT'
  | 'GAS_ABOVE_LIMIT'
  | 'NUMBER_ABOVE_LIMIT'
  | 'REVERTED'
  | 'NODE_REFUSED'
  | 'LEDGER_UNAVAILABLE'
  | 'RECEIPT_TIMEOUT'
  | 'BUSY'
  | 'ANSWER_TOO_LARGE'
  | 'METHOD_NOT_ALLOWED'
  | 'INTERNAL';

const STATUS: Readonly<Record<CactusErrorCode, number>> = {
  REQUEST_INVALID: 400,
  REQUEST_TOO_LARGE: 413,
  REQUEST_UNSUPPORTED: 501,
  NOT_FOUND: 404,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  CREDENTIAL_REFUSED: 403,
  KEYCHAIN_NOT_FOUND: 404,
  KEYCHAIN_ENTRY_NOT_FOUND: 404,
  KEYCHAIN_ENTRY_UNUSABLE: 500,
  CONTRACT_UNUSABLE: 400,
  ARGUMENTS_INVALID: 400,
  PRIVATE_TRANSACTIONS_UNAVAILABLE: 501,
  TRANSACTION_MANAGER_UNAVAILABLE: 503,
  FEE_ABOVE_LIMIT: 400,
  GAS_ABOVE_LIMIT: 400,
  NUMBER_ABOVE_LIMIT: 500,
  REVERTED: 500,
  NODE_REFUSED: 500,
  LEDGER_UNAVAILABLE: 503,
  RECEIPT_TIMEOUT: 504,
  BUSY: 503,
  ANSWER_TOO_LARGE: 500,
  METHOD_NOT_ALLOWED: 403,
  INTERNAL: 500,
};

/** Known to the sender in full: its message holds nothing that the sender may not see. */
export class CactusError extends Error {
  override readonly name = 'CactusError';
  readonly code: CactusErrorCode;
  readonly status: number;
  /** Public facts, such as the hash of a transaction whose receipt did not come. */
  readonly details: Readonly<Record<string, string>>;

  constructor(
    code: CactusErrorCode,
    message: string,
    options: ErrorOptions & { details?: Readonly<Record<string, string>> } = {},
  ) {
    super(message, options);
    this.code = code;
    this.status = STATUS[code];
    this.details = options.details ?? {};
  }
}

export type ErrorBody = Readonly<{ message: string; error: string }>;

/** Anything else than a CactusError is told by nothing but that it happened: its text could hold a key. */
export const asCactusError = (error: unknown): CactusError =>
  error instanceof CactusError ? error : new CactusError('INTERNAL', 'an error of the connector', { cause: error });

/** `{message: reason of the status, error: the exception as JSON text}`: Cactus's form, without a stack. */
export function errorBody(error: CactusError): ErrorBody {
  const { name, code, message, details } = error;
  return { message: STATUS_CODES[error.status] ?? 'Error', error: JSON.stringify({ name, code, message, ...details }) };
}

/** One fault of a request; a list of them, bare, is the body of a 400. */
export type RequestFault = Readonly<{ path: string; message: string; errorCode: string }>;

export class RequestFaultsError extends Error {
  override readonly name = 'RequestFaultsError';
  readonly code = 'REQUEST_FAULTS' as const;
  readonly faults: readonly RequestFault[];

  constructor(faults: readonly RequestFault[]) {
    super('the request does not fit its schema');
    this.faults = faults;
  }
}
