/** `drawbridge verify evidence FILE`: what a file proves, or the first check that fails. */
import {
  OBSERVER_CHECKS,
  type ObserverProof,
  type ObserverRefusal,
  verifyObserverEvidence,
} from '@drawbridge/evidence/observers';
import type { ObserverTrustRoot } from '@drawbridge/evidence/trust-root';
import { formatAmount } from '@drawbridge/protocol/amount';
import { fromHex, parseHex } from '@drawbridge/protocol/bytes32';
import type { AssetCode } from '@drawbridge/protocol/ids';
import { decodeObserverEvidence, type ObserverEvidence } from '@drawbridge/protocol/observer-evidence';
import { isProtocolError } from '@drawbridge/protocol/protocol-error';
import type { VaultEvent } from '@drawbridge/protocol/vault-event';
import { CliError } from './cli-error.ts';
import { verifyEd25519 } from './ed25519.ts';
import { type GenesisRoots, readGenesisRoots, rootFor } from './genesis-roots.ts';
import { fieldsOf, parseJson, readInput, readJsonFile } from './input-file.ts';
import { aligned, json, type Line, type Output } from './output.ts';

/** `evidence` as it came; `genesis` where the file carries one. */
type EvidenceFile = Readonly<{ bytes: Uint8Array; genesis?: unknown }>;

export type Verdict =
  | Readonly<{
      proof: ObserverProof;
      evidence: ObserverEvidence;
      root: ObserverTrustRoot;
      asset?: AssetCode;
      scale?: number;
      chainId: number;
    }>
  | ObserverRefusal;

/**
 * Prints the verdict. @returns 0 for proven, 1 for refused.
 * @throws CliError where there is nothing to judge: a file that cannot be read, no genesis, one that is wrong.
 */
export async function verifyEvidenceCommand(
  path: string,
  options: Readonly<{ genesis?: string; json?: boolean }>,
  output: Output,
): Promise<0 | 1> {
  const file = parseEvidenceFile(await readInput(path), path);
  const given = options.genesis === undefined ? file.genesis : await readJsonFile(options.genesis);
  if (given === undefined) {
    throw new CliError(
      'USAGE',
      'name the genesis file of the service with --genesis: it has the keys of the observers',
    );
  }
  const genesis = readGenesisRoots(given);
  const verdict = judge(file.bytes, genesis);
  const source = options.genesis ?? `${path} itself`;
  output.out(
    options.json
      ? json(verdictJson(verdict, genesis))
      : verdictText(verdict, { genesis, source, carried: options.genesis === undefined }),
  );
  return 'proof' in verdict ? 0 : 1;
}

/** JSON `{"evidence":"0x…","genesis":{…}}` or the bare bytes, which never begin with a brace. */
function parseEvidenceFile(content: Buffer, path: string): EvidenceFile {
  const text = content.toString('utf8');
  if (!text.trimStart().startsWith('{')) return { bytes: Uint8Array.from(content) };
  const fields = fieldsOf(parseJson(text, path), path);
  const evidence = fields.get('evidence');
  if (typeof evidence !== 'string') throw new CliError('FILE', `${path} has no evidence`);
  try {
    const genesis = fields.get('genesis');
    return { bytes: fromHex(parseHex(evidence, 'evidence')), ...(genesis !== undefined && { genesis }) };
  } catch (cause) {
    if (isProtocolError(cause)) throw new CliError('FILE', `${path}: ${cause.message}`, { cause });
    throw cause;
  }
}

function judge(bytes: Uint8Array, genesis: GenesisRoots): Verdict {
  let evidence: ObserverEvidence;
  try {
    evidence = decodeObserverEvidence(bytes);
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    return { ok: false, check: 'form', code: 'FORM_INVALID', detail: error.message };
  }
  const { network, log } = evidence;
  const registered = genesis.networks.get(network);
  if (registered === undefined) {
    return { ok: false, check: 'network', code: 'NETWORK_MISMATCH', detail: `genesis registers no network ${network}` };
  }
  const found = rootFor(genesis, registered, log.address);
  if (!found.ok) return { ok: false, check: 'trustRoot', code: 'TRUST_ROOT_UNUSABLE', detail: found.detail };
  const proof = verifyObserverEvidence(evidence, found.root, verifyEd25519);
  if (!proof.ok) return proof;
  const { asset } = found;
  const scale = asset && genesis.scales.get(asset);
  return {
    proof,
    evidence,
    root: found.root,
    chainId: registered.chainId,
    ...(asset !== undefined && { asset }),
    ...(scale !== undefined && { scale }),
  };
}

