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

// A reader that has seen enough (`drawbridge events | head`) ends the command, as it does others.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 2));

process.exitCode = await runCli(process.argv.slice(2), {
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
