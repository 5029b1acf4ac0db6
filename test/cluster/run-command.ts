/** Commands that end by themselves. */
import { execFile } from 'node:child_process';

const TIMEOUT_MS = 120_000;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

export type Ended = Readonly<{ code: number; stdout: string; stderr: string }>;

/** Runs a file with Node. Any exit code is an answer. @throws where it cannot be started or does not end */
export function runCommand(file: string, args: readonly string[]): Promise<Ended> {
  const options = { timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES };
  return new Promise((settle, reject) => {
    execFile(process.execPath, [file, ...args], options, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error);
      else settle({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}
