/** A RabbitMQ of our own on loopback, AMQP over TLS only: an installed one's programs, or Debian's, without its service. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ManagedProcess, ProcessError, startProcess } from './child-process.ts';
import { AddressInUseError, freePorts, withFreePorts } from './free-port.ts';
import { erlangEnvironment, findRabbitMq, type RabbitMqProgram } from './rabbitmq/program.ts';
import {
  type RabbitMqPermission,
  type RabbitMqUser,
  rabbitMqConf,
  rabbitMqDefinitions,
  rabbitMqEnvironment,
} from './rabbitmq/settings.ts';
import { createTlsIdentity, type TlsIdentity } from './tls-identity.ts';

const LOOPBACK = '127.0.0.1';
/** 6 s on two idle cores; a machine may be busy. */
const READY_TIMEOUT_MS = 180_000;
const STOP_TIMEOUT_MS = 30_000;
const ALL: RabbitMqPermission = { configure: '.*', write: '.*', read: '.*' };

export type RabbitMqOptions = Readonly<{
  /** Data, keys and settings; made when absent. Messages that were stored in it are there again. */
  dir: string;
  /** Permissions by user name; one user `drawbridge` that may do everything when left out. Passwords are drawn. */
  users?: Readonly<Record<string, RabbitMqPermission>>;
  /** Of AMQP over TLS; drawn at random when left out. */
  port?: number;
  /** Default `$XDG_CACHE_HOME/drawbridge` or `~/.cache/drawbridge`. */
  cacheDir?: string;
  /** Default this process's own; its PATH is where RabbitMQ is looked for. */
  env?: Readonly<Record<string, string | undefined>>;
  logFile?: string;
  /** Told about downloads, one sentence at a time. */
  log?: (sentence: string) => void;
}>;

export type RabbitMqServer = Readonly<{
  host: string;
  port: number;
  users: readonly RabbitMqUser[];
  /** `amqps://user:password@127.0.0.1:port/%2F`. @throws TypeError for a user that there is not. */
  urlOf: (user: string) => string;
  /** The server's certificate, which clients pin: PEM, and the file that it is in. */
  certificatePem: string;
  certFile: string;
  /** SHA-256 of its DER. */
  fingerprint: TlsIdentity['fingerprint'];
  origin: RabbitMqProgram['origin'];
  pid: () => number;
  /** Resolves when the server that runs now has ended, whatever ended it. */
  exited: () => Promise<unknown>;
  stop: () => Promise<void>;
  /** A crash: what was confirmed to publishers is on disk. */
  kill9: () => Promise<void>;
  /** Starts it again with its data on the same port; stops it before that if it runs. */
  restart: () => Promise<void>;
}>;

/**
 * @throws RabbitMqMissingError in words: what was tried, and what to install.
 * @throws ProcessError when the program was found and does not start, AddressInUseError when `port` is taken.
 */
export async function startRabbitMq(options: RabbitMqOptions): Promise<RabbitMqServer> {
  const program = await findRabbitMq(options);
  const { dir } = options;
  for (const folder of ['home', 'data', 'log']) await mkdir(join(dir, folder), { recursive: true, mode: 0o700 });
  const tls = await createTlsIdentity(join(dir, 'tls'), 'rabbitmq');
  const users = Object.entries(options.users ?? { drawbridge: ALL }).map(([name, permission]) => {
    return { name, password: randomBytes(16).toString('hex'), permission };
  });
  await writeFile(join(dir, 'enabled_plugins'), '[].\n');
  await writeFile(join(dir, 'definitions.json'), JSON.stringify(rabbitMqDefinitions(users)), { mode: 0o600 });
  const place = { dir, program, tls, logFile: options.logFile };
  const asked = options.port;
  const first =
    asked === undefined
      ? await withFreePorts(1, async ([port = 0]) => ({ port, running: await startServer(place, port) }))
      : { port: asked, running: await startServer(place, asked) };
  const { port } = first;
  let { running } = first;
  return {
    host: LOOPBACK,
    port,
    users,
    urlOf: (name) => {
      const user = users.find((each) => each.name === name);
      if (user === undefined) throw new TypeError(`there is no user ${name}`);
      return `amqps://${encodeURIComponent(name)}:${user.password}@${LOOPBACK}:${port}/%2F`;
    },
    certificatePem: await readFile(tls.certFile, 'utf8'),
    certFile: tls.certFile,
    fingerprint: tls.fingerprint,
    origin: program.origin,
    pid: () => running.server.pid,
    exited: () => running.server.exited,
    stop: () => running.end((server) => server.stop()),
    kill9: () => running.end((server) => server.kill9()),
    restart: async () => {
      await running.end((server) => server.stop());
      running = await startServer(place, port);
    },
  };
}

