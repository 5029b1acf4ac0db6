/** `node hub/dist/main.js --config FILE`. Prints one JSON line on stdout when ready; logs on stderr. */
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { RelayClient } from '@drawbridge/client/relay-client';
import pino from 'pino';
import { ConfigError, type HubConfig, readConfig, readNamed, readSecret } from './config.ts';
import { startHub } from './hub.ts';

const log = pino({ name: 'hub', timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ fd: 2, sync: true }));

function credentialsOf(config: HubConfig): string | undefined {
  if (config.operatorsFile === undefined) return undefined;
  const credentials = readSecret(config.operatorsFile).trim();
  if (!/^[^:\s]+:\S{12,}$/.test(credentials)) {
    throw new ConfigError('operatorsFile must hold user:password with a password of at least 12 characters');
  }
  return credentials;
}

function configurationNamed(args: string[]): HubConfig {
  let file: string | undefined;
  try {
    file = parseArgs({ args, options: { config: { type: 'string' } } }).values.config;
  } catch (cause) {
    throw new ConfigError(`${(cause as Error).message}; the only argument is --config FILE`, { cause });
  }
  if (file === undefined) throw new ConfigError('say which configuration: --config FILE');
  return readConfig(file);
}

/** Connections to a node besides those that wait for instructions. */
const EVIDENCE_SOCKETS = 64;

async function main(): Promise<void> {
  const config = configurationNamed(process.argv.slice(2));
  const credentials = credentialsOf(config);
  const serviceCertificate = readNamed(config.core.serviceCertFile);
  const core = new RelayClient({
    url: config.core.url,
    serviceCertificate,
    certificate: readNamed(config.core.certFile),
    key: readSecret(config.core.keyFile),
    // One waits for each network's instructions; the others hand in evidence.
    maxSockets: config.networks.length + EVIDENCE_SOCKETS,
  });
  const hub = await startHub(config, {
    core,
    service: createHash('sha256').update(serviceCertificate).digest('hex').slice(0, 16),
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
