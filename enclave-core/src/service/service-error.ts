export type ServiceErrorCode =
  | 'SERVICE_ARGUMENTS'
  | 'NODE_MISSING'
  | 'FOLDER_FORMER'
  | 'NOT_JOINED'
  | 'JOIN_REFUSED'
  | 'JOIN_UNANSWERED'
  | 'GENESIS_INVALID'
  | 'GENESIS_MISMATCH'
  | 'GENESIS_MISSING'
  | 'ENVIRONMENT_UNSAFE';

/** A service or node cannot be made or started as asked; the message says what to do, line by line where several things are wrong. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: ServiceErrorCode;

  constructor(code: ServiceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