type Context = Readonly<{ genesis: GenesisRoots; source: string; carried: boolean }>;

function verdictText(verdict: Verdict, { genesis, source, carried }: Context): string {
  const roots: Line[] = [
    ['trust roots', carried ? `${source}: they prove nothing unless you know this service id from elsewhere` : source],
    ['service', genesis.serviceId],
  ];
  if (!('proof' in verdict)) {
    const position = OBSERVER_CHECKS.indexOf(verdict.check);
    return aligned([
      ['evidence', 'REFUSED'],
      ['check', `${verdict.check} (${position + 1} of ${OBSERVER_CHECKS.length})`],
      ['code', verdict.code],
      ['why', verdict.detail],
      ...roots,
    ]);
  }
  const { proof, evidence, root, chainId } = verdict;
  return aligned([
    ['evidence', 'PROVEN'],
    ['network', `${evidence.network}, chain ${chainId}, genesis ${evidence.genesisHash}`],
    ['block', `${proof.blockNumber}, ${proof.blockHash}`],
    ['depth', `${proof.depthBlocks} blocks, ${root.depthBlocks} needed`],
    ['transaction', `${evidence.log.transactionHash}, log ${evidence.log.logIndex}`],
    ['vault', `${root.vault}${verdict.asset === undefined ? '' : `, ${verdict.asset}`}`],
    ...eventLines(proof.event, (amount) => amountText(amount, verdict)),
    ['vouched by', proof.vouchedBy.join(', ')],
    ['finality', `not final by proof: ${proof.vouchedBy.length} of ${root.observers.length} observers`],
    ['digest', proof.digest],
    ...roots,
  ]);
}

function amountText(amountMinor: bigint, { asset, scale }: { asset?: AssetCode; scale?: number }): string {
  if (asset === undefined || scale === undefined) return `${amountMinor} minor units`;
  return `${asset} ${formatAmount(amountMinor, scale)}`;
}

function eventLines(event: VaultEvent, amount: (minor: bigint) => string): Line[] {
  const head: Line = ['event', `${event.seq}, ${event.type}`];
  switch (event.type) {
    case 'locked':
      return [
        head,
        ['amount', amount(event.amountMinor)],
        ['depositor', event.depositor],
        ['reference', event.reference],
        ['lock', event.lockId],
      ];
    case 'executed':
      return [
        head,
        ['kind', event.kind],
        ['amount', amount(event.amountMinor)],
        ['beneficiary', event.beneficiary],
        ['instruction', event.id],
        ['subject', event.subject],
        ['epoch', `${event.epoch}`],
      ];
    case 'voided':
      return [head, ['instruction', event.id], ['voids', event.subject], ['epoch', `${event.epoch}`]];
    case 'rotated':
      return [head, ['authority', event.authority], ['epoch', `${event.epoch}`], ['by', by(event.byGuardian)]];
    case 'pauseChanged':
      return [head, ['paused', event.paused ? 'yes' : 'no'], ['by', by(event.byGuardian)]];
    case 'migrated':
      return [head, ['successor', event.successor]];
    case 'guardianProposed':
    case 'guardianCancelled':
      return [head];
  }
}

const by = (guardian: boolean): string => (guardian ? 'guardians' : 'authority');

function verdictJson(verdict: Verdict, { serviceId }: GenesisRoots): object {
  if (!('proof' in verdict)) {
    const { check, code, detail } = verdict;
    return { proven: false, check, code, detail, serviceId };
  }
  const { proof, evidence, root, chainId, asset, scale } = verdict;
  const { event } = proof;
  return {
    proven: true,
    serviceId,
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
    event: 'amountMinor' in event ? { ...event, amountMinor: event.amountMinor.toString() } : event,
    vouchedBy: proof.vouchedBy,
    finalByProof: false,
    observers: root.observers.length,
    threshold: root.threshold,
    digest: proof.digest,
  };
}
