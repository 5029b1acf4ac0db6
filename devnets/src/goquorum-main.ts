/** Writes what the services of docker-compose's profile `goquorum` read, with keys drawn for it. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { drawGoquorumConfig } from './goquorum-config.ts';

const USAGE = `usage: node devnets/dist/goquorum-main.js [--dir DIR] [--chain-id N] [--block-time SECONDS]
  --dir DIR              must be empty or absent; .drawbridge/goquorum if left out, where compose looks
  --chain-id N           4010 if left out
  --block-time SECONDS   1 if left out`;

function readArguments(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        dir: { type: 'string', default: join('.drawbridge', 'goquorum') },
        'chain-id': { type: 'string', default: '4010' },
        'block-time': { type: 'string', default: '1' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (cause) {
    throw new TypeError(`${(cause as Error).message}\n${USAGE}`, { cause });
  }
}

async function main(): Promise<void> {
  const { dir, 'chain-id': chainId, 'block-time': periodS, help } = readArguments(process.argv.slice(2));
  if (help) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  if (![chainId, periodS].every((value) => /^[1-9]\d{0,8}$/.test(value))) throw new TypeError(USAGE);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  // Keys of a network that runs must not be lost to a second call.
  if ((await readdir(dir)).length > 0) throw new TypeError(`${dir} is not empty; name another folder or remove it`);
  const { files, validators } = drawGoquorumConfig({ chainId: Number(chainId), periodS: Number(periodS) });
  for (const [name, text] of files) {
    await mkdir(dirname(join(dir, name)), { recursive: true, mode: 0o700 });
    await writeFile(join(dir, name), text, { mode: 0o600, flag: 'wx' });
  }
  process.stdout.write(`${JSON.stringify({ dir, chainId: Number(chainId), validators })}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
