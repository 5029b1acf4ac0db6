/**
 * A running system for end-to-end tests, and the few verbs that its stories are told in. Every wait is for an event or a
 * state, with a deadline; every story ends by comparing the sums on both chains with the core.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DrawbridgeClient } from '@drawbridge/client/bank-client';
import { readBooks } from '@drawbridge/demo/books';
import { BANKS } from '@drawbridge/demo/cast';
import { bankClients } from '@drawbridge/demo/clients';
import { type LocalSystem, type LocalSystemOptions, startLocalSystem } from '@drawbridge/demo/local-system';
import { compareBalances } from '@drawbridge/demo/reconcile';
import type { TransferResource, TransferStateName } from '@drawbridge/protocol/api/transfer';
import {
  parseAssetCode,
  parseNetworkId,
  parseParticipantId,
  parseTransferId,
  type TransferId,
} from '@drawbridge/protocol/ids';

/** Longest wait for a state, ms: several deadlines of a story and a restart of everything. */
const PATIENCE_MS = 120_000;
/** Between two looks, ms. */
const LOOK_MS = 150;

export type Payment = Readonly<{
  from: string;
  to: string;
  asset: string;
  amountMinor: bigint;
  source?: string;
  destination?: string;
  refuses?: boolean;
  onVoid?: 'return' | 'refund';
  fundBySeconds?: number;
  deliverBySeconds?: number;
  remittance?: string;
}>;

export type World = Readonly<{
  system: LocalSystem;
  desk: (bank: string) => DrawbridgeClient;
  submit: (payment: Payment, id?: TransferId) => Promise<TransferResource>;
  /** Submits and locks exactly what the core asks for; answers when the lock is mined. */
  fund: (payment: Payment) => Promise<TransferResource>;
  /** Waits until the transfer is in one of `states`. */
  until: (bank: string, id: TransferId, ...states: TransferStateName[]) => Promise<TransferResource>;
  /** Sums on all networks and in the core, per asset; throws where they differ. */
  expectConserved: () => Promise<void>;
  stop: () => Promise<void>;
  /** Removes the folder of the run; after `stop`. */
  remove: () => Promise<void>;
}>;

export async function startWorld(options: Partial<LocalSystemOptions> = {}): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), 'drawbridge-e2e-'));
  const system = await startLocalSystem({
    dir,
    ...(process.env.REDIS_URL ? { redisUrl: process.env.REDIS_URL } : {}),
    ...options,
  });
  const desks = await bankClients(system);
  const desk = (bank: string): DrawbridgeClient => {
    const found = desks.get(bank);
    if (!found) throw new RangeError(`there is no bank ${bank}`);
    return found;
  };
  const submit = async (payment: Payment, id: TransferId = parseTransferId(randomUUID())): Promise<TransferResource> =>
    (await desk(payment.from).submitTransfer(request(system, payment, id))).transfer;
  const until = (bank: string, id: TransferId, ...states: TransferStateName[]): Promise<TransferResource> =>
    eventually(`${bank}'s transfer in ${states.join(' or ')}`, async () => {
      const transfer = await desk(bank).transfer(id);
      if (states.includes(transfer.state)) return transfer;
      throw new Error(`it is ${transfer.state}${transfer.reason ? ` (${transfer.reason})` : ''}`);
    });
  return {
    system,
    desk,
    submit,
    fund: async (payment) => {
      const transfer = await submit(payment);
      if (!transfer.lock) throw new Error(`expected a lock call, the transfer is ${transfer.state}`);
      const { network, reference, amountMinor } = transfer.lock;
      await system.network(network).lock(payment.from, payment.asset, reference, BigInt(amountMinor));
      return transfer;
    },
    until,
    expectConserved: () => expectConserved(system),
    stop: () => system.stop(),
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}

export const lei = (bank: string): string => BANKS.find((known) => known.short === bank)?.lei ?? '';

function refusing(system: LocalSystem, network: string): string {
  const { refusedAddress } = system.network(network);
  if (refusedAddress === undefined) throw new RangeError(`nobody refuses on ${network}`);
  return refusedAddress;
}

function request(system: LocalSystem, payment: Payment, id: TransferId) {
  const time = (seconds: number): string => new Date(Date.now() + seconds * 1_000).toISOString();
  const { source, destination } = payment;
  return {
    id,
    asset: parseAssetCode(payment.asset),
    amountMinor: payment.amountMinor.toString(),
    creditor: parseParticipantId(lei(payment.to)),
    onVoid: payment.onVoid ?? ('return' as const),
    ...(payment.remittance === undefined ? {} : { remittance: payment.remittance }),
    ...(source
      ? {
          source: { network: parseNetworkId(source), depositor: system.network(source).wallet(payment.from) },
          fundBy: time(payment.fundBySeconds ?? 60),
        }
      : {}),
    ...(destination
      ? {
          destination: {
            network: parseNetworkId(destination),
            beneficiary: payment.refuses
              ? refusing(system, destination)
              : system.network(destination).wallet(payment.to),
          },
          deliverBy: time(payment.deliverBySeconds ?? 120),
        }
      : {}),
  };
}

/** Looks until `look` has an answer; a look that fails counts as none, so that a restart in between is survived. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined>,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  const deadline = performance.now() + patienceMs;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      const answer = await look();
      if (answer !== undefined) return answer;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  const why = last instanceof Error ? `: ${last.message}` : '';
  throw new Error(`waited ${patienceMs} ms in vain for ${what}${why}`, { cause: last });
}

async function expectConserved(system: LocalSystem): Promise<void> {
  await eventually(
    'equal sums on both chains and in the core',
    async () => {
      const balances = await compareBalances(system, await readBooks(system), (lock) =>
        system.network(lock.network).lockedAmount(lock.asset, lock.lockId),
      );
      const wrong = balances.filter((balance) => !balance.conserved);
      if (wrong.length === 0) return true;
      throw new Error(
        `sums differ: ${JSON.stringify(wrong, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))}`,
      );
    },
    30_000,
  );
}
