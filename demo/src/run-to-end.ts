import { execFile } from 'node:child_process';
import { sourceProgram } from '@drawbridge/devnets/source-program';

/** Longest run, ms, and most output, bytes, of a program that answers once and ends. */
const TIMEOUT_MS = 60_000;
const MAX_OUTPUT_BYTES = 1 << 20;

export class RunError extends Error {
  override readonly name = 'RunError';
  readonly code = 'PROGRAM_FAILED';
}

/** Runs one of our programs and gives its stdout. @throws RunError with what it said on stderr. */
export function runToEnd(file: string, args: readonly string[]): Promise<string> {
  const { command, args: all } = sourceProgram(file, args);
  return new Promise((resolve, reject) => {
    execFile(command, all, { timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES }, (error, stdout, stderr) => {
      if (error)
        reject(new RunError(`${file} failed: ${stderr.trim().split('\n').slice(-5).join('\n')}`, { cause: error }));
      else resolve(stdout);
    });
  });
}
