/** The commands of the core as a process. Loaded once the process is known to be one's own. */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import pino, { type Logger } from 'pino';
import { REPLICA_DEFAULTS } from './consensus/replica-options.ts';
import { DEFAULT_COMMANDS_PER_ENTRY, MAX_ENTRIES_IN_FLIGHT, type ProposerOptions } from './node/proposer.ts';
import { choosePlatform } from './platform/choose-platform.ts';
import { createNode, createService } from './service/create-service.ts';
import { ServiceError } from './service/service-error.ts';
import { type StartServiceOptions, startService } from './service/start-service.ts';

const USAGE = `create --dir DIR --vaults NETWORK/ASSET,…   makes a service and its first node: ids, keys, an authority for each vault
       --hosts NAME,…                     names and addresses for its certificate, besides localhost
node   --dir DIR                          makes a node that will join a service, and prints the key to put into add_node
       --hosts NAME,…                     as above
start  --dir DIR                          runs it
       --genesis FILE                     what is registered; needed where a service begins
       --listen HOST:PORT                 for clients; 127.0.0.1 and a free port if left out
       --peer-listen HOST:PORT            for other nodes; without it the node stays alone
       --advertise-api, --advertise-peer HOST:PORT   by which others know it, if not by what it listens on
       --amendments DIR                   folder of signed amendment files, watched
       --snapshot-entries N               entries of the log between two snapshots (50000); behind them it is cut
       --entries-in-flight N              entries that are on their way at once (1, at most 64)
       --entry-commands N                 commands in one entry (2048, which is the most); a request of more becomes several
join   as start, and where the node has no place in a service, it asks for one first:
       --service-cert FILE                the certificate of the service, which nothing else is trusted for
       --peer HOST:PORT,…                 nodes of the service to ask
       --patience SECONDS                 how long to go on asking (60)
each   --development                      also where the surroundings are unsafe, and says so`;

/** A snapshot takes a few entries of its own. */
const MIN_SNAPSHOT_ENTRIES = 100;

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
        'peer-listen': { type: 'string' },
        'advertise-api': { type: 'string' },
        'advertise-peer': { type: 'string' },
        'service-cert': { type: 'string' },
        peer: { type: 'string' },
        patience: { type: 'string', default: '60' },
        amendments: { type: 'string' },
        'snapshot-entries': { type: 'string' },
        'entries-in-flight': { type: 'string', default: '1' },
        'entry-commands': { type: 'string', default: String(DEFAULT_COMMANDS_PER_ENTRY) },
        development: { type: 'boolean', default: false },
        'test-protected-memory': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (cause) {
    throw unusable(String((cause as Error).message), cause);
  }
}

type Arguments = ReturnType<typeof readArguments>['values'];

const unusable = (what: string, cause?: unknown): ServiceError =>
  new ServiceError('SERVICE_ARGUMENTS', `${what}\n${USAGE}`, { cause });

const listOf = (text: string | undefined): string[] => (text === undefined || text === '' ? [] : text.split(','));

function required(value: string | undefined, name: string): string {
  if (value === undefined || value === '') throw unusable(`--${name} is missing`);
  return value;
}

/** @param lowest 0 where any free port will do */
function parseAddress(text: string, name: string, lowest: 0 | 1): { host: string; port: number } {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port > 65_535 || port < lowest) throw unusable(`--${name} ${text} must be HOST:PORT`);
  return { host, port };
}

function checkedAddress(text: string, name: string): string {
  parseAddress(text, name, 1);
  return text;
}

const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

async function create({ dir, vaults, hosts }: Arguments): Promise<void> {
  const options = { dir: required(dir, 'dir'), vaults: listOf(required(vaults, 'vaults')), hosts: listOf(hosts) };
  say(await createService({ ...options, nowMs: Date.now() }));
}

async function makeNode({ dir, hosts }: Arguments): Promise<void> {
  say(await createNode({ dir: required(dir, 'dir'), hosts: listOf(hosts) }));
}

async function joinOptions(values: Arguments): Promise<NonNullable<StartServiceOptions['join']>> {
  const file = required(values['service-cert'], 'service-cert');
  const addresses = listOf(required(values.peer, 'peer')).map((text) => checkedAddress(text, 'peer'));
  required(values['peer-listen'], 'peer-listen');
  const seconds = Number(values.patience);
  if (!Number.isInteger(seconds) || seconds < 0) throw unusable('--patience must be a whole number of seconds');
  const serviceCertificate = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw unusable(`--service-cert ${file} cannot be read`, cause);
  });
  return { serviceCertificate, addresses, patienceMs: seconds * 1_000 };
}

