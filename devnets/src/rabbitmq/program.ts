/** RabbitMQ as the programs that it runs by: those of an installed one, or Debian's packages, in our cache. */
import { execFile } from 'node:child_process';
import { access, readdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../cache-folder.ts';
import { DebianUnpackError, findOnPath, type RunnableProgram, unpackDebianProgram } from '../debian-unpack.ts';

const run = promisify(execFile);

const QUESTION_TIMEOUT_MS = 60_000;
const SERVER_FOLDER = /^rabbitmq_server-\d/;
const ERTS_FOLDER = /^erts-\d/;
/** What RabbitMQ 3.10 and the parts of Erlang that it loads are in; Debian's own dependencies, without scripts and services. */
const PACKAGES = ['rabbitmq-server', 'erlang-base'].concat(
  ['asn1', 'crypto', 'eldap', 'inets', 'mnesia', 'os-mon', 'parsetools', 'public-key', 'runtime-tools', 'ssl'].map(
    (part) => `erlang-${part}`,
  ),
  ['syntax-tools', 'tools', 'xmerl'].map((part) => `erlang-${part}`),
);

type Environment = Readonly<Record<string, string | undefined>>;

export type RabbitMqProgram = Readonly<{
  /** Holds `plugins`, with all of the server's own code. */
  serverHome: string;
  /** Erlang's root folder. */
  erlangHome: string;
  /** Erlang's folder of programs, `erlexec` and `epmd` among them. */
  erlangPrograms: string;
  /** For Erlang: where to find libraries that came with it. */
  env: Environment;
  origin: 'path' | 'debian';
}>;

export type FindRabbitMqOptions = Readonly<{
  /** Default `$XDG_CACHE_HOME/drawbridge` or `~/.cache/drawbridge`. */
  cacheDir?: string;
  /** Default this process's own; its PATH is where RabbitMQ is looked for. */
  env?: Environment;
  /** Told about downloads, one sentence at a time. */
  log?: (sentence: string) => void;
}>;

/** This machine has no RabbitMQ and cannot fetch one; the message says what to install. */
export class RabbitMqMissingError extends Error {
  override readonly name = 'RabbitMqMissingError';
  readonly code = 'RABBITMQ_NOT_FOUND' as const;
}

/** @throws RabbitMqMissingError */
export async function findRabbitMq(options: FindRabbitMqOptions = {}): Promise<RabbitMqProgram> {
  const env = options.env ?? process.env;
  const installed = await installedRabbitMq(env);
  if (installed !== undefined) return installed;
  const cacheDir = options.cacheDir ?? cacheFolder(env);
  try {
    const wanted = {
      name: 'rabbitmq',
      packages: PACKAGES,
      // Says where the rest is; it cannot be run from there itself.
      program: join('usr', 'lib', 'erlang', 'bin', 'erl'),
      runs: async (erl: RunnableProgram) => (await unpackedServer(erl).catch(() => undefined)) !== undefined,
      linked: async (erl: RunnableProgram) => linkedFiles(await erlangBeside(erl)),
    };
    const erl = await unpackDebianProgram(wanted, { cacheDir, env, log: options.log ?? (() => undefined) });
    return await unpackedServer(erl);
  } catch (error) {
    if (!(error instanceof DebianUnpackError)) throw error;
    throw new RabbitMqMissingError(
      `there is no rabbitmq-server on the PATH, and it cannot be unpacked from Debian packages (${error.message}): ` +
        'install RabbitMQ 3.10 or newer (apt-get install rabbitmq-server, brew install rabbitmq)',
      { cause: error },
    );
  }
}

/** The server behind the command, which on Debian would start it as another user. */
async function installedRabbitMq(env: Environment): Promise<RabbitMqProgram | undefined> {
  const command = await findOnPath('rabbitmq-server', env);
  const erl = await findOnPath('erl', env);
  if (command === undefined || erl === undefined) return undefined;
  const folder = join(dirname(await realpath(command)), '..');
  const serverHome = (await exists(join(folder, 'plugins'))) ? folder : await serverHomeIn(join(folder, 'lib'));
  if (serverHome === undefined) return undefined;
  const question = ['-noinput', '-boot', 'start_clean', '-eval', 'io:put_chars(code:root_dir()), halt().'];
  const { stdout } = await run(erl, question, { env, timeout: QUESTION_TIMEOUT_MS });
  return { ...(await erlangIn(stdout.trim())), serverHome, env, origin: 'path' };
}

/** @throws when what was unpacked is not whole. */
async function unpackedServer(erl: RunnableProgram): Promise<RabbitMqProgram> {
  const serverHome = await serverHomeIn(join(dirname(erl.command), '..', '..', 'rabbitmq', 'lib'));
  if (serverHome === undefined) throw new DebianUnpackError('the package rabbitmq-server has no server in it');
  const erlang = await erlangBeside(erl);
  const program = { ...erlang, serverHome, env: erl.env, origin: 'debian' as const };
  const question = ['-noinput', '-boot', 'start_clean', '-eval', 'ok = crypto:start(), halt(0).'];
  const env = { ...erl.env, ...erlangEnvironment(program) };
  await run(join(erlang.erlangPrograms, 'erlexec'), question, { env, timeout: QUESTION_TIMEOUT_MS });
  return program;
}

/** Why there can be no RabbitMQ here; undefined where it can be had. */
export async function rabbitMqMissing(options: FindRabbitMqOptions = {}): Promise<string | undefined> {
  try {
    await findRabbitMq(options);
    return undefined;
  } catch (error) {
    if (error instanceof RabbitMqMissingError) return error.message;
    throw error;
  }
}

/** What `erl` would set, had it not been built for another folder. */
export function erlangEnvironment({ erlangHome, erlangPrograms }: ErlangFolders): Record<string, string> {
  return { ROOTDIR: erlangHome, BINDIR: erlangPrograms, EMU: 'beam', PROGNAME: 'erl' };
}

type ErlangFolders = Pick<RabbitMqProgram, 'erlangHome' | 'erlangPrograms'>;

function erlangBeside(erl: RunnableProgram): Promise<ErlangFolders> {
  return erlangIn(join(dirname(erl.command), '..'));
}

async function erlangIn(erlangHome: string): Promise<ErlangFolders> {
  const runtime = (await readdir(erlangHome)).find((each) => ERTS_FOLDER.test(each));
  if (runtime === undefined) throw new DebianUnpackError(`${erlangHome} has no Erlang runtime`);
  return { erlangHome, erlangPrograms: join(erlangHome, runtime, 'bin') };
}

/** Erlang's machine, and what it loads for TLS. */
async function linkedFiles({ erlangHome, erlangPrograms }: ErlangFolders): Promise<string[]> {
  const entries = await readdir(join(erlangHome, 'lib'), { withFileTypes: true, recursive: true });
  const crypto = entries.find(({ name }) => name === 'crypto.so');
  const loaded = crypto === undefined ? [] : [join(crypto.parentPath, crypto.name)];
  return [join(erlangPrograms, 'beam.smp'), ...loaded];
}

async function serverHomeIn(folder: string): Promise<string | undefined> {
  const name = (await readdir(folder).catch(() => [])).find((each) => SERVER_FOLDER.test(each));
  return name === undefined ? undefined : join(folder, name);
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
