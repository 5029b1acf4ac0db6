// Runs one of our TypeScript programs from its sources: `node scripts/run-source.mjs FILE [ARGS]`.
// Export conditions are flags of the process, so a child carries them; signals and the exit code pass through.
import { spawn } from 'node:child_process';

const [file, ...args] = process.argv.slice(2);
const child = spawn(process.execPath, ['--conditions=source', '--import', 'tsx', file, ...args], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
