/** What went wrong with a command, in words for whoever typed it. `exitCode`: 1 refused, 2 could not be tried. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code: 'USAGE' | 'FILE' | 'PROFILE' | 'HEADERS' | 'EARLIER' | 'REFUSED' | 'UNREACHABLE';
  readonly exitCode: 1 | 2;

  constructor(code: CliError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.exitCode = code === 'REFUSED' ? 1 : 2;
  }
}
