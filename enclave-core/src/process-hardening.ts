/**
 * What of its surroundings the core refuses: whoever sets the environment, the arguments or the limits of the process is not
 * trusted, and Node offers many ways to look into one or to run code before it. Loaded before anything else, and loads
 * nothing but Node itself: libraries read the environment too, some of them to find native code to run.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { url as inspectorUrl } from 'node:inspector';
import { ServiceError } from './service/service-error.ts';

/**
 * Read by Node, OpenSSL, the C library and its loader before or beside the core: preload hooks, inspectors, tracing, coverage,
 * key logs, other certificate stores, other configuration, channels to a parent process.
 */
const UNSAFE_PREFIXES: readonly string[] = ['NODE_', 'OPENSSL_', 'SSL_', 'LD_', 'DYLD_', 'GLIBC_', 'GCONV_'];
const UNSAFE_VARIABLES: ReadonlySet<string> = new Set(['SSLKEYLOGFILE', 'CTLOG_FILE', 'LOCPATH', 'MALLOC_TRACE']);
const SAFE_VARIABLES: ReadonlySet<string> = new Set([
  'NODE_ENV',
  'NODE_NO_WARNINGS',
  'NODE_DISABLE_COLORS',
  // Of the official container images.
  'NODE_VERSION',
]);
/** All that stays in the environment: no library of ours needs more, and some do things for a variable. */
const KEPT_VARIABLES: ReadonlySet<string> = new Set([
  ...SAFE_VARIABLES,
  ...['HOME', 'LANG', 'LC_ALL', 'PATH', 'TERM', 'TMPDIR', 'TZ', 'UV_THREADPOOL_SIZE'],
]);
/** Arguments of Node itself that production needs. Deny by default: any other may open the process. */
const SAFE_ARGUMENTS: ReadonlySet<string> = new Set([
  '--no-warnings',
  '--enable-source-maps',
  '--conditions=drawbridge-source',
]);

/** Sizes of the engine's memory. */
const SAFE_SIZES = /^--(?:max-semi-space-size|min-semi-space-size|max-old-space-size)=[0-9]+$/;
const isSafeArgument = (arg: string): boolean => SAFE_ARGUMENTS.has(arg) || SAFE_SIZES.test(arg);

export type Surroundings = Readonly<{
  env: Readonly<Record<string, string | undefined>>;
  /** Text of `/proc/self/environ`: with what Node took out once it had followed it; nothing where it cannot be read. */
  environ: string | undefined;
  execArgv: readonly string[];
  /** Text of `/proc/self/limits` and `/proc/self/status`; nothing where it cannot be read. */
  limits: string | undefined;
  status: string | undefined;
  /** Someone can attach, or has. */
  inspected: boolean;
}>;

/** Everything unsafe about a start, in words. Pure. */
export function unsafeSurroundings({ env, environ, execArgv, limits, status, inspected }: Surroundings): string[] {
  const args = execArgv.filter((arg) => !isSafeArgument(arg)).map((arg) => `node is started with ${arg}`);
  return [
    ...variables(env, environ),
    ...args,
    ...dumps(limits),
    ...tracers(status),
    ...(inspected ? ['the inspector listens'] : []),
  ];
}

/**
 * Judges every pair by itself: of a name that stands there twice the loader may follow one and Node show the other.
 */
function variables(env: Surroundings['env'], environ: string | undefined): string[] {
  if (environ === undefined) return ['the environment at the start cannot be read'];
  const atStart = environ.split('\0').filter((pair) => pair !== '');
  const names = atStart.map(nameOf);
  const set = [
    ...names.filter((_, place) => isSet(atStart[place] ?? '')),
    ...Object.keys(env).filter((name) => env[name] !== ''),
  ];
  const found = set.filter(isUnsafe).map((name) => `variable ${name} is set`);
  const repeated = names.filter((name, place) => names.indexOf(name) !== place);
  return [...new Set([...found, ...repeated.map((name) => `variable ${name} stands there twice`)])];
}

const nameOf = (pair: string): string => pair.split('=', 1)[0] ?? '';
const isSet = (pair: string): boolean => pair.length > nameOf(pair).length + 1;

const isUnsafe = (name: string): boolean =>
  !SAFE_VARIABLES.has(name) &&
  (UNSAFE_VARIABLES.has(name) || UNSAFE_PREFIXES.some((prefix) => name.startsWith(prefix)));

function dumps(limits: string | undefined): string[] {
  const soft = /^Max core file size +(\S+)/m.exec(limits ?? '')?.[1];
  if (soft === '0') return [];
  const found = soft === undefined ? 'the limit of core dumps cannot be read' : `core dumps may have ${soft} bytes`;
  return [`${found}; start it after \`ulimit -c 0\`, as a service with LimitCORE=0`];
}

function tracers(status: string | undefined): string[] {
  const tracer = /^TracerPid:\s+([0-9]+)$/m.exec(status ?? '')?.[1];
  if (tracer === '0') return [];
  return [tracer === undefined ? 'whether it is traced cannot be read' : `process ${tracer} traces it`];
}

/**
 * Closes what can be closed from within, then refuses unsafe surroundings unless `development`. What is not refused but
 * unknown leaves the environment, so that nothing that is loaded later sees it.
 * @returns what was unsafe and let pass
 * @throws ServiceError `ENVIRONMENT_UNSAFE`
 */
export function hardenProcess(development: boolean): string[] {
  closeProcess();
  const unsafe = unsafeSurroundings({
    env: process.env,
    environ: textOf('/proc/self/environ'),
    execArgv: process.execArgv,
    limits: textOf('/proc/self/limits'),
    status: textOf('/proc/self/status'),
    inspected: inspectorUrl() !== undefined,
  });
  if (development) return unsafe;
  if (unsafe.length > 0) {
    throw new ServiceError(
      'ENVIRONMENT_UNSAFE',
      ['the core does not start here; clear these, or start with --development to look into it:', ...unsafe].join('\n'),
    );
  }
  for (const name of Object.keys(process.env)) if (!KEPT_VARIABLES.has(name)) delete process.env[name];
  return unsafe;
}

/** For every command, whatever surrounds it. */
export function closeProcess(): void {
  if (process.report) {
    process.report.reportOnFatalError = false;
    process.report.reportOnSignal = false;
    process.report.reportOnUncaughtException = false;
  }
  // Without a listener SIGUSR1 starts the inspector.
  process.on('SIGUSR1', () => undefined);
  process.umask(0o077);
  leaveDumpsEmpty();
}

/** A dump that is piped to a program is made whatever the limit says; what it contains is the process's own to say (core(5)). */
function leaveDumpsEmpty(): void {
  try {
    writeFileSync('/proc/self/coredump_filter', '0');
  } catch (error) {
    // Not on this system, or not to be written: then the limit alone counts, which is looked at.
    if (!(error instanceof Error)) throw error;
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