/** A node that is behind by more than is kept in front of a snapshot comes back by records of the ledger. */
function snapshotOptions(text: string | undefined): StartServiceOptions['node'] {
  if (text === undefined) return {};
  const snapshotEveryEntries = Number(text);
  if (!Number.isSafeInteger(snapshotEveryEntries) || snapshotEveryEntries < MIN_SNAPSHOT_ENTRIES)
    throw unusable(`--snapshot-entries must be a whole number from ${MIN_SNAPSHOT_ENTRIES} on`);
  const cachedEntries = Math.min(REPLICA_DEFAULTS.cachedEntries, snapshotEveryEntries);
  return { snapshots: { snapshotEveryEntries }, replica: { cachedEntries } };
}

/** One entry on its way gathers what comes meanwhile, and costs least; more, and smaller ones, answer the first of many sooner. */
function proposerOptions(values: Arguments): ProposerOptions {
  return {
    maxEntriesInFlight: counted(values, 'entries-in-flight', MAX_ENTRIES_IN_FLIGHT),
    maxCommandsPerEntry: counted(values, 'entry-commands', DEFAULT_COMMANDS_PER_ENTRY),
  };
}

function counted(values: Arguments, name: 'entries-in-flight' | 'entry-commands', most: number): number {
  const count = Number(values[name]);
  if (Number.isSafeInteger(count) && count >= 1 && count <= most) return count;
  throw unusable(`--${name} must be a whole number from 1 to ${most}`);
}

function optionsOf(values: Arguments): StartServiceOptions {
  const { genesis, amendments, development } = values;
  const { 'peer-listen': peerListen, 'advertise-api': api, 'advertise-peer': peer } = values;
  return {
    dir: required(values.dir, 'dir'),
    listen: parseAddress(values.listen, 'listen', 0),
    advertise: {
      ...(api !== undefined && { api: checkedAddress(api, 'advertise-api') }),
      ...(peer !== undefined && { peer: checkedAddress(peer, 'advertise-peer') }),
    },
    node: {
      development,
      ...snapshotOptions(values['snapshot-entries']),
      proposer: proposerOptions(values),
    },
    // A port that is drawn at each start would be known to nobody.
    ...(peerListen !== undefined && { peerListen: parseAddress(peerListen, 'peer-listen', 1) }),
    ...(genesis !== undefined && { genesisFile: genesis }),
    ...(amendments !== undefined && { amendmentsDir: amendments }),
  };
}

async function start(values: Arguments, log: Logger, join?: StartServiceOptions['join']): Promise<void> {
  const { development, 'test-protected-memory': testProtectedMemory } = values;
  const platform = await choosePlatform({ development, testProtectedMemory });
  const service = await startService(
    { ...optionsOf(values), ...(join && { join }) },
    { log, nowMs: Date.now, onFailed: () => process.exit(1), platform },
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
  const { url, serviceId, nodeId, peerAddress } = service;
  // Last: whoever reads this may send a signal at once.
  say({ ready: true, url, serviceId, nodeId, peerAddress });
}

function end(error: unknown, log: Logger): never {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'UNEXPECTED';
  log.fatal({ code, detail: error instanceof Error ? error.message : String(error) }, 'the core does not run');
  process.exit(1);
}

const commands: Readonly<Record<string, (values: Arguments, log: Logger) => Promise<void>>> = {
  create,
  node: makeNode,
  start: (values, log) => start(values, log),
  join: async (values, log) => start(values, log, await joinOptions(values)),
};

/**
 * Runs one command line, without Node and the program. Ends the process where it fails.
 * @param unsafe what of its surroundings was let pass
 */
export async function runCore(argv: readonly string[], unsafe: readonly string[]): Promise<void> {
  const destination = pino.destination({ dest: 2, sync: true });
  const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  process.on('uncaughtException', (error) => end(error, log));
  process.on('unhandledRejection', (error) => end(error, log));
  try {
    const { positionals, values } = readArguments([...argv]);
    const [command = '', ...rest] = positionals;
    if (values.help) {
      process.stdout.write(`${USAGE}\n`);
      process.exit(0);
    }
    const run = Object.hasOwn(commands, command) ? commands[command] : undefined;
    if (rest.length > 0 || !run) throw new ServiceError('SERVICE_ARGUMENTS', USAGE);
    if (values.development) log.warn({ unsafe }, 'development: whoever started this process can look into it');
    await run(values, log);
  } catch (error) {
    end(error, log);
  }
}
