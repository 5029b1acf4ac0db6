/**
 * `main.ts --config FILE`, the same for every connector: one JSON line on stdout when it is ready, logs on stderr, an end in good
 * order on SIGTERM or SIGINT, at once on a second signal, and errors of whoever wrote the file in words.
 */
import { parseArgs } from 'node:util';
import { type Logger, pino } from 'pino';
import { ConfigError } from './connector-files.ts';
import type { ConnectorMetrics } from './connector-metrics.ts';

const EXIT_CONFIG = 64;

export type ProgramDependencies = Readonly<{
  log: Logger;
  /** Monotonic, ms. */
  now: () => number;
  /** Unix ms. */
  wallClock: () => number;
  random: () => number;
}>;

/** What runs until it is stopped. `cactusUrl`: where Cactus's operations are served, if they are. */
export type RunningProgram = Readonly<{ url: string; cactusUrl?: string | undefined; stop: () => Promise<void> }>;
export type RunningConnector = RunningProgram & Readonly<{ metrics: ConnectorMetrics }>;

export type ConnectorProgram<Setup> = Readonly<{
  /** Reads and checks the configuration file. */
  readSetup: (file: string) => Promise<Setup>;
  start: (setup: Setup, dependencies: ProgramDependencies) => Promise<RunningProgram>;
  /** Errors beside `ConfigError` whose message says what whoever started this can do. */
  inWords?: (error: Error) => boolean;
}>;

function configFile(args: string[]): string {
  try {
    const { config } = parseArgs({ args, options: { config: { type: 'string' } } }).values;
    if (config !== undefined) return config;
  } catch (cause) {
    throw new ConfigError('CONFIG_FILE', `${(cause as Error).message}; the only argument is --config FILE`, { cause });
  }
  throw new ConfigError('CONFIG_FILE', 'say which configuration: --config FILE');
}

async function run<Setup extends Readonly<{ network: string; logLevel: string }>>(
  program: ConnectorProgram<Setup>,
): Promise<void> {
  const setup = await program.readSetup(configFile(process.argv.slice(2)));
  const log = pino({ level: setup.logLevel, base: { connector: setup.network } }, pino.destination(2));
  const connector = await program.start(setup, {
    log,
    now: () => performance.now(),
    wallClock: () => Date.now(),
    random: Math.random,
  });
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(1);
    stopping = true;
    connector.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ name: error instanceof Error ? error.name : 'unknown' }, 'did not end in good order');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  const { url, cactusUrl } = connector;
  process.stdout.write(
    `${JSON.stringify({ ready: true, service: 'connector', network: setup.network, url, cactusUrl })}\n`,
  );
}

/** Runs a connector as this process. */
export function runConnectorProgram<Setup extends Readonly<{ network: string; logLevel: string }>>(
  program: ConnectorProgram<Setup>,
): void {
  run(program).catch((error: unknown) => {
    const { name, message } = error instanceof Error ? error : new Error('failed to start');
    const known = error instanceof Error && (error instanceof ConfigError || program.inWords?.(error) === true);
    process.stderr.write(`${known ? message : `${name}: ${message}`}\n`);
    process.exit(known ? EXIT_CONFIG : 1);
  });
}
