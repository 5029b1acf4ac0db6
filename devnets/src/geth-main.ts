/** Builds geth into the cache, or finds it there, and prints its path; `skipped: …` where this machine cannot have it. */
import { gethOrReason } from './geth-binary.ts';

const geth = await gethOrReason({ log: (sentence) => process.stderr.write(`${sentence}\n`) });
process.stdout.write(`${'program' in geth ? geth.program : `skipped: ${geth.reason}`}\n`);
