/**
 * `npm start`: a whole Drawbridge on this machine, the payments of a file run through it, the balances compared.
 * Words go to stdout, or to stderr with `--json`, whose last line of stdout is the result alone.
 */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Arguments, readArguments, USAGE } from './arguments.ts';
import { readBooks } from './books.ts';
import { BANKS, sceneOf } from './cast.ts';
import { bankClients } from './clients.ts';
import { leaveProof, openProofFolder } from './leave-proof.ts';
import { LiveTable } from './live-table.ts';
import { type LocalSystem, startLocalSystem } from './local-system.ts';
import { type Payment, readPayments } from './payments-file.ts';
import { type AssetBalance, allAgree, compareBalances, type Outcomes, outcomesOf, routesOf } from './reconcile.ts';
import { balancesText, nextStepsText, outcomesText } from './report.ts';
import { runPayments } from './run-payments.ts';

const EXAMPLES = resolve(import.meta.dirname, '../../examples');

/** Exit codes of a run that was ended before its last payment, as in a shell. */
const INTERRUPTED = { SIGINT: 130, SIGTERM: 143 } as const;

async function main(): Promise<number> {
  const args = readArguments(process.argv.slice(2));
  if (args.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const payments = await paymentsOf(args);
  const out = args.out === undefined ? undefined : await openProofFolder(resolve(args.out));
  const ending = new AbortController();
  const words = args.json ? process.stderr : process.stdout;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // Once: after a second one this process is gone, and the reaper ends its children.
    process.once(signal, () => {
      words.write('\nending; a second Ctrl-C does not wait\n');
      ending.abort(signal);
    });
  }
  const dir = await mkdtemp(join(tmpdir(), 'drawbridge-'));
  try {
    return await demonstrate({ args, payments, out, dir, words, signal: ending.signal });
  } catch (error) {
    if (!ending.signal.aborted) throw error;
    words.write('ended before the last payment, as asked\n');
    return INTERRUPTED[ending.signal.reason as keyof typeof INTERRUPTED];
  } finally {
    words.write(`logs and keys of this run: ${dir}\n`);
  }
}

/** Of the file that was named, or the examples: those of Corda beside the others. */
async function paymentsOf({ payments, corda }: Arguments): Promise<Payment[]> {
  const scene = sceneOf({ corda });
  if (payments !== undefined) return readPayments(payments, scene);
  const files = ['payments.csv', ...(corda ? ['corda-payments.csv'] : [])];
  const read = await Promise.all(files.map((file) => readPayments(resolve(EXAMPLES, file), scene)));
  return read.flat().map((payment, index) => ({ ...payment, row: index + 1 }));
}

type Demonstration = Readonly<{
  args: Arguments;
  payments: readonly Payment[];
  /** Folder for what a third party needs, if it is wanted. */
  out: string | undefined;
  /** Folder of this run. */
  dir: string;
  words: NodeJS.WriteStream;
  signal: AbortSignal;
}>;

async function demonstrate({ args, payments, out, dir, words, signal }: Demonstration): Promise<number> {
  const say = (sentence: string): void => void words.write(`${sentence}\n`);
  const startedMs = performance.now();
  const system = await startLocalSystem({
    dir,
    progress: (sentence) => say(`  ${sentence}`),
    signal,
    coreNodes: args.nodes,
    ...(args.corda && { corda: {} }),
    ...(process.env.REDIS_URL ? { redisUrl: process.env.REDIS_URL } : {}),
  });
  try {
    const { outcomes, balances } = await run({ system, payments, words, signal, out, startedMs });
    say(balancesText(balances));
    say(outcomesText(outcomes));
    if (out) say(`What a third party needs to check this run: ${out}`);
    if (!args.once && !signal.aborted) {
      say(nextStepsText(system));
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    }
    if (args.json) process.stdout.write(`${JSON.stringify(outcomes)}\n`);
    return allAgree(outcomes) ? 0 : 1;
  } finally {
    say('stopping everything that was started');
    await system.stop();
  }
}

async function run(input: {
  system: LocalSystem;
  payments: readonly Payment[];
  words: NodeJS.WriteStream;
  signal: AbortSignal;
  out: string | undefined;
  startedMs: number;
}): Promise<{ outcomes: Outcomes; balances: AssetBalance[] }> {
  const { system, payments, words } = input;
  const table = new LiveTable(words, Date.now);
  words.write(
    `running ${payments.length} ${payments.length === 1 ? 'payment' : 'payments'} of ${BANKS.length} banks\n`,
  );
  const clients = await bankClients(system);
  const standings = await runPayments({
    payments,
    clients,
    network: system.network,
    now: Date.now,
    onChange: (all, changed) => table.show(all, changed),
    signal: input.signal,
  });
  table.end(standings);
  const books = await readBooks(system);
  const balances = await compareBalances(system, books, (lock) =>
    system.network(lock.network).lockedAmount(lock.asset, lock.lockId),
  );
  const outcomes = {
    ...outcomesOf({ standings, books, balances, elapsedMs: performance.now() - input.startedMs }),
    ...(system.corda && { routes: routesOf(books.transfers) }),
  };
  if (input.out) await leaveProof({ dir: input.out, system, books, standings, outcomes });
  return { outcomes, balances };
}

/** Errors that say in words what whoever started this can do; all others are bugs and show where they are. */
const IN_WORDS: ReadonlySet<string> = new Set([
  'UsageError',
  'PaymentsFileError',
  'RedisError',
  'AnvilMissingError',
  'BootstrapperError',
  'CordaArtefactsError',
  'CordaError',
  'Java8Error',
  'MavenArtefactError',
  'JavaProgramsError',
  'RabbitMqMissingError',
  'ProcessError',
  'RunError',
]);

try {
  process.exitCode = await main();
} catch (error) {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  process.stderr.write(`${IN_WORDS.has(name) ? message : (stack ?? message)}\n`);
  process.exitCode = name === 'UsageError' || name === 'PaymentsFileError' ? 2 : 1;
}
