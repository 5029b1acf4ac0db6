/**
 * The core as a process.
 *
 *     main create --dir DIR --vaults quorum-a/EUR,quorum-b/EUR [--hosts core.example,10.0.0.7]
 *     main start --dir DIR --genesis FILE --listen 127.0.0.1:0 [--amendments DIR] [--development]
 *
 * Standard output has one line of JSON: the public parts of the new service, or `{"ready":true,"url":…,"serviceId":…}`.
 * The log is JSON on standard error. SIGTERM and SIGINT stop it, SIGHUP reads the amendments again.
 */
import { parseArgs } from 'node:util';
import pino, { type Logger } from 'pino';
import { hardenProcess } from './process-hardening.ts';
import { createService } from './service/service-bundle.ts';
import { ServiceError } from './service/service-error.ts';
import { startService } from './service/start-service.ts';

const USAGE = `create --dir DIR --vaults NETWORK/ASSET,…   makes a service: its id, its keys, an authority for each vault
       --hosts NAME,…                     names and addresses for its certificate, besides localhost
start  --dir DIR                          runs it
       --genesis FILE                     what is registered; needed at the first start
       --listen HOST:PORT                 127.0.0.1 and a free port if left out
       --amendments DIR                   folder of signed amendment files, watched
       --development                      also where the surroundings are unsafe, and says so`;

function readArguments(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        dir: { type: 'string' },
        vaults: { type: 'string' },
        hosts: { type: 'string' },
        genesis: { type: 'string' },
        listen: { type: 'string', default: '127.0.0.1:0' },
        amendments: { type: 'string' },
        development: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (cause) {
    throw new ServiceError('SERVICE_ARGUMENTS', `${String((cause as Error).message)}\n${USAGE}`, { cause });
  }
}

type Arguments = ReturnType<typeof readArguments>['values'];

const listOf = (text: string | undefined): string[] => (text === undefined || text === '' ? [] : text.split(','));

function required(value: string | undefined, name: string): string {
  if (value === undefined || value === '')
    throw new ServiceError('SERVICE_ARGUMENTS', `--${name} is missing\n${USAGE}`);
  return value;
}

function parseListen(text: string): { host: string; port: number } {
  const [, host, digits] = /^([A-Za-z0-9.-]+):([0-9]{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (host === undefined || port > 65_535) {
    throw new ServiceError('SERVICE_ARGUMENTS', `--listen ${text} must be HOST:PORT\n${USAGE}`);
  }
  return { host, port };
}

const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

async function create({ dir, vaults, hosts }: Arguments): Promise<void> {
  const options = { dir: required(dir, 'dir'), vaults: listOf(required(vaults, 'vaults')), hosts: listOf(hosts) };
  say(await createService({ ...options, nowMs: Date.now() }));
}

async function start(values: Arguments, log: Logger): Promise<void> {
  const unsafe = hardenProcess(values.development);
  if (values.development) log.warn({ unsafe }, 'development: whoever started this process can look into it');
  const { genesis, amendments } = values;
  const service = await startService(
    {
      dir: required(values.dir, 'dir'),
      listen: parseListen(values.listen),
      node: { development: values.development },
      ...(genesis !== undefined && { genesisFile: genesis }),
      ...(amendments !== undefined && { amendmentsDir: amendments }),
    },
    { log, nowMs: Date.now, onFailed: () => process.exit(1) },
  );
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    service.stop().then(
      () => process.exit(0),
      (error: unknown) => end(error, log),
    );
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('SIGHUP', () => void service.rescanAmendments());
  // Last: whoever reads this may send a signal at once.
  say({ ready: true, url: service.url, serviceId: service.serviceId });
}

function end(error: unknown, log: Logger): never {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'UNEXPECTED';
  log.fatal({ code, detail: error instanceof Error ? error.message : String(error) }, 'the core does not run');
  process.exit(1);
}

const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ dest: 2, sync: true }));
process.on('uncaughtException', (error) => end(error, log));
process.on('unhandledRejection', (error) => end(error, log));
try {
  const { positionals, values } = readArguments(process.argv.slice(2));
  const [command, ...rest] = positionals;
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    process.exit(0);
  }
  if (rest.length > 0 || (command !== 'create' && command !== 'start')) {
    throw new ServiceError('SERVICE_ARGUMENTS', USAGE);
  }
  await (command === 'create' ? create(values) : start(values, log));
} catch (error) {
  end(error, log);
}
