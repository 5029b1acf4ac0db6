/**
 * The part of WASI preview 1 that a Go reactor without files, sockets or arguments calls. Time and randomness are
 * the caller's, so that equal ones replay a run; everything else that a program could ask of its host is refused.
 * Error numbers are WASI's: 0 success, 8 bad descriptor, 52 not supported.
 */
const SUCCESS = 0;
const BAD_DESCRIPTOR = 8;
const NOT_SUPPORTED = 52;
const STDERR = 2;
/** Characters of what the program wrote to standard error that are kept for the report of its death. */
const MAX_STDERR_CHARS = 64 * 1024;

/** Monotonic time, in nanoseconds from any start. */
export interface Clock {
  nowNs(): bigint;
}

/** Fills the array with random bytes. Two replicas must never share a source of equal bytes: their elections would tie. */
export interface Entropy {
  fill(target: Uint8Array): void;
}

/** Thrown through the program when it exits. */
export class WasiExit extends Error {
  override readonly name = 'WasiExit';
  readonly code = 'WASI_EXIT' as const;

  constructor(exitCode: number) {
    super(`exited with ${exitCode}`);
  }
}

/** `memory` is asked on every call, because growing replaces the buffer. */
export type WasiHost = Readonly<{ memory: () => ArrayBuffer; clock: Clock; entropy: Entropy }>;

type WasiFunction = (...parameters: never[]) => number;

export type WasiShim = Readonly<{
  imports: Readonly<Record<string, WasiFunction>>;
  /** What the program wrote to standard error; a Go panic ends there. */
  stderr: () => string;
}>;

export function wasiShim(host: WasiHost): WasiShim {
  const decoder = new TextDecoder();
  let stderr = '';
  const view = (): DataView => new DataView(host.memory());
  const noEntries = (count: number, size: number): number => {
    view().setUint32(count, 0, true);
    view().setUint32(size, 0, true);
    return SUCCESS;
  };
  const write = (descriptor: number, vectors: number, count: number, written: number): number => {
    let total = 0;
    for (let i = 0; i < count; i++) {
      const at = view().getUint32(vectors + 8 * i, true);
      const length = view().getUint32(vectors + 8 * i + 4, true);
      if (descriptor === STDERR && stderr.length < MAX_STDERR_CHARS) {
        stderr += decoder.decode(new Uint8Array(host.memory(), at, length));
      }
      total += length;
    }
    view().setUint32(written, total, true);
    return SUCCESS;
  };
  const known: Record<string, WasiFunction> = {
    args_get: () => SUCCESS,
    args_sizes_get: noEntries,
    environ_get: () => SUCCESS,
    environ_sizes_get: noEntries,
    clock_time_get: (_clock: number, _precision: bigint, result: number) => {
      view().setBigUint64(result, host.clock.nowNs(), true);
      return SUCCESS;
    },
    random_get: (at: number, length: number) => {
      host.entropy.fill(new Uint8Array(host.memory(), at, length));
      return SUCCESS;
    },
    fd_write: write,
    sched_yield: () => SUCCESS,
    // Only a sleep can be asked for here; it ends at once.
    poll_oneoff: (_subscriptions: number, _events: number, count: number, result: number) => {
      view().setUint32(result, count, true);
      return SUCCESS;
    },
    proc_exit: (exitCode: number) => {
      throw new WasiExit(exitCode);
    },
  };
  for (const name of DESCRIPTOR_FUNCTIONS) known[name] = () => BAD_DESCRIPTOR;
  for (const name of REFUSED_FUNCTIONS) known[name] = () => NOT_SUPPORTED;
  return { imports: known, stderr: () => stderr };
}

const DESCRIPTOR_FUNCTIONS = [
  'fd_close',
  'fd_fdstat_get',
  'fd_fdstat_set_flags',
  'fd_filestat_get',
  'fd_filestat_set_size',
  'fd_pread',
  'fd_prestat_dir_name',
  'fd_prestat_get',
  'fd_pwrite',
  'fd_read',
  'fd_readdir',
  'fd_seek',
  'fd_sync',
] as const;
const REFUSED_FUNCTIONS = ['path_filestat_get', 'sock_accept', 'sock_shutdown'] as const;
