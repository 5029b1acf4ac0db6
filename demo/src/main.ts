/**
 * `npm start`: a whole Drawbridge on this machine, the payments of a file run through it, the balances compared.
 * Words go to stdout, or to stderr with `--json`, whose last line of stdout is the result alone.
 */
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readArguments, USAGE, UsageError } from './arguments.ts';
import { readBooks } from './books.ts';
import { BANKS } from './cast.ts';
import { bankClients } from './clients.ts';
import { leaveProof } from './leave-proof.ts';
import { LiveTable } from './live-table.ts';
import { type LocalSystem, startLocalSystem } from './local-system.ts';
import { type Payment, PaymentsFileError, readPayments } from './payments-file.ts';
import { type AssetBalance, allAgree, compareBalances, type Outcomes, outcomesOf } from './reconcile.ts';
import { balancesText, nextStepsText, outcomesText } from './report.ts';
import { runPayments } from './run-payments.ts';

const DEFAULT_PAYMENTS = resolve(import.meta.dirname, '../../examples/payments.csv');

async function main(): Promise<number> {
  const args = readArguments(process.argv.slice(2));
  if (args.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const words = args.json ? process.stderr : process.stdout;
  const say = (sentence: string): void => void words.write(`${sentence}\n`);
  const payments = await readPayments(args.payments ?? DEFAULT_PAYMENTS);
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ending.abort());

  const out = args.out === undefined ? undefined : resolve(args.out);
  if (out) await mkdir(out, { recursive: true });
  const dir = await mkdtemp(join(tmpdir(), 'drawbridge-'));
  const startedMs = performance.now();
  const system = await startLocalSystem({
    dir,
    progress: (sentence) => say(`  ${sentence}`),
    ...(process.env.REDIS_URL ? { redisUrl: process.env.REDIS_URL } : {}),
  });
  try {
    const { outcomes, balances } = await run({ system, payments, words, signal: ending.signal, out, startedMs });
    say(balancesText(balances));
    say(outcomesText(outcomes));
    const ok = allAgree(outcomes);
    if (!args.once && !ending.signal.aborted) {
      say(nextStepsText(system));
      await new Promise<void>((resolve) => ending.signal.addEventListener('abort', () => resolve(), { once: true }));
    }
    if (args.json) process.stdout.write(`${JSON.stringify(outcomes)}\n`);
    return ok ? 0 : 1;
  } finally {
    say('stopping everything that was started');
    await system.stop();
    say(`logs and keys of this run: ${dir}`);
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
  words.write(`running ${payments.length} payments of ${BANKS.length} banks\n`);
  const clients = await bankClients(system);
  const standings = await runPayments({
    payments,
    clients,
    chain: system.chain,
    now: Date.now,
    onChange: (all, changed) => table.show(all, changed),
    signal: input.signal,
  });
  table.end(standings);
  const books = await readBooks(system);
  const balances = await compareBalances(system.chains, books, (lock) =>
    system.chain(lock.network).lockedAmount(lock.asset, lock.lockId),
  );
  const outcomes = outcomesOf({ standings, books, balances, elapsedMs: performance.now() - input.startedMs });
  if (input.out) await leaveProof({ dir: input.out, system, books, standings, outcomes });
  return { outcomes, balances };
}

try {
  process.exitCode = await main();
} catch (error) {
  const expected = error instanceof UsageError || error instanceof PaymentsFileError;
  process.stderr.write(
    `${expected ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exitCode = expected ? 2 : 1;
}
