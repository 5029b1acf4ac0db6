/** Whether chunk files are one whole ledger of the pinned service, and what else they were held against. */
import { CliError } from '../cli-error.ts';
import { readJsonFile } from '../input-file.ts';
import type { Refusal } from '../refusal.ts';
import { auditFolder, type FolderAudit } from './audit-folder.ts';
import { invalidAt, type ServiceCertificate } from './certificates.ts';
import { ExportAudit, type ExportFacts } from './export-audit.ts';
import { readExportPages } from './export-pages.ts';
import { type Comparison, compareLedgers } from './fork.ts';
import { at, refuseLedger } from './ledger-refusal.ts';
import { judgeReceipt } from './receipt-verdict.ts';
import { type JudgedEntry, SignedListing } from './signed-listing.ts';
import { TipAudit } from './tip-audit.ts';

/** Files and folders that the ledger is held against. */
export type HeldAgainst = Readonly<{
  /** File of a participant's claims. */
  export?: string;
  /** File of a receipt that must be in it. */
  tip?: string;
  /** Another copy. */
  against?: string;
}>;

export type LedgerVerdict = Readonly<{
  audit: FolderAudit;
  refusal?: Refusal;
  export?: ExportFacts;
  /** Transaction id of the receipt that is in it. */
  tip?: string;
  comparison?: Comparison;
  against?: FolderAudit;
}>;

export type LedgerTerms = Readonly<{ service: ServiceCertificate; atMs: number; list?: (entry: JudgedEntry) => void }>;

/** @throws CliError where there is nothing to judge */
export async function judgeLedger(folder: string, flags: HeldAgainst, terms: LedgerTerms): Promise<LedgerVerdict> {
  const { service, list } = terms;
  const tip = flags.tip === undefined ? undefined : await readTip(flags.tip, terms);
  const claims = flags.export === undefined ? undefined : await ExportAudit.begin(readExportPages(flags.export));
  const listing = list && new SignedListing(list);
  const audit = await auditFolder(folder, service, [
    ...(claims ? [claims.see.bind(claims)] : []),
    ...(tip ? [tip.see.bind(tip)] : []),
    ...(listing ? [listing.see.bind(listing)] : []),
  ]);
  listing?.finish();
  const found: LedgerVerdict = {
    audit,
    ...(claims && { export: claims.facts() }),
    ...(tip && { tip: tip.transactionId }),
  };
  const refusal = soundness(audit, terms) ?? claims?.finish(audit.facts) ?? tip?.finish(audit.facts);
  if (refusal) return { ...found, refusal };
  return flags.against === undefined ? found : holdAgainst(found, flags.against, terms);
}

/** Of one folder by itself. The newest signature covers all before it, so its signer must count today. */
function soundness({ refusal, facts, audit }: FolderAudit, { atMs }: LedgerTerms): Refusal | undefined {
  if (refusal) return refusal;
  const { signature } = facts;
  if (!signature) return refuseLedger('signature', 'SIGNATURE_MISSING', 'no entry is signed');
  const certificate = audit.nodes.certificateOf(signature.nodeId);
  const invalid = certificate && invalidAt(certificate, atMs);
  if (invalid === undefined) return undefined;
  const why = `${invalid}; it signed last, at seqno ${signature.seqno}; --at TIME judges as of another time`;
  return refuseLedger('validity', 'CERTIFICATE_NOT_VALID', why);
}

async function holdAgainst(found: LedgerVerdict, folder: string, terms: LedgerTerms): Promise<LedgerVerdict> {
  const against = await auditFolder(folder, terms.service);
  const refusal = soundness(against, terms);
  if (refusal) return { ...found, against, refusal: at(folder, { ...refusal, place: placeIn(folder, refusal) }) };
  const comparison = await compareLedgers(found.audit, against);
  const forked = { ...found, against, comparison };
  if (comparison.type !== 'fork') return forked;
  const why = `two different entries stand at seqno ${comparison.seqno}, and nodes of the service signed both`;
  return { ...forked, refusal: refuseLedger('fork', 'LEDGER_FORKED', why) };
}

const placeIn = (folder: string, { place }: Refusal): string => (place === undefined ? folder : `${folder}, ${place}`);

async function readTip(path: string, terms: LedgerTerms): Promise<TipAudit> {
  const proof = judgeReceipt(await readJsonFile(path), terms);
  if (proof.ok) return new TipAudit(proof);
  throw new CliError('REFUSED', `${path} proves nothing (${proof.code}): ${proof.detail}`);
}
