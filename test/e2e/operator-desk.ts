/** What an operator of a Corda network does at the core, by the commands of docs/operators/corda.md. */
import { execFile } from 'node:child_process';
import { rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { CORDA_NETWORK } from '@drawbridge/demo/cast';
import { sourceProgram } from '@drawbridge/devnets/source-program';
import type { TransferResource } from '@drawbridge/protocol/api/transfer';
import { eventually, type World } from './world.ts';

const CLI = resolve(import.meta.dirname, '../../cli/src/main.ts');
/** A flow on a busy machine takes seconds. */
const PATIENCE_MS = 180_000;

const PATIENT = { fundBySeconds: 240, deliverBySeconds: 400, asset: 'GBP' } as const;
/** Payments into the Corda network, and out of it, that survive a node's start. */
export const IN = { ...PATIENT, from: 'boreal', to: 'aurora', source: 'quorum-a', destination: CORDA_NETWORK } as const;
export const OUT = {
  ...PATIENT,
  from: 'aurora',
  to: 'boreal',
  source: CORDA_NETWORK,
  destination: 'quorum-a',
} as const;

const call = promisify(execFile);

/** Its standard output. */
export async function drawbridge(...args: string[]): Promise<string> {
  const program = sourceProgram(CLI, args);
  return (await call(program.command, program.args)).stdout;
}

/** Written by whoever proposes it, signed by two who hold bootstrap keys, and laid where the core looks. */
export async function amend({ system }: World, number: number, actions: readonly object[]): Promise<void> {
  const { dir, serviceId } = system;
  const file = join(dir, `amendment-${number}.json`);
  await writeFile(file, JSON.stringify({ version: 1, serviceId, number, actions, signatures: [] }));
  for (const holder of [1, 2]) {
    await drawbridge('amendment', 'sign', file, '--key', join(dir, 'keys', `bootstrap-${holder}.key`));
  }
  await rename(file, join(dir, 'amendments', `${number}.json`));
}

export const exposureCap = (amountMinor: bigint): object => ({
  name: 'set_exposure_cap',
  args: { network: CORDA_NETWORK, asset: 'GBP', amountMinor: String(amountMinor) },
});

export function settled(world: World, bank: string, id: TransferResource['id']): Promise<TransferResource> {
  return eventually(
    `${bank}'s transfer is settled`,
    async () => {
      const transfer = await world.desk(bank).transfer(id);
      if (transfer.state !== 'SETTLED') throw new Error(`it is ${transfer.state}`);
      return transfer;
    },
    PATIENCE_MS,
  );
}

/** One each way, and equal sums after. */
export async function worksBothWays(world: World, amountMinor: bigint): Promise<void> {
  const there = await world.fund({ ...OUT, amountMinor });
  const back = await world.fund({ ...IN, amountMinor });
  await settled(world, 'aurora', there.id);
  await settled(world, 'boreal', back.id);
  await world.expectConserved();
}
