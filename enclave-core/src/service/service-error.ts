export type ServiceErrorCode =
  | 'SERVICE_ARGUMENTS'
  | 'SERVICE_MISSING'
  | 'GENESIS_INVALID'
  | 'GENESIS_MISMATCH'
  | 'GENESIS_MISSING'
  | 'ENVIRONMENT_UNSAFE';

/** A service cannot be made or started as asked; the message says what to do, line by line where several things are wrong. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: ServiceErrorCode;

  constructor(code: ServiceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
