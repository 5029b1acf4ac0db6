/**
 * `main.ts --config FILE`: the connector of one Corda network. Prints one JSON line on stdout when it is ready, logs on
 * stderr, and ends in good order on SIGTERM or SIGINT; a second signal ends it at once.
 */
import { parseArgs } from 'node:util';
import { ConfigError } from '@drawbridge/connector-sdk/connector-files';
import { pino } from 'pino';
import { readSetup } from './config.ts';
import { startConnector } from './corda-connector.ts';

const EXIT_CONFIG = 64;

function configFile(args: string[]): string {
  try {
    const { config } = parseArgs({ args, options: { config: { type: 'string' } } }).values;
    if (config !== undefined) return config;
  } catch (cause) {
    throw new ConfigError('CONFIG_FILE', `${(cause as Error).message}; the only argument is --config FILE`, { cause });
  }
  throw new ConfigError('CONFIG_FILE', 'say which configuration: --config FILE');
}

async function main(): Promise<void> {
  const setup = await readSetup(configFile(process.argv.slice(2)));
  const log = pino({ level: setup.logLevel, base: { connector: setup.network } }, pino.destination(2));
  const connector = await startConnector(setup, {
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

main().catch((error: unknown) => {
  const known = error instanceof ConfigError;
  const words =
    error instanceof Error ? (known ? error.message : `${error.name}: ${error.message}`) : 'failed to start';
  process.stderr.write(`${words}\n`);
  process.exit(known ? EXIT_CONFIG : 1);
});
