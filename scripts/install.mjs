// Installs what is missing, as `npm start` and `npm test` do first; for CI, which wants it as a stage of its own.
import { ensureInstalled } from './ensure-installed.mjs';

process.exitCode = (await ensureInstalled()) ? 0 : 1;
