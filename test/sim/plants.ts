/**
 * Bugs planted to see that the checkers find them: each wraps a port or bends the world, none is in the product. A plant
 * also says which scenarios give it room to show.
 */
import type { StateMachine } from '@drawbridge/enclave-core/consensus/ports';
import type { Entry } from '@drawbridge/enclave-core/consensus/raft-types';
import { accountKey } from '@drawbridge/enclave-core/settlement/keys';
import type { EntryRecords } from '@drawbridge/enclave-core/settlement/record';
import type { SettlementState } from '@drawbridge/enclave-core/settlement/state';
import type { Machine } from './machine.ts';
import { granted, messageType, readVote } from './raft-message.ts';
import type { Random } from './random.ts';
import { FAULTS, type Fault, type ScenarioChanges } from './scenario.ts';
import type { Plant } from './sim-process.ts';
import type { World } from './world.ts';

type PlantedBug = Readonly<{ scenario: ScenarioChanges; plantFor: (world: World, machine: Machine) => Plant }>;

const MS = 1000;

/** What is planted sits in consensus and settlement, which are quicker without the rest. */
const QUICK = { assembly: 'replica' } as const;

const NO_FAULTS = Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<Fault, number>;

/** Nodes that come back soon, all of them together too. */
const MANY_ELECTIONS = {
  platform: 'virtual',
  tickUs: 20 * MS,
  electionTicks: 5,
  network: { delayUs: 10 * MS, drop: 0.02, duplicate: 0, late: 0.01, reorders: true },
  faultEveryUs: 500 * MS,
  restartUs: 100 * MS,
} as const;

export const PLANTS = {
  /** A voter forgets whom it voted for in this term, and grants another. */
  'vote-twice': {
    scenario: {
      ...QUICK,
      ...MANY_ELECTIONS,
      nodes: 3,
      // As long as an election takes: whoever calls one does not hear of another's in time.
      network: { delayUs: 40 * MS, drop: 0, duplicate: 0, late: 0, reorders: true },
      faultEveryUs: 700 * MS,
      faults: { ...NO_FAULTS, 'power-loss-all': 4, 'isolate-leader': 1 },
    },
    plantFor: votesTwice,
  },
  /** The disk says that a write is durable before it is. */
  'ack-before-fsync': {
    scenario: {
      ...QUICK,
      ...MANY_ELECTIONS,
      thinkUs: 2 * MS,
      faults: { 'power-loss': 4, 'power-loss-all': 8 },
    },
    plantFor: (_world, machine) => {
      machine.disk.lateByUs = 50 * MS;
      machine.excused = true;
      return {};
    },
  },
  /** One node applies two neighbouring entries of a batch in the wrong order. */
  'apply-out-of-order': {
    scenario: { ...QUICK, clients: 5, thinkUs: 2 * MS },
    plantFor: (world, { raftId }) =>
      raftId === 2 ? { machine: (inner) => outOfOrder(inner, world.random.fork('plant')) } : {},
  },
  /** Now and then a payment is credited twice, on every node alike. */
  'double-credit': { scenario: QUICK, plantFor: () => ({ spoil: creditTwice }) },
  /** A node answers reads from what it has, without asking whether that is the newest. */
  'stale-read': { scenario: QUICK, plantFor: () => ({ readsAlone: true }) },
  /** A node whose disk was rolled back by its host goes on under its old Raft id, as if it remembered everything. */
  'old-id-after-rollback': {
    scenario: { ...QUICK, platform: 'virtual', faultEveryUs: 300 * MS, faults: { rollback: 12 } },
    plantFor: () => ({}),
  },
} as const satisfies Record<string, PlantedBug>;

export type PlantName = keyof typeof PLANTS;

export function isPlant(name: string): name is PlantName {
  return Object.hasOwn(PLANTS, name);
}

export const plantedBug = (name: PlantName): PlantedBug => PLANTS[name];

function votesTwice(world: World, { raftId }: Machine): Plant {
  /** Candidates that asked, by Raft id: those whose logs are as new as this node's are granted, whoever else was. */
  const asked = new Map<number, number>();
  return {
    receive: (bytes) => {
      const { type, from, term, logTerm, index } = readVote(bytes);
      if (type !== messageType.vote) return;
      const last = world.logs.lastOf(raftId);
      const isAsNew = logTerm > last.term || (logTerm === last.term && index >= last.index);
      if (isAsNew) asked.set(from, term);
      else asked.delete(from);
    },
    send: (message) => {
      if (message.type !== messageType.voteResponse) return message;
      const { term, reject } = readVote(message.bytes);
      if (!reject || asked.get(message.to) !== term) return message;
      world.tally.count('plant: voted twice');
      return { ...message, bytes: granted(message.bytes) };
    },
  };
}

function outOfOrder(inner: StateMachine, random: Random): StateMachine {
  const swapped = (entries: readonly Entry[]): readonly Entry[] => {
    const at = entries.findIndex((entry, i) => entry.data.length > 0 && (entries[i + 1]?.data.length ?? 0) > 0);
    const [first, second] = [entries[at], entries[at + 1]];
    if (!first || !second || !random.chance(0.5)) return entries;
    return [...entries.slice(0, at), second, first, ...entries.slice(at + 2)];
  };
  return {
    applyBatch: (entries, members) => inner.applyBatch(swapped(entries), members),
    restore: (snapshot) => inner.restore(snapshot),
    install: (from, head, into, signal) => inner.install(from, head, into, signal),
  };
}

/** One payment in eight. */
function creditTwice({ lines }: EntryRecords, state: SettlementState): void {
  for (const { account, asset, deltaMinor, kind, transfer } of lines) {
    if (kind !== 'payment' || deltaMinor <= 0n || !transfer || !/[08]$/.test(transfer.id)) continue;
    const row = state.account(account, asset);
    if (!row) continue;
    state.putAccount(accountKey(account, asset), { ...row, postedMinor: row.postedMinor + deltaMinor });
  }
}
