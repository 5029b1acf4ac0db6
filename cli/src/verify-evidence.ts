/** `drawbridge verify evidence FILE`: what a file proves, or the first check that fails. */
import { OBSERVER_CHECKS, type ObserverProof, verifyObserverEvidence } from '@drawbridge/evidence/observers';
import type { ObserverTrustRoot } from '@drawbridge/evidence/trust-root';
import { evidenceKindOf } from '@drawbridge/protocol/consensus-evidence';
import { isCordaEvidence } from '@drawbridge/protocol/corda-evidence';
import { decodeObserverEvidence, type ObserverEvidence } from '@drawbridge/protocol/observer-evidence';
import { isProtocolError } from '@drawbridge/protocol/protocol-error';
import { CliError } from './cli-error.ts';
import { verifyEd25519 } from './ed25519.ts';
import { eventJson, eventLines, type VaultAsset } from './event-lines.ts';
import { parseEvidenceFile } from './evidence-file.ts';
import { type GenesisRoots, readGenesisRoots, rootFor } from './genesis-roots.ts';
import { readInput, readJsonFile } from './input-file.ts';
import { aligned, json, type Line, type Output } from './output.ts';
import { type Refusal, refusalJson, refusalLines, refusedBy } from './refusal.ts';
import { judgeSealed, type SealedVerdict, sealedJson, sealedLines } from './verify-consensus.ts';
import { judgeNotarised, type NotarisedVerdict, notarisedJson, notarisedLines } from './verify-corda.ts';

type ObservedVerdict = Readonly<{
  ok: true;
  proof: ObserverProof;
  evidence: ObserverEvidence;
  root: ObserverTrustRoot;
  chainId: number;
}> &
  VaultAsset;
type Verdict = ObservedVerdict | SealedVerdict | NotarisedVerdict | Refusal;

export type VerifyFlags = Readonly<{
  genesis?: string;
  /** Files and folders with batches of headers. */
  headers?: readonly string[];
  /** Files and folders with evidence of what changed the command of a Corda vault before. */
  earlier?: readonly string[];
  json?: boolean;
}>;

/**
 * Prints the verdict. @returns 0 for proven, 1 for refused.
 * @throws CliError where there is nothing to judge: a file that cannot be read, no genesis, one that is wrong, headers that
 * are missing.
 */
export async function verifyEvidenceCommand(path: string, options: VerifyFlags, output: Output): Promise<0 | 1> {
  const file = parseEvidenceFile(await readInput(path), path);
  const given = options.genesis === undefined ? file.genesis : await readJsonFile(options.genesis);
  if (given === undefined) {
    throw new CliError(
      'USAGE',
      'name the genesis file of the service with --genesis: it says whom each network is believed by',
    );
  }
  const genesis = readGenesisRoots(given);
  const { headers, earlier } = options;
  const verdict = await judge(file.bytes, { genesis, path, headers, earlier });
  const source = options.genesis ?? `${path} itself`;
  output.out(
    options.json
      ? json({ ...verdictJson(verdict), serviceId: genesis.serviceId })
      : aligned([...verdictLines(verdict), ...rootLines(genesis, source, options.genesis === undefined)]),
  );
  return verdict.ok ? 0 : 1;
}

type Given = Readonly<{
  genesis: GenesisRoots;
  path: string;
  headers: readonly string[] | undefined;
  earlier: readonly string[] | undefined;
}>;

async function judge(bytes: Uint8Array, { genesis, path, headers, earlier }: Given): Promise<Verdict> {
  if (isCordaEvidence(bytes)) {
    if (headers !== undefined) throw new CliError('USAGE', `${path} is evidence by a notary: leave out --headers`);
    return judgeNotarised(bytes, genesis, earlier ?? []);
  }
  if (earlier !== undefined) throw new CliError('USAGE', `${path} is no evidence of Corda: leave out --earlier`);
  const kind = evidenceKindOf(bytes);
  if (kind === 'headers') {
    throw new CliError('USAGE', `${path} is a batch of headers: name the event there, and the batch with --headers`);
  }
  if (kind === 'event' || (kind === undefined && headers !== undefined)) {
    return judgeSealed(bytes, genesis, headers ?? []);
  }
  if (headers !== undefined) {
    throw new CliError('USAGE', `${path} is evidence by observers, who need no headers: leave out --headers`);
  }
  return judgeObserved(bytes, genesis);
}

