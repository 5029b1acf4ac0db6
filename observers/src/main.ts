#!/usr/bin/env node
/** `main.ts --config FILE`: an observer. Prints one JSON line when it answers; logs go to stderr. SIGTERM ends it. */
import { parseArgs } from 'node:util';
import { destination, pino } from 'pino';
import { ConfigError, readSetup } from './config.ts';
import { startObserver } from './observer.ts';

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
  const log = pino({ level: setup.config.logLevel, base: { observer: setup.config.id } }, destination(2));
  const observer = await startObserver(setup, log);
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    observer.stop().catch((error: unknown) => {
      log.error({ err: error }, 'did not stop cleanly');
      process.exitCode = 1;
    });
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.stdout.write(`${JSON.stringify({ ready: true, url: observer.url, publicKey: observer.publicKey })}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
