/** `drawbridge service …` runs the core's own program: this command shares no code with the measured image. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

/** From sources beside sources, from the build beside the build. */
function coreCommand(): string[] {
  if (!import.meta.url.endsWith('.ts')) {
    return [fileURLToPath(new URL('../../enclave-core/dist/main.js', import.meta.url))];
  }
  const program = fileURLToPath(new URL('../../enclave-core/src/main.ts', import.meta.url));
  return ['--conditions=drawbridge-source', '--import', import.meta.resolve('tsx'), program];
}

/** Runs it with our streams and signals. @returns its exit code, or 128 and the signal's number. */
export function runCore(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [...coreCommand(), ...args], { stdio: 'inherit' });
  const forward = (signal: NodeJS.Signals): void => {
    child.kill(signal);
  };
  // A terminal sends Ctrl-C to the whole group, so the core may get it twice, which it does not mind; `kill` sends it to us.
  const signals: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGHUP'];
  for (const signal of signals) process.on(signal, forward);
  return new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  }).finally(() => {
    for (const signal of signals) process.off(signal, forward);
  });
}
