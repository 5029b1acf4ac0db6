/** Proofs from the core, kept in files that `verify receipt` and `verify ledger --export` read. */
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { parseParticipantId, parseTransferId } from '@drawbridge/protocol/ids';
import { formatExportPage } from '@drawbridge/protocol/ledger/bank-export';
import type { Receipt } from '@drawbridge/protocol/ledger/receipt';
import { parseTransactionId } from '@drawbridge/protocol/ledger/transaction-id';
import { type Session, type SubjectFlags, subjectOf, whole } from './bank-commands.ts';
import { CliError } from './cli-error.ts';
import { reasonOf } from './input-file.ts';
import { json } from './output.ts';

export type ReceiptFlags = SubjectFlags & Readonly<{ out?: string; bank?: string; event?: string }>;

/** Of a transfer by its id, of a transaction by `view.seqno`, or of an event by its number; to a file or to stdout. */
export async function saveReceipt(session: Session, id: string | undefined, flags: ReceiptFlags): Promise<void> {
  const receipt = await readReceipt(session, id, flags);
  if (flags.out === undefined) return session.output.out(json(receipt));
  await writeReceipt(session, flags.out, receipt);
}

export async function writeReceipt({ output }: Session, file: string, receipt: Receipt): Promise<void> {
  await writeWhole(file, (target) => target.writeFile(`${json(receipt)}\n`));
  output.err(`receipt of transaction ${receipt.transaction_id} is in ${file}`);
}

function readReceipt(
  { client }: Session,
  id: string | undefined,
  { bank, event, participant }: ReceiptFlags,
): Promise<Receipt> {
  if ((id === undefined) === (event === undefined)) throw new CliError('USAGE', 'say the id of a transfer or --event');
  if (event !== undefined) {
    if (bank !== undefined) throw new CliError('USAGE', '--bank belongs to a transfer');
    return client.eventReceipt(whole(event, '--event'), subjectOf(participant === undefined ? {} : { participant }));
  }
  if (participant !== undefined) throw new CliError('USAGE', '--participant belongs to --event');
  if (parseTransactionId(id ?? '')) return client.transactionReceipt(id ?? '');
  return client.transferReceipt(parseTransferId(id ?? ''), bank === undefined ? undefined : parseParticipantId(bank));
}

export type ExportFlags = SubjectFlags & Readonly<{ out: string; after?: string }>;

/** Every event with its proof. The file appears when it is whole: one that is there has no gap. */
export async function exportEvents(
  { client, output }: Session,
  flags: ExportFlags,
  signal: AbortSignal,
): Promise<void> {
  const after = flags.after === undefined ? 0 : whole(flags.after, '--after');
  let events = 0;
  await writeWhole(flags.out, async (target) => {
    for await (const page of client.exportEvents({ ...subjectOf(flags), after, signal })) {
      events += page.items.length;
      await target.appendFile(formatExportPage(page));
    }
    if (signal.aborted) throw new CliError('USAGE', `ended before the last event; ${flags.out} was not written`);
  });
  const range = events === 0 ? 'no events' : `events ${after + 1} to ${after + events}`;
  output.err(`${range} are in ${flags.out}`);
}

/** Readable by its owner only, since it shows what a bank did. Takes the place of an earlier file once it is on the disk. */
async function writeWhole(file: string, fill: (target: FileHandle) => Promise<void>): Promise<void> {
  const part = `${file}.part`;
  const target = await opened(part);
  try {
    await fill(target);
    await target.sync();
  } catch (error) {
    await target.close();
    await rm(part, { force: true });
    throw error;
  }
  await target.close();
  await rename(part, file);
}

async function opened(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'w', 0o600);
  } catch (cause) {
    throw new CliError('FILE', `${file} cannot be written: ${reasonOf(cause)}`, { cause });
  }
}
