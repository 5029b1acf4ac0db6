/** `node hub/dist/main.js --config FILE`. Prints one JSON line on stdout when ready; logs on stderr. */
import { readFileSync, statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { RelayClient } from '@drawbridge/client/relay-client';
import pino from 'pino';
import { ConfigError, type HubConfig, readConfig } from './config.ts';
import { startHub } from './hub.ts';

const log = pino({ name: 'hub', timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ fd: 2, sync: true }));

function credentialsOf(config: HubConfig): string | undefined {
  if (config.operatorsFile === undefined) return undefined;
  if ((statSync(config.operatorsFile).mode & 0o077) !== 0) {
    throw new ConfigError('operatorsFile must be readable by its owner only (chmod 600)');
  }
  const credentials = readFileSync(config.operatorsFile, 'utf8').trim();
  if (!/^[^:\s]+:\S{12,}$/.test(credentials)) {
    throw new ConfigError('operatorsFile must hold user:password with a password of at least 12 characters');
  }
  return credentials;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { config: { type: 'string' } } });
  if (values.config === undefined) throw new ConfigError('say which configuration: --config FILE');
  const config = readConfig(values.config);
  const credentials = credentialsOf(config);
  const core = new RelayClient({
    url: config.core.url,
    serviceCertificate: readFileSync(config.core.serviceCertFile, 'utf8'),
    certificate: readFileSync(config.core.certFile, 'utf8'),
    key: readFileSync(config.core.keyFile, 'utf8'),
  });
  const hub = await startHub(config, {
    core,
    log,
    now: Date.now,
    ...(credentials === undefined ? {} : { credentials }),
  });
  const stopped = new Promise<string>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => resolve(name));
  });
  log.info({ networks: config.networks }, 'relaying');
  // Last: whoever reads this may send a signal at once.
  process.stdout.write(`${JSON.stringify({ ready: true, url: hub.url })}\n`);
  log.info({ signal: await stopped }, 'stopping');
  await hub.stop();
  core.close();
}

try {
  await main();
} catch (error) {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN';
  log.fatal(
    {
      code,
      detail: error instanceof ConfigError ? error.message : undefined,
      stack: error instanceof ConfigError ? undefined : (error as Error).stack,
    },
    'the hub does not run',
  );
  process.exitCode = 1;
}
