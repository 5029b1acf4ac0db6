/** What a bank, an auditor or an operator asks of the core, and how the answers read. */
import type { DrawbridgeClient } from '@drawbridge/client/bank-client';
import { parseAmountMinor } from '@drawbridge/protocol/amount';
import type { EventResource } from '@drawbridge/protocol/api/event';
import { TRANSFER_STATES, type TransferRequest, type TransferResource } from '@drawbridge/protocol/api/transfer';
import {
  type ParticipantId,
  parseAssetCode,
  parseNetworkId,
  parseParticipantId,
  parseTransferId,
  type TransferId,
} from '@drawbridge/protocol/ids';
import type { Receipt } from '@drawbridge/protocol/ledger/receipt';
import { CliError } from './cli-error.ts';
import { fieldsOf, readJsonFile } from './input-file.ts';
import { parseMoment } from './moment.ts';
import { aligned, json, type Line, type Output, table } from './output.ts';

/** The part of the client that commands use. */
export type BankClient = Pick<
  DrawbridgeClient,
  | 'accounts'
  | 'statement'
  | 'submitTransfer'
  | 'transfer'
  | 'transfers'
  | 'cancelTransfer'
  | 'events'
  | 'followEvents'
  | 'transferReceipt'
  | 'eventReceipt'
  | 'transactionReceipt'
  | 'exportEvents'
  | 'nodes'
  | 'close'
>;

export type Session = Readonly<{ client: BankClient; output: Output; json: boolean }>;
export type SubjectFlags = Readonly<{ participant?: string }>;
export type PageFlags = Readonly<{ after?: string; limit?: string }>;

export const subjectOf = ({ participant }: SubjectFlags): { participant?: ParticipantId } =>
  participant === undefined ? {} : { participant: parseParticipantId(participant) };

export const whole = (text: string, option: string): number => {
  if (/^(0|[1-9][0-9]{0,14})$/.test(text)) return Number(text);
  throw new CliError('USAGE', `${option} takes a whole number, not ${text}`);
};
const pageOf = ({ after, limit }: PageFlags): { after?: number; limit?: number } => ({
  ...(after !== undefined && { after: whole(after, '--after') }),
  ...(limit !== undefined && { limit: whole(limit, '--limit') }),
});

export async function showAccounts({ client, output, json: asJson }: Session, flags: SubjectFlags): Promise<void> {
  const accounts = await client.accounts(subjectOf(flags));
  if (asJson) return output.out(json(accounts));
  const rows = accounts.map((account) => [
    account.participant,
    account.asset,
    account.postedMinor,
    account.pendingMinor,
    account.availableMinor,
  ]);
  const numbers = ['POSTED', 'PENDING', 'AVAILABLE'];
  output.out(table(['PARTICIPANT', 'ASSET', ...numbers], rows, numbers));
}

export async function showStatement(
  { client, output, json: asJson }: Session,
  asset: string,
  flags: SubjectFlags & PageFlags,
): Promise<void> {
  const page = await client.statement(parseAssetCode(asset), { ...subjectOf(flags), ...pageOf(flags) });
  if (asJson) return output.out(json(page));
  const rows = page.lines.map((line) => [
    `${line.line}`,
    line.at,
    line.deltaMinor,
    line.balanceMinor,
    line.kind,
    line.counterparty ?? line.network ?? '',
    line.transfer?.id ?? '',
  ]);
  const head = ['LINE', 'AT', 'AMOUNT', 'BALANCE', 'KIND', 'WITH', 'TRANSFER'];
  output.out(table(head, rows, ['LINE', 'AMOUNT', 'BALANCE']));
  if (page.next !== undefined) output.err(`there is more: --after ${page.next}`);
}

export type SubmitFlags = Readonly<{
  file?: string;
  id?: string;
  asset?: string;
  amountMinor?: string;
  to?: string;
  source?: string;
  depositor?: string;
  fundBy?: string;
  destination?: string;
  beneficiary?: string;
  deliverBy?: string;
  onVoid?: string;
  remittance?: string;
}>;
export type SubmitContext = Readonly<{ nowMs: number; newId: () => string }>;

/**
 * Says the id before it sends: with it the same command can be given again whatever happens. Answers with the receipt where
 * it was asked for.
 */
export async function submitTransfer(
  session: Session,
  flags: SubmitFlags,
  { receipt, ...context }: SubmitContext & Readonly<{ receipt: boolean }>,
): Promise<Receipt | undefined> {
  const { client, output } = session;
  const request = flags.file === undefined ? transferOf(flags, context) : await transferFile(flags);
  output.err(`submitting ${request.id}`);
  const submitted = await client.submitTransfer(request, ...(receipt ? [{ receipt }] : []));
  if (!submitted.created) output.err('it had been submitted before');
  showOne(session, submitted.transfer);
  return submitted.receipt;
}

/** The core checks what the file says. */
async function transferFile({ file = '', ...others }: SubmitFlags): Promise<TransferRequest> {
  const [other] = Object.keys(others);
  if (other !== undefined) throw new CliError('USAGE', `--file has the whole transfer; leave out ${other}`);
  const value = await readJsonFile(file);
  const id = fieldsOf(value, file).get('id');
  if (typeof id !== 'string') throw new CliError('FILE', `${file} has no id`);
  return { ...(value as TransferRequest), id: parseTransferId(id) };
}

