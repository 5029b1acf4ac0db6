/**
 * Evidence by consensus: from the checkpoint of the genesis along the headers to the block of the event, and the event in
 * it. Nothing is believed but the genesis; what was registered after it is not known here.
 */
import {
  EVIDENCE_CHECKS,
  type EvidenceProof,
  type EvidenceRefusal,
  verifyConsensusEvidence,
} from '@drawbridge/evidence/consensus-evidence';
import { readHeader } from '@drawbridge/evidence/sealed-header';
import { type ConsensusFinality, chainFrom, type TrackedChain, validatorsAt } from '@drawbridge/evidence/tracked-chain';
import { type ConsensusEvidence, decodeConsensusEvidence } from '@drawbridge/protocol/consensus-evidence';
import type { EvmAddress } from '@drawbridge/protocol/ids';
import { isProtocolError } from '@drawbridge/protocol/protocol-error';
import { CliError } from './cli-error.ts';
import { eventJson, eventLines, type VaultAsset } from './event-lines.ts';
import { type Followed, followHeaders, type UnusedBatch } from './follow-headers.ts';
import { type GenesisRoots, noVault, type RegisteredNetwork, vaultsOf } from './genesis-roots.ts';
import { readHeaderFiles } from './header-files.ts';
import type { Line } from './output.ts';
import { type Refusal, refusedBy } from './refusal.ts';
import { recoverSealer } from './secp256k1.ts';

export type SealedVerdict = Readonly<{
  ok: true;
  proof: EvidenceProof;
  evidence: ConsensusEvidence;
  network: RegisteredNetwork;
  finality: ConsensusFinality;
  head: TrackedChain['head'];
  /** Who was to seal the event's block, and how many did; of the checkpoint itself the genesis says neither. */
  validators?: readonly EvmAddress[];
  /** Seals in the header that was verified. Rule `clique` has one. */
  seals?: number;
  unused: readonly UnusedBatch[];
}> &
  VaultAsset;

const EVENT = 'the event';
const refuse = (check: EvidenceRefusal['check'], code: EvidenceRefusal['code'], detail: string): Refusal =>
  refusedBy(EVIDENCE_CHECKS, { ok: false, check, code, detail }, EVENT);

/** @throws CliError where headers are missing, or cannot be read */
export async function judgeSealed(
  bytes: Uint8Array,
  genesis: GenesisRoots,
  headerPaths: readonly string[],
): Promise<SealedVerdict | Refusal> {
  const evidence = decoded(bytes);
  if ('ok' in evidence) return evidence;
  const network = genesis.networks.get(evidence.network);
  if (network === undefined) {
    return refuse('network', 'NETWORK_MISMATCH', `genesis registers no network ${evidence.network}`);
  }
  const { finality } = network;
  if (finality.rule === 'observers') {
    return refuse('rule', 'RULE_MISMATCH', `evidence is for rule ${evidence.rule}, the network has observers`);
  }
  const vaults = vaultsOf(genesis, network.id);
  if (vaults.length === 0) return refuse('trustRoot', 'TRUST_ROOT_UNUSABLE', noVault(network.id));
  const root = { network: network.id, vaults: vaults.map(({ address }) => address), finality };
  // What is wrong with the event whatever the headers say is said before hours may go into them.
  const alone = verifyConsensusEvidence(evidence, { ...root, chain: chainFrom(finality) });
  if (!alone.ok && alone.code !== 'BLOCK_NOT_TRACKED') return refusedBy(EVIDENCE_CHECKS, alone, EVENT);
  const read = await readHeaderFiles(headerPaths, { network: network.id, rule: finality.rule });
  if (!read.ok) return read;
  const followed = followHeaders(finality, read.files, recoverSealer);
  if (!followed.ok) return followed;
  const { chain, unused } = followed;
  const proof = verifyConsensusEvidence(evidence, { ...root, chain });
  if (!proof.ok) {
    if (proof.code === 'BLOCK_NOT_TRACKED') throw missingHeaders(evidence, finality, followed);
    return refusedBy(EVIDENCE_CHECKS, proof, EVENT);
  }
  const asset = vaults.find(({ address }) => address === proof.vault)?.asset;
  const scale = asset && genesis.scales.get(asset);
  return {
    ok: true,
    proof,
    evidence,
    network,
    finality,
    head: chain.head,
    ...sealsOf(proof.blockNumber, finality, followed),
    unused,
    ...(asset !== undefined && { asset }),
    ...(scale !== undefined && { scale }),
  };
}