type Place = Readonly<{ dir: string; program: RabbitMqProgram; tls: TlsIdentity; logFile: string | undefined }>;

/** The server, and the name server that Erlang would otherwise leave running. */
type Running = Readonly<{
  server: ManagedProcess;
  end: (how: (server: ManagedProcess) => Promise<unknown>) => Promise<void>;
}>;

async function startServer(place: Place, port: number): Promise<Running> {
  // Other servers of this machine, ours among them, have name servers of their own.
  const { epmdPort, names } = await withFreePorts(1, async ([drawn = 0]) => {
    return { epmdPort: drawn, names: await startNameServer(place.program, drawn) };
  });
  try {
    const server = await startErlang(place, port, epmdPort);
    const end = async (how: (process: ManagedProcess) => Promise<unknown>) => {
      await how(server);
      await names.stop();
    };
    return { server, end };
  } catch (error) {
    await names.stop();
    throw error;
  }
}

async function startNameServer({ erlangPrograms, env }: RabbitMqProgram, port: number): Promise<ManagedProcess> {
  return startProcess({
    name: `epmd on port ${port}`,
    command: join(erlangPrograms, 'epmd'),
    args: ['-d', '-d', '-address', LOOPBACK, '-port', String(port)],
    env,
    ready: { line: /entering the main select\(\) loop/ },
  }).catch((error: unknown) => {
    throw takenOrElse(error, port);
  });
}

async function startErlang(place: Place, port: number, epmdPort: number): Promise<ManagedProcess> {
  const { dir, program, tls, logFile } = place;
  const [distributionPort = 0] = await freePorts(1);
  const confFile = join(dir, 'rabbitmq.conf');
  const files = { dir, certFile: tls.certFile, keyFile: tls.keyFile, definitionsFile: join(dir, 'definitions.json') };
  await writeFile(confFile, rabbitMqConf(port, files));
  await rm(join(dir, 'pid'), { force: true });
  const { serverHome } = program;
  const settings = rabbitMqEnvironment({ dir, serverHome, confFile, epmdPort, distributionPort });
  const { PATH, LD_LIBRARY_PATH } = program.env;
  const server = await startProcess({
    name: `RabbitMQ on port ${port}`,
    command: join(program.erlangPrograms, 'erlexec'),
    args: ERLANG_ARGUMENTS,
    cwd: dir,
    env: { PATH, LD_LIBRARY_PATH, LANG: 'C.UTF-8', ...erlangEnvironment(program), ...settings },
    ...(logFile === undefined ? {} : { logFile }),
    readyTimeoutMs: READY_TIMEOUT_MS,
    stopTimeoutMs: STOP_TIMEOUT_MS,
    // A server whose port is taken goes on without it.
    ready: { line: LISTENS_OR_CANNOT },
  }).catch((error: unknown) => {
    throw takenOrElse(error, port);
  });
  if (!PORT_TAKEN.test(String(server.readyWith))) return server;
  await server.stop();
  throw new AddressInUseError(`port ${port} is taken`);
}

const PORT_TAKEN = /eaddrinuse|address already in use/i;
const LISTENS_OR_CANNOT = new RegExp(`started TLS \\(SSL\\) listener on|${PORT_TAKEN.source}`, 'i');

/** What `rabbitmq-server` gives Erlang, but for its distribution, which would listen on every interface. */
const ERLANG_ARGUMENTS: readonly string[] = [
  ...['-pa', '', '-noinput', '-s', 'rabbit', 'boot', '-boot', 'start_sasl', '+W', 'w'],
  ...['-kernel', 'inet_dist_use_interface', '{127,0,0,1}'],
  ...['-syslog', 'logger', '[]', '-syslog', 'syslog_error_logger', 'false'],
  ...['-kernel', 'prevent_overlapping_partitions', 'false'],
];

function takenOrElse(error: unknown, port: number): unknown {
  if (!(error instanceof ProcessError) || !PORT_TAKEN.test(error.output)) return error;
  return new AddressInUseError(`port ${port} is taken`, { cause: error });
}