function transferOf(flags: SubmitFlags, { nowMs, newId }: SubmitContext): TransferRequest {
  const need = (value: string | undefined, option: string): string => {
    if (value !== undefined) return value;
    throw new CliError('USAGE', `say ${option}`);
  };
  const { source, destination } = flags;
  if (source === undefined && (flags.depositor ?? flags.fundBy) !== undefined) {
    throw new CliError('USAGE', '--depositor and --fund-by belong to --source');
  }
  if (destination === undefined && (flags.beneficiary ?? flags.deliverBy) !== undefined) {
    throw new CliError('USAGE', '--beneficiary and --deliver-by belong to --destination');
  }
  return {
    id: parseTransferId(flags.id ?? newId()),
    asset: parseAssetCode(need(flags.asset, '--asset')),
    amountMinor: parseAmountMinor(need(flags.amountMinor, '--amount-minor')).toString(),
    creditor: parseParticipantId(need(flags.to, '--to')),
    ...(source !== undefined && {
      source: { network: parseNetworkId(source), depositor: need(flags.depositor, '--depositor') },
      fundBy: parseMoment(need(flags.fundBy, '--fund-by'), nowMs),
    }),
    ...(destination !== undefined && {
      destination: { network: parseNetworkId(destination), beneficiary: need(flags.beneficiary, '--beneficiary') },
      deliverBy: parseMoment(need(flags.deliverBy, '--deliver-by'), nowMs),
    }),
    ...(flags.onVoid !== undefined && { onVoid: onVoidOf(flags.onVoid) }),
    ...(flags.remittance !== undefined && { remittance: flags.remittance }),
  };
}

function onVoidOf(text: string): 'return' | 'refund' {
  if (text === 'return' || text === 'refund') return text;
  throw new CliError('USAGE', `--on-void is return or refund, not ${text}`);
}

export async function showTransfer(session: Session, id: string, { bank }: { bank?: string }): Promise<void> {
  const debtor = bank === undefined ? undefined : parseParticipantId(bank);
  showOne(session, await session.client.transfer(parseTransferId(id), debtor));
}

export async function cancelTransfer(session: Session, id: string): Promise<void> {
  showOne(session, await session.client.cancelTransfer(parseTransferId(id)));
}

export async function listTransfers(
  { client, output, json: asJson }: Session,
  flags: SubjectFlags & Readonly<{ state?: string; after?: string; limit?: string }>,
): Promise<void> {
  const state = TRANSFER_STATES.find((name) => name === flags.state);
  if (flags.state !== undefined && state === undefined) {
    throw new CliError('USAGE', `there is no state ${flags.state}; the states are ${TRANSFER_STATES.join(', ')}`);
  }
  const page = await client.transfers({
    ...subjectOf(flags),
    ...(state !== undefined && { state }),
    ...(flags.after !== undefined && { after: flags.after }),
    ...(flags.limit !== undefined && { limit: whole(flags.limit, '--limit') }),
  });
  if (asJson) return output.out(json(page));
  const rows = page.transfers.map(({ id, state: now, debtor, creditor, asset, amountMinor }) => [
    id,
    now,
    debtor,
    creditor,
    asset,
    amountMinor,
  ]);
  output.out(table(['TRANSFER', 'STATE', 'DEBTOR', 'CREDITOR', 'ASSET', 'AMOUNT'], rows, ['AMOUNT']));
  if (page.next !== undefined) output.err(`there is more: --after ${page.next}`);
}

function showOne({ output, json: asJson }: Session, transfer: TransferResource): void {
  output.out(asJson ? json(transfer) : aligned(transferLines(transfer)));
}

function transferLines(transfer: TransferResource): Line[] {
  const { source, destination, lock } = transfer;
  const lines: Line[] = [
    ['transfer', transfer.id],
    ['state', transfer.reason === undefined ? transfer.state : `${transfer.state} (${transfer.reason})`],
    ['debtor', transfer.debtor],
    ['creditor', transfer.creditor],
    ['amount', `${transfer.amountMinor} minor units of ${transfer.asset}`],
  ];
  if (source) lines.push(['source', `${source.network}, deposited by ${source.depositor}`]);
  if (destination) lines.push(['destination', `${destination.network}, for ${destination.beneficiary}`]);
  if (transfer.fundBy) lines.push(['fund by', transfer.fundBy]);
  if (transfer.deliverBy) lines.push(['deliver by', transfer.deliverBy]);
  if (lock) {
    lines.push(['lock now', `${lock.amountMinor} minor units at vault ${lock.vault} on ${lock.network}`]);
    lines.push(['reference', lock.reference]);
  }
  lines.push(['updated', transfer.updatedAt]);
  return lines;
}

export type EventFlags = SubjectFlags & PageFlags & Readonly<{ follow?: boolean }>;

/** One line for each event. With `follow`, until `signal`. */
export async function showEvents(session: Session, flags: EventFlags, signal: AbortSignal): Promise<void> {
  const { client, output } = session;
  if (flags.follow) {
    const { after } = pageOf(flags);
    const from = { ...subjectOf(flags), ...(after !== undefined && { after }), signal };
    for await (const event of client.followEvents(from)) output.out(eventLine(session, event));
    return;
  }
  const page = await client.events({ ...subjectOf(flags), ...pageOf(flags) });
  for (const event of page.events) output.out(eventLine(session, event));
  if (page.next !== undefined) output.err(`there is more: --after ${page.next}`);
}

/** JSON here is one object a line, so that a stream can be read as it comes. */
function eventLine({ json: asJson }: Session, event: EventResource): string {
  if (asJson) return JSON.stringify(event);
  const { transfer, lock } = event;
  const head = `${event.number}  ${event.at}`;
  if (transfer) return `${head}  transfer ${transferName(transfer)}  ${transfer.state}${reason(transfer.reason)}`;
  if (lock) return `${head}  lock ${lock.network}/${lock.asset} ${lock.lockId}  ${lock.state}`;
  return `${head}  ${event.type}`;
}
const transferName = ({ bank, id }: { bank: ParticipantId; id: TransferId }): string => `${bank}/${id}`;
const reason = (text: string | undefined): string => (text === undefined ? '' : ` (${text})`);
