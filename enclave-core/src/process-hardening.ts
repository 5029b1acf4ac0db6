/**
 * What of its surroundings the core refuses: whoever sets the environment or the arguments of the process is not trusted,
 * and Node offers many ways to look into one or to run code before it.
 */
import { ServiceError } from './service/service-error.ts';

/** Preload hooks, inspectors, tracing and coverage write or run what an outsider chose. */
const UNSAFE_VARIABLES: readonly string[] = [
  'NODE_OPTIONS',
  'NODE_DEBUG',
  'NODE_DEBUG_NATIVE',
  'NODE_V8_COVERAGE',
  'NODE_PATH',
  'NODE_EXTRA_CA_CERTS',
  'NODE_TLS_REJECT_UNAUTHORIZED',
  'NODE_REDIRECT_WARNINGS',
  'NODE_COMPILE_CACHE',
  'SSLKEYLOGFILE',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'OPENSSL_CONF',
  'OPENSSL_MODULES',
  'LD_PRELOAD',
  'LD_AUDIT',
  'LD_LIBRARY_PATH',
];
/** Arguments of Node itself that production needs. Deny by default: any other may open the process. */
const SAFE_ARGUMENTS: ReadonlySet<string> = new Set([
  '--no-warnings',
  '--enable-source-maps',
  '--conditions=drawbridge-source',
]);

/** Everything unsafe about a start, in words. Pure. */
export function unsafeSurroundings(
  env: Readonly<Record<string, string | undefined>>,
  execArgv: readonly string[],
): string[] {
  const variables = UNSAFE_VARIABLES.filter((name) => (env[name] ?? '') !== '').map(
    (name) => `variable ${name} is set`,
  );
  const args = execArgv.filter((arg) => !SAFE_ARGUMENTS.has(arg)).map((arg) => `node is started with ${arg}`);
  return [...variables, ...args];
}

/**
 * Closes what can be closed from within, then refuses unsafe surroundings unless `development`. Core dumps are for the host
 * to forbid (`ulimit -c 0`); Node cannot.
 * @returns what was unsafe and let pass
 * @throws ServiceError `ENVIRONMENT_UNSAFE`
 */
export function hardenProcess(development: boolean): string[] {
  if (process.report) {
    process.report.reportOnFatalError = false;
    process.report.reportOnSignal = false;
    process.report.reportOnUncaughtException = false;
  }
  // Without a listener SIGUSR1 starts the inspector.
  process.on('SIGUSR1', () => undefined);
  process.umask(0o077);
  const unsafe = unsafeSurroundings(process.env, process.execArgv);
  if (unsafe.length > 0 && !development) {
    throw new ServiceError(
      'ENVIRONMENT_UNSAFE',
      ['the core does not start here; clear these, or start with --development to look into it:', ...unsafe].join('\n'),
    );
  }
  return unsafe;
}
