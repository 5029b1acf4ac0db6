#!/usr/bin/env node
/** `main.ts --config FILE`: an observer. Prints one JSON line when it answers; logs go to stderr. SIGTERM ends it. */
import { parseArgs } from 'node:util';
import { destination, pino } from 'pino';
import { readSetup } from './config.ts';
import { startObserver } from './observer.ts';

const USAGE = 'usage: drawbridge-observer --config FILE';

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { config: { type: 'string' } } });
  if (values.config === undefined) throw new Error(USAGE);
  const setup = await readSetup(values.config);
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
