/**
 * Evidence of every transaction of every vault on Corda, asked of the agent beside the vault party's node: from the states that stand
 * unspent back along what was consumed, to the creation. Permits and records last, so no transaction of a vault is missed.
 */
import { type AgentQuestions, askAgents } from '@drawbridge/connector-corda/testing/agent-questions';
import { GROUP } from '@drawbridge/evidence/corda-components';
import { stateRefOf, timeWindowOf } from '@drawbridge/evidence/corda-facts';
import { type CordaObject, readComponent } from '@drawbridge/evidence/corda-objects';
import { CORDA_TYPES, cordaTypes, TYPE } from '@drawbridge/evidence/corda-types';
import { type Bytes32, parseBytes32, toHex } from '@drawbridge/protocol/bytes32';
import { type CordaEvidence, decodeCordaEvidence } from '@drawbridge/protocol/corda-evidence';
import type { EvidenceFile } from './gather-evidence.ts';
import type { LocalSystem } from './local-system.ts';

/** Pages of unspent states that are read of one vault. */
const MAX_PAGES = 64;
const TYPES = cordaTypes(CORDA_TYPES);
const WINDOWS = [TYPE.windowFrom, TYPE.windowUntil, TYPE.windowBetween];

/** By vault numbered from 1, in the order of their time windows. */
export async function gatherCordaEvidence({ corda }: Pick<LocalSystem, 'corda'>): Promise<EvidenceFile[]> {
  if (corda === undefined) return [];
  const { queries, stop } = await askAgents(corda.testbed);
  try {
    const files: EvidenceFile[] = [];
    for (const { asset, address } of corda.vaults) {
      const proofs = await provenTransactions(parseBytes32(address), queries);
      const { network } = corda;
      files.push(...proofs.map((bytes, at) => ({ network, asset, seq: 1 + at, evidence: toHex(bytes) })));
    }
    return files;
  } finally {
    await stop();
  }
}

/** `fromSeconds`: when its time window begins. */
type Proof = Readonly<{ bytes: Uint8Array; fromSeconds: number }>;

/** Of one vault, in the order of their time windows. */
export async function provenTransactions(
  vault: Bytes32,
  queries: Pick<AgentQuestions['queries'], 'states' | 'proof'>,
): Promise<Uint8Array[]> {
  const kept = await queries.states(vault, MAX_PAGES);
  const waiting = new Set(kept.map(({ ref }) => ref.slice(0, 66) as Bytes32));
  const proofs: Proof[] = [];
  // What is added while one goes through a set is gone through as well.
  for (const transaction of waiting) {
    const proof = await queries.proof(transaction);
    // The seed, and the cash that was locked, came of transactions that are none of the vault's.
    if (proof.type === 'refused' || proof.vault !== vault) continue;
    const evidence = decodeCordaEvidence(proof.evidence);
    for (const input of objectsOf(evidence, GROUP.inputs, [TYPE.stateRef]))
      waiting.add(stateRefOf(input).transactionId);
    const [window] = objectsOf(evidence, GROUP.timeWindow, WINDOWS).map(timeWindowOf);
    const { epochSeconds, nanos } = window?.from ?? { epochSeconds: 0, nanos: 0 };
    proofs.push({ bytes: proof.evidence, fromSeconds: epochSeconds + nanos / 1e9 });
  }
  return proofs.toSorted((a, b) => a.fromSeconds - b.fromSeconds).map(({ bytes }) => bytes);
}

const objectsOf = ({ groups }: CordaEvidence, ordinal: number, expected: readonly string[]): CordaObject[] =>
  groups
    .filter(({ groupIndex }) => groupIndex === ordinal)
    .flatMap(({ components }) => components.map(({ bytes }) => readComponent(bytes, TYPES, expected)));
