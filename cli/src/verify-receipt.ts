/** `drawbridge verify receipt FILE`: what a receipt proves, in words, or the first check that fails. */
import type { Claim, ClaimTerms } from '@drawbridge/protocol/ledger/claim-text';
import { hexOf } from './bytes.ts';
import { CliError } from './cli-error.ts';
import { readInput, readJsonFile } from './input-file.ts';
import { nameOf, readServiceCertificate, type ServiceCertificate } from './ledger/certificates.ts';
import { judgeReceipt, type ReceiptProof } from './ledger/receipt-verdict.ts';
import { parseMoment } from './moment.ts';
import { aligned, json, type Line, type Output } from './output.ts';
import { type Refusal, refusalJson, refusalLines } from './refusal.ts';

export type VerifyReceiptFlags = Readonly<{
  serviceCert?: string;
  /** `view.seqno` that it must be of. */
  transaction?: string;
  /** When certificates must be valid; now when absent. */
  at?: string;
  json?: boolean;
}>;

/**
 * Prints the verdict. @returns 0 for proven, 1 for refused.
 * @throws CliError where there is nothing to judge
 */
export async function verifyReceiptCommand(
  path: string,
  flags: VerifyReceiptFlags,
  { output, nowMs }: Readonly<{ output: Output; nowMs: number }>,
): Promise<0 | 1> {
  const service = await readPinned(flags.serviceCert);
  const verdict = judgeReceipt(await readJsonFile(path), {
    service,
    atMs: atMsOf(flags.at, nowMs),
    ...(flags.transaction !== undefined && { transaction: flags.transaction }),
  });
  if (flags.json) output.out(json({ ...verdictJson(verdict), serviceCertificate: service.fingerprint }));
  else output.out(aligned(verdict.ok ? provenLines(verdict, service) : refusalLines(verdict, 'receipt')));
  return verdict.ok ? 0 : 1;
}

/** @throws CliError */
export async function readPinned(path: string | undefined): Promise<ServiceCertificate> {
  if (path === undefined) {
    throw new CliError(
      'USAGE',
      'name the certificate of the service with --service-cert: everything is believed by it',
    );
  }
  return readServiceCertificate((await readInput(path)).toString('utf8'), path);
}

/** @throws CliError */
export const atMsOf = (at: string | undefined, nowMs: number): number =>
  at === undefined ? nowMs : Date.parse(parseMoment(at, nowMs));

function provenLines(proof: ReceiptProof, service: ServiceCertificate): Line[] {
  const { receipt, node, root, claim } = proof;
  return [
    ['receipt', 'PROVEN'],
    ['transaction', isNumberProven(proof) ? receipt.transaction_id : `${receipt.transaction_id}, not proven`],
    ['signed by', `node ${node.nodeId}`],
    ['platform', node.platform],
    ['service', `${nameOf(service)}, certificate ${service.fingerprint}`],
    ['root', hexOf(root)],
    ...(claim ? claimLines(claim) : []),
    ['proves', `the ledger that this node signed ${whatIsIn(proof)}`],
    ...limitsOf(proof).map((limit): Line => ['but', limit]),
  ];
}

/** The root that a signature's own receipt proves says nothing of the entry that the signature stands in. */
const isNumberProven = ({ receipt }: ReceiptProof): boolean => 'leaf_components' in receipt;

function whatIsIn(proof: ReceiptProof): string {
  const { receipt, claim } = proof;
  if (!isNumberProven(proof)) return 'has this root';
  const holds = `holds transaction ${receipt.transaction_id}`;
  return claim ? `${holds}, which told ${claim.event.participant} the above` : holds;
}

function limitsOf(proof: ReceiptProof): string[] {
  const { receipt, claim } = proof;
  const limits: string[] = [];
  if (!isNumberProven(proof)) limits.push('its transaction id is what the file says: no signature covers it');
  else if (!claim) limits.push('nothing about its content: the file has no claims_proof');
  if (claim) limits.push('what came later is not in it: ask for a newer receipt');
  if (receipt.platform === 'virtual') {
    limits.push('platform virtual: a host that rolled its disk back would go unnoticed, and could look into the node');
  } else if (!receipt.rollbackProtected) {
    limits.push('rollbackProtected is false: the service ran with too few nodes to notice a rolled-back disk');
  } else {
    limits.push('that rollback is protected against is the word of the node: no signature covers it');
  }
  return limits;
}

function claimLines({ event, terms }: Claim): Line[] {
  const { participant, number, stampMs, body } = event;
  const head: Line[] = [
    ['participant', `${participant}, its event ${number}`],
    ['at', new Date(stampMs).toISOString()],
  ];
  if (body.type === 'lock') {
    return [...head, ['lock', `${body.lockId} on ${body.network}, ${body.asset}`], ['state', body.state]];
  }
  return [
    ...head,
    ['transfer', `${body.id} of ${body.bank}`],
    ['state', body.reason === undefined ? body.state : `${body.state} (${body.reason})`],
    ...(terms ? termLines(terms) : []),
  ];
}

const termLines = ({ asset, amountMinor, debtor, creditor, source, destination }: ClaimTerms): Line[] => [
  ['amount', `${asset} ${amountMinor} minor units`],
  ['debtor', debtor],
  ['creditor', creditor],
  ...(source ? [['source', `${source.network}, deposit of ${source.depositor}`] as const] : []),
  ...(destination ? [['destination', `${destination.network}, ${destination.beneficiary}`] as const] : []),
];

function verdictJson(verdict: ReceiptProof | Refusal): object {
  if (!verdict.ok) return refusalJson(verdict);
  const { receipt, node, root } = verdict;
  return {
    proven: true,
    transactionId: receipt.transaction_id,
    transactionProven: isNumberProven(verdict),
    nodeId: node.nodeId,
    platform: node.platform,
    rollbackProtected: receipt.rollbackProtected,
    root: hexOf(root),
    ...(receipt.claims_proof && { claim: JSON.parse(receipt.claims_proof.claim) as unknown }),
    limits: limitsOf(verdict),
  };
}