const refuse = (check: (typeof OBSERVER_CHECKS)[number], code: string, detail: string): Refusal =>
  refusedBy(OBSERVER_CHECKS, { ok: false, check, code, detail });

function judgeObserved(bytes: Uint8Array, genesis: GenesisRoots): ObservedVerdict | Refusal {
  let evidence: ObserverEvidence;
  try {
    evidence = decodeObserverEvidence(bytes);
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    return refuse('form', 'FORM_INVALID', error.message);
  }
  const { network, log } = evidence;
  const registered = genesis.networks.get(network);
  if (registered === undefined) {
    return refuse('network', 'NETWORK_MISMATCH', `genesis registers no network ${network}`);
  }
  const found = rootFor(genesis, registered, log.address);
  if (!found.ok) return refuse('trustRoot', 'TRUST_ROOT_UNUSABLE', found.detail);
  const proof = verifyObserverEvidence(evidence, found.root, verifyEd25519);
  if (!proof.ok) return refusedBy(OBSERVER_CHECKS, proof);
  const { asset } = found;
  const scale = asset && genesis.scales.get(asset);
  return {
    ok: true,
    proof,
    evidence,
    root: found.root,
    chainId: registered.chainId,
    ...(asset !== undefined && { asset }),
    ...(scale !== undefined && { scale }),
  };
}

function verdictLines(verdict: Verdict): Line[] {
  if (!verdict.ok) return refusalLines(verdict);
  if ('facts' in verdict) return notarisedLines(verdict);
  return 'root' in verdict ? observedLines(verdict) : sealedLines(verdict);
}

const rootLines = ({ serviceId }: GenesisRoots, source: string, carried: boolean): Line[] => [
  ['trust roots', carried ? `${source}: they prove nothing unless you know this service id from elsewhere` : source],
  ['service', serviceId],
];

function observedLines(verdict: ObservedVerdict): Line[] {
  const { proof, evidence, root, chainId, asset } = verdict;
  return [
    ['evidence', 'PROVEN'],
    ['network', `${evidence.network}, chain ${chainId}, genesis ${evidence.genesisHash}`],
    ['block', `${proof.blockNumber}, ${proof.blockHash}`],
    ['depth', `${proof.depthBlocks} blocks, ${root.depthBlocks} needed`],
    ['transaction', `${evidence.log.transactionHash}, log ${evidence.log.logIndex}`],
    ['vault', `${root.vault}${asset === undefined ? '' : `, ${asset}`}`],
    ...eventLines(proof.event, verdict),
    ['vouched by', proof.vouchedBy.join(', ')],
    ['finality', `not final by proof: ${proof.vouchedBy.length} of ${root.observers.length} observers`],
    ['digest', proof.digest],
  ];
}

function verdictJson(verdict: Verdict): object {
  if (!verdict.ok) return refusalJson(verdict);
  if ('facts' in verdict) return notarisedJson(verdict);
  if (!('root' in verdict)) return sealedJson(verdict);
  const { proof, evidence, root, chainId, asset, scale } = verdict;
  return {
    proven: true,
    network: evidence.network,
    chainId,
    genesisHash: evidence.genesisHash,
    blockNumber: proof.blockNumber,
    blockHash: proof.blockHash,
    transactionHash: evidence.log.transactionHash,
    logIndex: evidence.log.logIndex,
    depthBlocks: proof.depthBlocks,
    vault: root.vault,
    asset,
    scale,
    event: eventJson(proof.event),
    vouchedBy: proof.vouchedBy,
    finalByProof: false,
    observers: root.observers.length,
    threshold: root.threshold,
    digest: proof.digest,
  };
}
