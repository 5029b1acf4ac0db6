// `npm run bench:evidence`: installs what is missing, then measures the verifiers of consensus. Only built-in modules may
// be imported here.
import { fileURLToPath } from 'node:url';
import { ensureInstalled } from './ensure-installed.mjs';
import { runSource } from './node-child.mjs';

if (await ensureInstalled()) {
  process.exitCode = await runSource(
    fileURLToPath(new URL('../test/bench/consensus-evidence.ts', import.meta.url)),
    process.argv.slice(2),
  );
} else {
  process.exitCode = 1;
}
