/**
 * Child processes of the development networks, the demo and the end-to-end tests: started until they are ready,
 * their output kept, ended by their own pid and never left behind.
 */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { endWithParent } from './orphan-reaper.ts';

const DEFAULT_READY_TIMEOUT_MS = 30_000;
const DEFAULT_STOP_TIMEOUT_MS = 10_000;
const POLL_INTERVAL_MS = 20;
/** How long after its exit a process's remaining output is waited for: a grandchild may hold the pipe open. */
const DRAIN_TIMEOUT_MS = 500;
/** Output kept in memory for error texts, in UTF-16 code units. */
const RECENT_OUTPUT_LIMIT = 64 * 1024;

/**
 * What makes a process ready: a line of its output, a message over Node's IPC channel, or a question put to it every
 * 20 ms (`false` and exceptions both mean "not yet"; it gets the pid, to tell the process from a stranger on its port).
 */
export type ReadyCheck =
  | Readonly<{ line: RegExp }>
  | Readonly<{ message: (message: unknown) => boolean }>
  | Readonly<{ poll: (pid: number) => Promise<boolean> }>;

export type ProcessOptions = Readonly<{
  /** For error texts, such as `hub` or `anvil 4001`. */
  name: string;
  command: string;
  args: readonly string[];
  /** The whole environment; this process's own when left out. */
  env?: Readonly<Record<string, string | undefined>>;
  cwd?: string;
  /** Output is appended here as well, created with mode 0600. */
  logFile?: string;
  ready: ReadyCheck;
  /** Default 30 s. */
  readyTimeoutMs?: number;
  /** From SIGTERM to SIGKILL; default 10 s. */
  stopTimeoutMs?: number;
}>;

/** One of the two is null: a process ends by itself with a code, or by a signal. */
export type ProcessExit = Readonly<{ code: number | null; signal: NodeJS.Signals | null }>;

export type ManagedProcess = Readonly<{
  name: string;
  pid: number;
  /** The line that matched, or the message; undefined for a poll. */
  readyWith: unknown;
  /** Resolves when the process has ended, whatever ended it; never rejects. */
  exited: Promise<ProcessExit>;
  running: () => boolean;
  /** The last 64 Ki characters of stdout and stderr together. */
  recentOutput: () => string;
  /** Sends over Node's IPC channel; only for processes started with a `message` check. */
  send: (message: object) => void;
  /** For SIGSTOP, SIGCONT and the like; nothing happens when it has ended. */
  signal: (signal: NodeJS.Signals) => void;
  /** SIGTERM, then SIGKILL after `stopTimeoutMs`. May be called again; the answer tells which of them it took. */
  stop: () => Promise<ProcessExit>;
  /** SIGKILL at once: the crash that tests recover from. */
  kill9: () => Promise<ProcessExit>;
}>;

export type ProcessErrorCode = 'PROCESS_SPAWN_FAILED' | 'PROCESS_EXITED_EARLY' | 'PROCESS_NOT_READY';

/** A process that did not become ready; it is gone when this is thrown. `output` is what it said last. */
export class ProcessError extends Error {
  override readonly name = 'ProcessError';
  readonly code: ProcessErrorCode;
  readonly output: string;
  constructor(code: ProcessErrorCode, message: string, output: string, cause?: unknown) {
    super(output === '' ? message : `${message}; it last said:\n${lastLines(output)}`, { cause });
    this.code = code;
    this.output = output;
  }
}

/**
 * Starts a process and answers once it is ready. It ends with this one, however this one ends.
 * @throws ProcessError when it cannot be started, ends before it is ready, or is not ready in time.
 */
export async function startProcess(options: ProcessOptions): Promise<ManagedProcess> {
  const { name, ready, readyTimeoutMs = DEFAULT_READY_TIMEOUT_MS } = options;
  const child = await spawnChild(options);
  const output = collectOutput(child, options.logFile);
  const exited = exitOf(child, output);
  const running = () => child.exitCode === null && child.signalCode === null;
  const signal = (which: NodeJS.Signals) => {
    if (running()) child.kill(which);
  };
  const kill9 = () => {
    signal('SIGKILL');
    return exited;
  };
  const deadline = new AbortController();
  const readiness = waitUntilReady(child, ready, deadline.signal);
  readiness.catch(() => undefined);
  const outcome = await Promise.race([
    readiness.then((readyWith) => ({ readyWith })),
    exited.then((exit) => ({ exit })),
    delay(readyTimeoutMs, { timedOut: true } as const, { signal: deadline.signal }),
  ]).finally(() => deadline.abort());
  if ('exit' in outcome) {
    throw new ProcessError(
      'PROCESS_EXITED_EARLY',
      `${name} ended (${inWords(outcome.exit)}) before it was ready`,
      output.recent(),
    );
  }
  if ('timedOut' in outcome) {
    await kill9();
    throw new ProcessError('PROCESS_NOT_READY', `${name} was not ready within ${readyTimeoutMs} ms`, output.recent());
  }
  return {
    name,
    pid: pidOf(child),
    readyWith: outcome.readyWith,
    exited,
    running,
    recentOutput: output.recent,
    send: (message) => {
      child.send(message);
    },
    signal,
    stop: () => stopChild({ signal, exited, stopTimeoutMs: options.stopTimeoutMs ?? DEFAULT_STOP_TIMEOUT_MS }),
    kill9,
  };
}

