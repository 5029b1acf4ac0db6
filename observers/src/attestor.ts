/**
 * Decides whether to vouch for a log, by what a node of its own says and by what it signed before. The order of the
 * checks is the order of the answers: the first that fails is the one given.
 */
import type { Bytes32, Hex } from '@drawbridge/protocol/bytes32';
import { decodeVaultLog } from '@drawbridge/protocol/evm-vault-log';
import type { EvmAddress, NetworkId, ParticipantId } from '@drawbridge/protocol/ids';
import type { AttestAnswer, AttestProblemCode, AttestRequest } from '@drawbridge/protocol/observer-api';
import { type EvmLog, observerStatement } from '@drawbridge/protocol/observer-evidence';
import { isProtocolError } from '@drawbridge/protocol/protocol-error';
import { type BlockSight, type ChainIdentity, type EvmNode, NodeError, type Sighting } from './evm-node.ts';
import type { SeenLogs } from './seen-logs.ts';
import { type BlockGuard, SignedBlocksError } from './signed-blocks.ts';

export type WatchedNetwork = Readonly<{
  id: NetworkId;
  identity: ChainIdentity;
  depthBlocks: number;
  vaults: ReadonlySet<EvmAddress>;
  node: EvmNode;
}>;

export type Attestor = Readonly<{
  id: ParticipantId;
  serviceId: Bytes32;
  networks: ReadonlyMap<NetworkId, WatchedNetwork>;
  guard: BlockGuard;
  seen: SeenLogs;
  sign: (statement: Uint8Array) => Hex;
}>;

export type AttestRefusal = Readonly<{
  ok: false;
  code: AttestProblemCode;
  /** With `TOO_SHALLOW`: what was seen, 0 for a block that is not there yet. */
  depthBlocks?: number;
  cause?: unknown;
}>;
export type AttestResult = Readonly<{ ok: true; answer: AttestAnswer }> | AttestRefusal;

const refuse = (code: AttestProblemCode, extra: Pick<AttestRefusal, 'depthBlocks' | 'cause'> = {}): AttestRefusal => ({
  ok: false,
  code,
  ...extra,
});

export const sameChain = (a: ChainIdentity, b: ChainIdentity): boolean =>
  a.chainId === b.chainId && a.genesisHash === b.genesisHash;

export async function attest(attestor: Attestor, request: AttestRequest): Promise<AttestResult> {
  const network = attestor.networks.get(request.network);
  if (network === undefined) return refuse('NETWORK_UNKNOWN');
  try {
    const found = await findLog(attestor, network, request);
    if (!found.ok) return found;
    // The parts of one look may be moments apart; the block must still be there, and deep, after the log was read.
    const depth = depthOf(network, request, await network.node.block(request.blockNumber));
    if (!depth.ok) return depth;
    return await sign(attestor, network, found.log, Math.min(found.depthBlocks, depth.depthBlocks));
  } catch (cause) {
    if (cause instanceof NodeError) return refuse('NODE_UNAVAILABLE', { cause });
    if (cause instanceof SignedBlocksError) return refuse('GUARD_FAILED', { cause });
    throw cause;
  }
}

type Depth = Readonly<{ ok: true; depthBlocks: number }> | AttestRefusal;
type Found = Readonly<{ ok: true; depthBlocks: number; log: EvmLog }> | AttestRefusal;

/** Whoever asked before the block was deep enough, and asks again, has it looked up once. */
async function findLog({ seen }: Attestor, network: WatchedNetwork, request: AttestRequest): Promise<Found> {
  const known = seen.find(request);
  if (known) return { ok: true, depthBlocks: Number.POSITIVE_INFINITY, log: known };
  const sight = await network.node.look(request);
  if (!sameChain(sight.identity, network.identity)) return refuse('NODE_WRONG_NETWORK');
  const depth = depthOf(network, request, sight);
  if (!depth.ok && depth.code !== 'TOO_SHALLOW') return depth;
  const found = logIn(network, request, sight);
  if (found.ok && sight.blockHash !== undefined) seen.remember(request, found.log);
  if (!depth.ok) return depth;
  return found.ok ? { ...found, depthBlocks: depth.depthBlocks } : found;
}

type LogFound = Readonly<{ ok: true; log: EvmLog }> | AttestRefusal;

function logIn(network: WatchedNetwork, request: AttestRequest, { receipt }: Sighting): LogFound {
  if (receipt === undefined) return refuse('LOG_NOT_FOUND');
  if (receipt.blockNumber !== request.blockNumber) return refuse('LOG_NOT_FOUND');
  if (receipt.blockHash !== request.blockHash) return refuse('BLOCK_NOT_CANONICAL');
  const [log, another] = receipt.logs.filter(({ logIndex }) => logIndex === request.logIndex);
  if (log === undefined || another !== undefined || !receipt.succeeded) return refuse('LOG_NOT_FOUND');
  if (!network.vaults.has(log.address)) return refuse('VAULT_UNKNOWN');
  return isVaultEvent(log) ? { ok: true, log } : refuse('EVENT_INVALID');
}

function depthOf(network: WatchedNetwork, request: AttestRequest, sight: BlockSight): Depth {
  const depthBlocks = Math.max(0, sight.headNumber - request.blockNumber + 1);
  if (sight.blockHash === undefined) {
    return depthBlocks === 0 ? refuse('TOO_SHALLOW', { depthBlocks }) : refuse('BLOCK_NOT_FOUND');
  }
  if (sight.blockHash !== request.blockHash) return refuse('BLOCK_NOT_CANONICAL');
  if (depthBlocks < network.depthBlocks) return refuse('TOO_SHALLOW', { depthBlocks });
  return { ok: true, depthBlocks };
}

function isVaultEvent(log: EvmLog): boolean {
  try {
    decodeVaultLog(log);
    return true;
  } catch (error) {
    if (isProtocolError(error)) return false;
    throw error;
  }
}

async function sign(
  { id, serviceId, guard, sign: signStatement }: Attestor,
  network: WatchedNetwork,
  log: EvmLog,
  depthBlocks: number,
): Promise<AttestResult> {
  const { genesisHash } = network.identity;
  const { blockNumber, blockHash } = log;
  const claim = await guard.claim({ network: network.id, genesisHash, blockNumber, blockHash });
  if (claim === 'equivocation') return refuse('EQUIVOCATION');
  const statement = observerStatement({ serviceId, network: network.id, genesisHash, log, depthBlocks });
  return { ok: true, answer: { observer: id, depthBlocks, signature: signStatement(statement), log } };
}
