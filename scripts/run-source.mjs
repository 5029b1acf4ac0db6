// Runs one of our TypeScript programs from its source: `node scripts/run-source.mjs FILE [ARGS]`.
import { runSource } from './node-child.mjs';

const [file, ...args] = process.argv.slice(2);
process.exitCode = await runSource(file, args);
