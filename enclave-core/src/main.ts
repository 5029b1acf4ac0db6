/**
 * The core as a process.
 *
 *     main create --dir DIR --vaults quorum-a/EUR,quorum-b/EUR [--hosts core.example,10.0.0.7]
 *     main node --dir DIR [--hosts NAME,…]
 *     main start --dir DIR --genesis FILE --listen 127.0.0.1:0 [--peer-listen HOST:PORT] [--amendments DIR]
 *     main join --dir DIR --service-cert FILE --peer HOST:PORT,… --listen HOST:PORT --peer-listen HOST:PORT
 *
 * Each refuses surroundings that could look into it, unless there is `--development`.
 *
 * Standard output has one line of JSON: the public parts of the new service or node, or
 * `{"ready":true,"url":…,"serviceId":…,"nodeId":…,"peerAddress":…}`. The log is JSON on standard error. SIGTERM and SIGINT stop
 * it, SIGHUP reads the amendments again.
 */
import { closeProcess, hardenProcess } from './process-hardening.ts';
import { ServiceError } from './service/service-error.ts';

const given = process.argv.slice(2);
/** Every command draws secrets or holds them, and what says how to call them does nothing else. */
const onlyHelps = given.includes('--help') || given.includes('-h');
const argv = onlyHelps ? ['--help'] : given;

function surroundings(): string[] {
  if (!onlyHelps) return hardenProcess(argv.includes('--development'));
  closeProcess();
  return [];
}

/** As the log would say it, which is not loaded yet. */
function refuse({ code, message: detail }: ServiceError): never {
  const line = { level: 60, time: new Date().toISOString(), code, detail, msg: 'the core does not run' };
  process.stderr.write(`${JSON.stringify(line)}\n`);
  process.exit(1);
}

let unsafe: string[] = [];
try {
  unsafe = surroundings();
} catch (error) {
  if (error instanceof ServiceError) refuse(error);
  throw error;
}
// Not before: what is loaded from here on believes the environment.
const { runCore } = await import('./core-process.ts');
await runCore(argv, unsafe);