function decoded(bytes: Uint8Array): ConsensusEvidence | Refusal {
  try {
    return decodeConsensusEvidence(bytes);
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    return refuse('form', 'FORM_INVALID', error.message);
  }
}

function missingHeaders(evidence: ConsensusEvidence, finality: ConsensusFinality, followed: Followed): CliError {
  const { chain, headers, unused } = followed;
  const head = chain.head.number;
  const read = readHeader(evidence.header, finality);
  const reach = headers.size === 0 ? `the genesis begins at block ${head}` : `the headers reach block ${head}`;
  const within = read.ok ? `the event is in block ${read.header.number}` : 'the event is above it';
  const [next] = unused;
  const gap = unusedText(unused, head);
  const clique =
    finality.rule === 'clique' ? '; by rule clique the last headers of a batch only vouch, so batches overlap' : '';
  return new CliError(
    'HEADERS',
    `${reach}, ${within}: name batches from block ${head + 1} on with --headers${next ? ` (${gap})` : ''}${clique}`,
  );
}

function unusedText(unused: readonly UnusedBatch[], head: number): string {
  const [next] = unused;
  if (next === undefined) return 'none';
  const others = unused.length === 1 ? '' : `, and ${unused.length - 1} more`;
  const why = next.fromBlock > head + 1 ? 'leaves a gap' : 'is not final yet';
  return `${next.path}, from block ${next.fromBlock} on, ${why}${others}`;
}

function sealsOf(
  blockNumber: number,
  finality: ConsensusFinality,
  { chain, headers }: Followed,
): Pick<SealedVerdict, 'validators' | 'seals'> {
  const validators = validatorsAt(chain, blockNumber);
  const header = headers.get(blockNumber);
  const read = header && readHeader(header, finality);
  if (validators === undefined || !read?.ok) return {};
  return { validators, seals: read.reading.commit?.signatures.length ?? 1 };
}

const isFinalByProof = ({ finality }: SealedVerdict): boolean => finality.rule !== 'clique';

function finalityText(verdict: SealedVerdict): string {
  const { finality, proof, head, validators, seals } = verdict;
  const above = head.number - proof.blockNumber;
  if (!isFinalByProof(verdict)) return `not final by proof: ${finality.rule}, ${above} tracked blocks above it`;
  return validators === undefined
    ? 'final by the genesis: the block is its checkpoint'
    : `final by proof: ${seals} of ${validators.length} validators sealed`;
}

export function sealedLines(verdict: SealedVerdict): Line[] {
  const { proof, evidence, network, finality, head, validators, unused, asset } = verdict;
  const { checkpoint } = finality;
  return [
    ['evidence', 'PROVEN'],
    ['network', `${network.id}, chain ${network.chainId}, rule ${finality.rule}`],
    ['block', `${proof.blockNumber}, ${proof.blockHash}`],
    ['transaction', `${evidence.transactionIndex} of the block, log ${evidence.logIndexInReceipt} of its receipt`],
    ['vault', `${proof.vault}${asset === undefined ? '' : `, ${asset}`}`],
    ...eventLines(proof.event, verdict),
    ...(validators === undefined ? [] : [['validators', `${validators.length}: ${validators.join(', ')}`] as const]),
    ['finality', finalityText(verdict)],
    ['checkpoint', `${checkpoint.blockNumber}, ${checkpoint.blockHash}`],
    ['head', `${head.number}, ${head.hash}, ${timeText(head.timestampS)}`],
    ...(unused.length === 0 ? [] : [['not used', unusedText(unused, head.number)] as const]),
    ['digest', proof.digest],
  ];
}

/** A chain may have any number for its time. */
function timeText(timestampS: number): string {
  const time = new Date(timestampS * 1_000);
  return Number.isNaN(time.getTime()) ? `${timestampS} s` : time.toISOString();
}

export function sealedJson(verdict: SealedVerdict): object {
  const { proof, evidence, network, finality, head, validators, seals, unused, asset, scale } = verdict;
  return {
    proven: true,
    network: network.id,
    chainId: network.chainId,
    rule: finality.rule,
    blockNumber: proof.blockNumber,
    blockHash: proof.blockHash,
    transactionIndex: evidence.transactionIndex,
    logIndexInReceipt: evidence.logIndexInReceipt,
    vault: proof.vault,
    asset,
    scale,
    event: eventJson(proof.event),
    validators,
    seals,
    finalByProof: isFinalByProof(verdict),
    checkpoint: { blockNumber: finality.checkpoint.blockNumber, blockHash: finality.checkpoint.blockHash },
    head,
    unused,
    digest: proof.digest,
  };
}
