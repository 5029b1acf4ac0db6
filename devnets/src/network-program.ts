/**
 * A development network as a program: prints one line of JSON with `"ready":true` and goes on until SIGTERM or SIGINT,
 * then ends its network in order.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';

/** Of `--name VALUE`. */
export type FlagValues = Readonly<Record<string, string | undefined>>;

export type RunningNetwork = Readonly<{
  /** What is printed beside `ready`. */
  facts: object;
  /** Funded, with their keys; written where `--accounts` says. */
  accounts: readonly object[];
  /** Resolves when the network is no longer whole though nobody asked it to end. */
  failed: Promise<unknown>;
  stop: () => Promise<void>;
}>;

export type NetworkProgram = Readonly<{
  usage: string;
  /** Names of its flags beside `accounts` and `help`. */
  flags: readonly string[];
  required: readonly string[];
  start: (values: FlagValues) => Promise<RunningNetwork>;
}>;

/** Sets the process's exit code: 0 when asked to end, 2 for wrong use, 1 for everything else, which is said in words. */
export async function runNetworkProgram(program: NetworkProgram): Promise<void> {
  try {
    process.exitCode = await run(program);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

async function run(program: NetworkProgram): Promise<number> {
  const values = readFlags(program, process.argv.slice(2));
  if (values.help) {
    process.stdout.write(`${program.usage}\n`);
    return 0;
  }
  if (program.required.some((name) => values[name] === undefined)) {
    process.stderr.write(`${program.usage}\n`);
    return 2;
  }
  const asked = new Promise<'asked'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve('asked'));
  });
  const network = await program.start(values);
  if (values.accounts !== undefined) {
    await writeFile(values.accounts, `${JSON.stringify(network.accounts, null, 2)}\n`, { mode: 0o600 });
  }
  process.stdout.write(`${JSON.stringify({ ready: true, ...network.facts })}\n`);
  const reason = await Promise.race([asked, network.failed]);
  await network.stop();
  return reason === 'asked' ? 0 : 1;
}

function readFlags({ flags, usage }: NetworkProgram, args: string[]): FlagValues {
  const strings = Object.fromEntries([...flags, 'accounts'].map((name) => [name, { type: 'string' as const }]));
  try {
    const { values } = parseArgs({ args, options: { ...strings, help: { type: 'boolean', short: 'h' } } });
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
  } catch (cause) {
    throw new TypeError(`${(cause as Error).message}\n${usage}`, { cause });
  }
}
