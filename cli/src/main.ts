#!/usr/bin/env node
/** The `drawbridge` command as a process. */
import { randomUUID } from 'node:crypto';
import { DrawbridgeClient } from '@drawbridge/client/bank-client';
import { runCore } from './core-program.ts';
import { runCli } from './program.ts';

function untilInterrupted(): AbortSignal {
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  process.once('SIGTERM', () => interrupted.abort());
  return interrupted.signal;
}

const argv = process.argv.slice(2);
// A reader that has seen enough (`drawbridge events | head`) ends the command, as it does others. A verdict that did not get out is none.
const hasSeenEnough = ({ code }: NodeJS.ErrnoException): boolean => code === 'EPIPE' && argv[0] !== 'verify';
process.stdout.on('error', (error) => process.exit(hasSeenEnough(error) ? 0 : 2));

process.exitCode = await runCli(argv, {
  output: {
    out: (text) => process.stdout.write(`${text}\n`),
    err: (text) => process.stderr.write(`${text}\n`),
  },
  connect: (access) => new DrawbridgeClient(access),
  runCore,
  nowMs: Date.now,
  newId: randomUUID,
  untilInterrupted,
});
