/**
 * One EVM development network as a program: prints `{"ready":true,"url":…,"genesisHash":…}` and goes on until SIGTERM
 * or SIGINT, then writes its chain to the state folder.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { startAnvil } from './anvil.ts';

const USAGE = `usage: node devnets/dist/main.js --chain-id N --state-dir DIR
  --accounts FILE        write the funded accounts there, with their keys: to deploy with, and to pay fees
  --port N               a free one if left out
  --host ADDRESS         127.0.0.1 if left out
  --block-time SECONDS   1 if left out`;

function readArguments(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        'chain-id': { type: 'string' },
        'state-dir': { type: 'string' },
        accounts: { type: 'string' },
        port: { type: 'string' },
        host: { type: 'string' },
        'block-time': { type: 'string', default: '1' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (cause) {
    throw new TypeError(`${(cause as Error).message}\n${USAGE}`, { cause });
  }
}

async function main(): Promise<number> {
  const values = readArguments(process.argv.slice(2));
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const { 'chain-id': chainId, 'state-dir': stateDir, accounts, port, host } = values;
  if (chainId === undefined || stateDir === undefined) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const asked = new Promise<'asked'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve('asked'));
  });
  const chain = await startAnvil({
    chainId: Number(chainId),
    stateDir,
    blockTimeSeconds: Number(values['block-time']),
    // A chain lost by a crash would stand against vault events that the core has booked.
    stateIntervalSeconds: 1,
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(host === undefined ? {} : { host }),
  });
  if (accounts !== undefined) {
    await writeFile(accounts, `${JSON.stringify(chain.accounts, null, 2)}\n`, { mode: 0o600 });
  }
  process.stdout.write(`${JSON.stringify({ ready: true, url: chain.rpcUrl, genesisHash: chain.genesisHash })}\n`);
  const reason = await Promise.race([asked, chain.exited()]);
  await chain.stop();
  return reason === 'asked' ? 0 : 1;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
