/** A Redis of our own on loopback: from the PATH, or unpacked from Debian's packages; or one that is given. */
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { cacheFolder } from './cache-folder.ts';
import { type ManagedProcess, ProcessError, startProcess } from './child-process.ts';
import { DebianUnpackError, findOnPath, type RunnableProgram, unpackDebianProgram } from './debian-unpack.ts';
import { AddressInUseError, withFreePort } from './free-port.ts';

const LOOPBACK = '127.0.0.1';
const READY_TIMEOUT_MS = 15_000;
/** For one question to a server; Redis answers in well under a millisecond, a busy machine may not. */
const ANSWER_TIMEOUT_MS = 2_000;

export type RedisOptions = Readonly<{
  /** Working folder of the server; made when absent. Nothing of the data is written. */
  dir: string;
  /** Drawn at random when left out. */
  port?: number;
  /** A Redis to use as it is instead of starting one (the caller's `REDIS_URL`); prefixes are the caller's matter. */
  redisUrl?: string | undefined;
  /** Default `$XDG_CACHE_HOME/drawbridge` or `~/.cache/drawbridge`. */
  cacheDir?: string;
  /** Default this process's own; its PATH is where Redis is looked for. */
  env?: Readonly<Record<string, string | undefined>>;
  logFile?: string;
  /** Told about downloads, one sentence at a time. */
  log?: (sentence: string) => void;
}>;

export type RedisServer = Readonly<{
  url: string;
  port: number;
  /** Where the program came from; `given` was not started here and is not stopped here. */
  origin: 'given' | 'path' | 'debian';
  stop: () => Promise<void>;
  /** Loses everything, as nothing is on disk. @throws RedisError `REDIS_NOT_OURS` for a given one. */
  kill9: () => Promise<void>;
  /** Starts it again, empty, on the same port; stops it before that if it runs. @throws as `kill9`. */
  restart: () => Promise<void>;
}>;

export type RedisErrorCode = 'REDIS_NOT_FOUND' | 'REDIS_NOT_OURS' | 'REDIS_UNREACHABLE' | 'REDIS_URL_INVALID';

export class RedisError extends Error {
  override readonly name = 'RedisError';
  readonly code: RedisErrorCode;
  constructor(code: RedisErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/**
 * @throws RedisError in words: what was tried, and what to install or set.
 * @throws ProcessError when the program was found and does not start.
 */
export async function startRedis(options: RedisOptions): Promise<RedisServer> {
  if (options.redisUrl) return givenRedis(options.redisUrl);
  const found = await findRedis(options);
  await mkdir(options.dir, { recursive: true });
  const start = (port: number) => startServer(found.program, port, options);
  const port = options.port;
  const first =
    port === undefined
      ? await withFreePort(async (drawn) => ({ port: drawn, child: await start(drawn) }))
      : { port, child: await start(port) };
  let child = first.child;
  return {
    url: `redis://${LOOPBACK}:${first.port}`,
    port: first.port,
    origin: found.origin,
    stop: async () => {
      await child.stop();
    },
    kill9: async () => {
      await child.kill9();
    },
    restart: async () => {
      await child.stop();
      child = await start(first.port);
    },
  };
}

async function givenRedis(redisUrl: string): Promise<RedisServer> {
  const url = URL.canParse(redisUrl) ? new URL(redisUrl) : undefined;
  if (url?.protocol !== 'redis:' && url?.protocol !== 'rediss:') {
    throw new RedisError('REDIS_URL_INVALID', 'REDIS_URL must look like redis://host:port');
  }
  const port = Number(url.port || 6379);
  // Through TLS or a password only a client can ask; then the first client finds out.
  if (url.protocol === 'redis:' && url.password === '') {
    await ask(url.hostname.replace(/^\[|\]$/g, ''), port, 'PING').catch((cause: unknown) => {
      throw new RedisError('REDIS_UNREACHABLE', `REDIS_URL is set, but nothing answers at ${url.host}`, cause);
    });
  }
  const notOurs = async () => {
    throw new RedisError('REDIS_NOT_OURS', 'a Redis that was given by REDIS_URL is not ours to end');
  };
  return { url: redisUrl, port, origin: 'given', stop: async () => undefined, kill9: notOurs, restart: notOurs };
}

type FoundRedis = Readonly<{ program: RunnableProgram; origin: 'path' | 'debian' }>;

async function findRedis(options: RedisOptions): Promise<FoundRedis> {
  const env = options.env ?? process.env;
  const command = await findOnPath('redis-server', env);
  if (command !== undefined) return { program: { command, env }, origin: 'path' };
  const cacheDir = options.cacheDir ?? cacheFolder(env);
  try {
    const wanted = { name: 'redis', packages: ['redis-server', 'redis-tools'], program: 'usr/bin/redis-server' };
    const program = await unpackDebianProgram(wanted, { cacheDir, env, log: options.log ?? (() => undefined) });
    return { program, origin: 'debian' };
  } catch (error) {
    if (!(error instanceof DebianUnpackError)) throw error;
    throw new RedisError(
      'REDIS_NOT_FOUND',
      `Drawbridge needs Redis 6.2 or newer and found none: REDIS_URL is not set; there is no redis-server on the PATH; and ` +
        `it cannot be unpacked from Debian packages (${error.message}). Install Redis (apt-get install redis-server, ` +
        'brew install redis), or set REDIS_URL=redis://host:port to one in reach.',
      error,
    );
  }
}

async function startServer(program: RunnableProgram, port: number, options: RedisOptions): Promise<ManagedProcess> {
  const settings = {
    bind: LOOPBACK,
    port: String(port),
    save: '',
    appendonly: 'no',
    // BullMQ loses jobs when keys are evicted.
    'maxmemory-policy': 'noeviction',
    dir: options.dir,
    daemonize: 'no',
  };
  try {
    return await startProcess({
      name: `redis on port ${port}`,
      command: program.command,
      args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
      env: program.env,
      ...(options.logFile === undefined ? {} : { logFile: options.logFile }),
      readyTimeoutMs: READY_TIMEOUT_MS,
      ready: { poll: (pid) => answersAs(pid, port) },
    });
  } catch (error) {
    if (error instanceof ProcessError && /address already in use/i.test(error.output)) {
      throw new AddressInUseError(`port ${port} is taken`, { cause: error });
    }
    throw error;
  }
}

/** Whether the server on `port` takes commands and is process `pid`. */
async function answersAs(pid: number, port: number): Promise<boolean> {
  if ((await ask(LOOPBACK, port, 'PING')) !== '+PONG\r\n') return false;
  return new RegExp(`^process_id:${pid}\\r$`, 'm').test(await ask(LOOPBACK, port, 'INFO server'));
}

/** One inline command over a connection of its own; the answer as it comes, after which Redis is told to hang up. */
function ask(host: string, port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: ANSWER_TIMEOUT_MS });
    let answer = '';
    socket.setEncoding('utf8');
    socket.once('connect', () => socket.write(`${command}\r\nQUIT\r\n`));
    socket.on('data', (chunk: string) => {
      answer += chunk;
    });
    socket.once('timeout', () => socket.destroy(new Error(`no answer within ${ANSWER_TIMEOUT_MS} ms`)));
    socket.once('error', reject);
    socket.once('end', () => {
      socket.destroy();
      resolve(answer.replace(/\+OK\r\n$/, ''));
    });
  });
}
