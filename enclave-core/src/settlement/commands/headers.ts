/**
 * Sealed headers of a network that is believed by consensus. Whoever proposed them has verified every seal against the
 * committed chain; here the chain moves by what the headers say, and everything but the signatures is checked again.
 * Order of checks: network, rule, network's word taken, trust version, age of the head, base, clock, each block.
 */

import { type ChainFront, hashAt, stepFront, type TrackedChain, withHashes } from '@drawbridge/evidence/tracked-chain';

import { type ConsensusFinality, isConsensus, type Network } from '@drawbridge/governance/registration';
import type { NetworkId } from '@drawbridge/protocol/ids';
import { halt } from '../alarms.ts';
import type { Command, Outcome } from '../command.ts';
import { InvariantError } from '../invariant-error.ts';
import { takesEvidence } from '../lane.ts';
import type { Overlay } from '../overlay.ts';
import { refuse } from '../terms.ts';

type Tracked = Readonly<{ network: Network; finality: ConsensusFinality; chain: TrackedChain }>;

export function headers(overlay: Overlay, command: Extract<Command, { type: 'headers' }>): Outcome {
  const tracked = findTracked(overlay, command);
  if ('ok' in tracked) return tracked;
  const { chain } = tracked;
  const last = command.blocks.at(-1);
  if (last === undefined) return refuse('HEADERS_INVALID', 'there is no header');
  if (hashAt(chain, last.number) === last.hash) return refuse('HEADERS_SEEN', 'the headers were taken');
  if (command.base !== chain.head.hash) return refuse('HEADERS_STALE', 'the headers do not build on the tracked head');
  if (last.timestampS > overlay.stampMs / 1_000 + overlay.base.limits.headerLeadS) {
    return refuse('HEADER_AHEAD', 'a header is of a time that is still to come');
  }
  let front: ChainFront = chain;
  for (const block of command.blocks) {
    const next = stepFront(front, block);
    if (!next.ok) return refuse('HEADERS_INVALID', next.detail);
    front = next.chain;
  }
  const hashes = command.blocks.map(({ hash }) => hash);
  overlay.chains.set(command.network, withHashes(chain, front, hashes));
  return { ok: true };
}

/** Two sealed blocks at one height: the network's word is worth nothing until governance names a checkpoint. */
export function headerConflict(overlay: Overlay, command: Extract<Command, { type: 'headerConflict' }>): Outcome {
  const tracked = findTracked(overlay, command);
  if ('ok' in tracked) return tracked;
  const { number, trackedHash, otherHash } = command;
  if (hashAt(tracked.chain, number) !== trackedHash || otherHash === trackedHash) {
    return refuse('HEADERS_STALE', 'the block that it contradicts is not tracked');
  }
  const { registry } = overlay;
  const networks = new Map(registry.networks).set(command.network, { ...tracked.network, state: 'halted' });
  overlay.registry = { ...registry, networks };
  for (const [key, { network }] of registry.vaults) if (network === command.network) halt(overlay, key, 'CHAIN_FORKED');
  return { ok: true };
}

/** Why a block's word is not taken now; `undefined` when it is tracked and the head above it is young enough. */
export function refuseBlock(
  overlay: Overlay,
  { network, blockNumber, blockHash }: Extract<Command, { type: 'vaultEvent' }>,
): Outcome | undefined {
  const registered = overlay.network(network);
  if (!registered || !isConsensus(registered.finality)) return undefined;
  const chain = chainOf(overlay, network);
  if (isExpired(overlay, chain, registered.finality)) return refuse('HEAD_EXPIRED', EXPIRED);
  if (blockNumber > chain.head.number) return refuse('BLOCK_NOT_TRACKED', 'headers up to the block come first');
  return hashAt(chain, blockNumber) === blockHash
    ? undefined
    : refuse('BLOCK_UNKNOWN', 'the block is not of the tracked chain, or older than evidence may be');
}

const EXPIRED = 'the tracked head is older than the trusting period; a new checkpoint is needed';

function findTracked(
  overlay: Overlay,
  { network: id, trustVersion }: Readonly<{ network: NetworkId; trustVersion: number }>,
): Tracked | Outcome {
  const network = overlay.network(id);
  if (!network) return refuse('NETWORK_UNKNOWN', 'network is not registered');
  const { finality } = network;
  if (!isConsensus(finality)) return refuse('RULE_MISMATCH', `network is believed by rule ${finality.rule}`);
  if (!takesEvidence(overlay, id)) return refuse('LANE_CLOSED', `network is ${network.state}`);
  if (trustVersion !== network.trustVersion) {
    return refuse('TRUST_VERSION_STALE', `trust version is ${network.trustVersion}`);
  }
  const chain = chainOf(overlay, id);
  if (isExpired(overlay, chain, finality)) return refuse('HEAD_EXPIRED', EXPIRED);
  return { network, finality, chain };
}

function chainOf(overlay: Overlay, network: NetworkId): TrackedChain {
  const chain = overlay.chains.get(network);
  if (chain === undefined) throw new InvariantError('a network that is believed by consensus has no chain');
  return chain;
}

const isExpired = ({ stampMs }: Overlay, { head }: TrackedChain, { trustingPeriodS }: ConsensusFinality): boolean =>
  stampMs > (head.timestampS + trustingPeriodS) * 1_000;