async function stopChild(child: {
  signal: (which: NodeJS.Signals) => void;
  exited: Promise<ProcessExit>;
  stopTimeoutMs: number;
}): Promise<ProcessExit> {
  child.signal('SIGTERM');
  const ended = new AbortController();
  const hung = delay(child.stopTimeoutMs, undefined, { signal: ended.signal }).then(
    () => child.signal('SIGKILL'),
    () => undefined,
  );
  const exit = await child.exited;
  ended.abort();
  await hung;
  return exit;
}

async function spawnChild(options: ProcessOptions): Promise<ChildProcess> {
  const stdio: StdioOptions = ['ignore', 'pipe', 'pipe'];
  if ('message' in options.ready) stdio.push('ipc');
  const child = spawn(options.command, [...options.args], {
    stdio,
    // A terminal sends Ctrl-C to a whole process group: in one of its own a child ends when we end it, in our order.
    detached: true,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => {
      const message = `${options.name} could not be started as ${options.command}: ${cause.message}`;
      reject(new ProcessError('PROCESS_SPAWN_FAILED', message, '', cause));
    });
  });
  return child;
}

function exitOf(child: ChildProcess, output: Output): Promise<ProcessExit> {
  const release = endWithParent(pidOf(child));
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      release();
      resolve(output.drained().then(() => ({ code, signal })));
    });
  });
}

type Output = Readonly<{ recent: () => string; drained: () => Promise<void> }>;

function collectOutput(child: ChildProcess, logFile: string | undefined): Output {
  let recent = '';
  const log = logFile === undefined ? undefined : createWriteStream(logFile, { flags: 'a', mode: 0o600 });
  const logClosed = log && closed(log, String(logFile));
  const streams = [child.stdout, child.stderr].filter((stream): stream is Readable => stream !== null);
  for (const stream of streams) {
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      recent = (recent + chunk).slice(-RECENT_OUTPUT_LIMIT);
      log?.write(chunk);
    });
  }
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const drained = async () => {
    const limit = new AbortController();
    await Promise.race([ended, delay(DRAIN_TIMEOUT_MS, undefined, { signal: limit.signal })]);
    limit.abort();
    for (const stream of streams) stream.destroy();
    log?.end();
    await logClosed;
  };
  return { recent: () => recent, drained };
}

/** Resolves at the end of the file or its first error: a full disk must not take the demo with it. */
function closed(log: WriteStream, file: string): Promise<void> {
  return new Promise((resolve) => {
    log.once('close', resolve);
    log.once('error', (error) => {
      process.emitWarning(`${file}: ${error.message}`, { code: 'DRAWBRIDGE_LOG_FILE' });
      resolve();
    });
  });
}

function waitUntilReady(child: ChildProcess, check: ReadyCheck, signal: AbortSignal): Promise<unknown> {
  if ('poll' in check) return waitForPoll(() => check.poll(pidOf(child)), signal);
  if ('message' in check) {
    return new Promise((resolve) => {
      child.on('message', (message) => {
        if (check.message(message)) resolve(message);
      });
    });
  }
  return new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      const lines = createInterface({ input: stream });
      lines.on('line', (line) => {
        if (check.line.test(line)) resolve(line);
      });
      signal.addEventListener('abort', () => {
        lines.close();
        stream.resume();
      });
    }
  });
}

async function waitForPoll(poll: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  while (!(await poll().catch(() => false))) await delay(POLL_INTERVAL_MS, undefined, { signal });
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new TypeError('a spawned process has a pid');
  return child.pid;
}

function inWords(exit: ProcessExit): string {
  return exit.signal === null ? `exit code ${exit.code}` : `signal ${exit.signal}`;
}

function lastLines(output: string): string {
  return output.trimEnd().split('\n').slice(-20).join('\n');
}
