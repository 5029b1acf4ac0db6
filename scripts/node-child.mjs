// Runs Node with other flags, as export conditions and VM modules are flags of a process: the child has our streams,
// gets our signals, gives us its exit code, and ends when we are gone.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { isatty } from 'node:tty';

const endWithParent = new URL(`./end-with-parent.mjs?pid=${process.pid}`, import.meta.url).href;

/** Exit code of `node ARGS`; 128 and the signal's number, as in a shell, when a signal ended it. */
export function runNode(args) {
  const child = spawn(process.execPath, ['--import', endWithParent, ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  // A terminal sends Ctrl-C to the whole group: passed on, the child would get it twice.
  process.on('SIGINT', () => isatty(0) || child.kill('SIGINT'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}

/** Exit code of one of our TypeScript programs, run from its source. */
export function runSource(file, args) {
  return runNode(['--conditions=drawbridge-source', '--import', import.meta.resolve('tsx'), file, ...args]);
}
