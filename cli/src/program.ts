/** The `drawbridge` command: names, options and help; what they do is elsewhere. */
import { Command, CommanderError } from 'commander';
import { signAmendment } from './amendment.ts';
import {
  type BankClient,
  cancelTransfer,
  type EventFlags,
  listTransfers,
  type PageFlags,
  type Session,
  type SubjectFlags,
  type SubmitFlags,
  showAccounts,
  showEvents,
  showStatement,
  showTransfer,
  submitTransfer,
} from './bank-commands.ts';
import { CliError } from './cli-error.ts';
import { reasonOf } from './input-file.ts';
import { showNodes } from './node-commands.ts';
import { type Output, printable } from './output.ts';
import { type Access, type ConnectionFlags, readAccess } from './profile.ts';
import { type ExportFlags, exportEvents, type ReceiptFlags, saveReceipt, writeReceipt } from './receipt-commands.ts';
import { type VerifyFlags, verifyEvidenceCommand } from './verify-evidence.ts';
import { type VerifyLedgerFlags, verifyLedgerCommand } from './verify-ledger.ts';
import { type VerifyReceiptFlags, verifyReceiptCommand } from './verify-receipt.ts';

/** What a run touches besides files. */
export type CliParts = Readonly<{
  output: Output;
  connect: (access: Access) => BankClient;
  runCore: (args: readonly string[]) => Promise<number>;
  nowMs: () => number;
  newId: () => string;
  /** Called by a command that goes on until the user ends it. */
  untilInterrupted: () => AbortSignal;
}>;

type GlobalFlags = ConnectionFlags & Readonly<{ json?: boolean }>;

/**
 * Runs one command line, without the program's name.
 * @returns the exit code: 0 done, 1 refused, 2 not possible as asked.
 */
export async function runCli(argv: readonly string[], parts: CliParts): Promise<number> {
  let exitCode = 0;
  const program = buildProgram(parts, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    return exitCodeOf(error, parts.output);
  }
}

/** Errors with words for the user, by name, and what they mean: refused, or not possible. */
const EXPECTED: ReadonlyMap<string, number> = new Map([
  ['ProblemError', 1],
  ['EventGapError', 1],
  ['ConnectionError', 2],
  ['ProtocolError', 2],
]);

/** Says in one line what went wrong. What nobody expects is a bug, and judges nothing. */
function exitCodeOf(error: unknown, output: Output): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof CliError) {
    output.err(`drawbridge: ${printable(error.message)}`);
    return error.exitCode;
  }
  const name = error instanceof Error ? error.name : '';
  const exitCode = EXPECTED.get(name);
  const what = exitCode === undefined ? `a fault of this program, please report it: ${name} ` : '';
  output.err(`drawbridge: ${what}${printable(reasonOf(error))}`);
  return exitCode ?? 2;
}

function buildProgram(parts: CliParts, exitWith: (code: number) => void): Command {
  const program = new Command('drawbridge')
    .description('Moves value between ledgers through the Drawbridge core: transfers, evidence, the service itself.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => parts.output.out(text.trimEnd()),
      writeErr: (text) => parts.output.err(text.trimEnd()),
    })
    .enablePositionalOptions()
    .showHelpAfterError('(drawbridge --help tells more)');
  addVerify(program, parts, exitWith);
  addTransfers(program, parts);
  addReading(program, parts);
  addReceipts(program, parts);
  addAmendment(program, parts);
  addService(program, parts, exitWith);
  return program;
}

const listed = (value: string, before: readonly string[] = []): string[] => [...before, value];

/** Options of every command that speaks to the core. */
function withCore(command: Command): Command {
  return command
    .option('--profile <file>', 'JSON with url, certFile, keyFile, serviceCertFile (default: drawbridge.json here)')
    .option('--url <url>', 'a node of the core, https://host:port; several times for several', listed)
    .option('--cert <file>', 'your certificate, PEM')
    .option('--key <file>', 'its private key, PEM, readable by you only')
    .option('--service-cert <file>', 'the certificate of the service, PEM, pinned')
    .option('--json', 'print the answer as JSON');
}

async function withSession(
  { connect, output }: CliParts,
  flags: GlobalFlags,
  work: (session: Session) => Promise<void>,
): Promise<void> {
  const client = connect(await readAccess(flags));
  try {
    await work({ client, output, json: flags.json ?? false });
  } finally {
    client.close();
  }
}

function addVerify(program: Command, parts: CliParts, exitWith: (code: number) => void): void {
  const verify = program.command('verify').description('check proofs, offline');
  verify
    .command('evidence')
    .description(
      'what a file of evidence proves, or the first check that fails (exit 0, 1; 2 when it cannot be judged)',
    )
    .argument('<file>', 'JSON {"evidence":"0x…","genesis"?:{…}}, or the bare bytes')
    .option(
      '--genesis <file>',
      'genesis file of the service: networks, vaults, keys of observers and notaries, checkpoints',
    )
    .option(
      '--headers <path...>',
      'evidence by consensus: headers from the checkpoint on; files as above, or folders of them, in any order',
    )
    .option(
      '--earlier <path...>',
      'evidence of Corda: that of what changed the command of the vault before; files as above, or folders of them',
    )
    .option('--json', 'print the verdict as JSON')
    .action(async (file: string, flags: VerifyFlags) => {
      exitWith(await verifyEvidenceCommand(file, flags, parts.output));
    });
  verify
    .command('receipt')
    .description('what a receipt proves, or the first check that fails (exit 0, 1; 2 when it cannot be judged)')
    .argument('<file>', 'JSON as the core gave it')
    .requiredOption('--service-cert <file>', 'the certificate of the service, PEM, pinned')
    .option('--transaction <view.seqno>', 'it must prove this transaction; that of a signature proves none')
    .option('--at <time>', 'when certificates must be valid: 2031-05-01T12:00:00Z (default: now)')
    .option('--json', 'print the verdict as JSON')
    .action(async (file: string, flags: VerifyReceiptFlags) => {
      exitWith(await verifyReceiptCommand(file, flags, { output: parts.output, nowMs: parts.nowMs() }));
    });
  verify
    .command('ledger')
    .description(
      'whether chunk files are one whole, signed ledger of the service (exit 0, 1; 2 when it cannot be judged)',
    )
    .argument('<folder>', 'the chunk files of a node, or a copy')
    .requiredOption('--service-cert <file>', 'the certificate of the service, PEM, pinned')
    .option('--export <file>', "a participant's claims: each must be in it, without a gap")
    .option('--tip <receipt>', 'a receipt that must be in it: a copy that was cut at its end shows')
    .option('--against <folder>', 'another copy: a fork shows, with both sides')
    .option('--list', 'also print what is readable: governance, nodes, members')
    .option('--at <time>', 'when certificates must be valid: 2031-05-01T12:00:00Z (default: now)')
    .option('--json', 'print the verdict as JSON')
    .action(async (folder: string, flags: VerifyLedgerFlags) => {
      exitWith(await verifyLedgerCommand(folder, flags, { output: parts.output, nowMs: parts.nowMs() }));
    });
}

function addTransfers(program: Command, parts: CliParts): void {
  const transfer = program.command('transfer').description('submit, look at and cancel transfers');
  withCore(transfer.command('submit'))
    .description('submit a transfer; giving the same id and terms again is safe')
    .option('--file <file>', 'the whole transfer as JSON, instead of the options below')
    .option('--id <uuid>', 'its id and UETR (default: a new one)')
    .option('--asset <code>', 'such as EUR')
    .option('--amount-minor <number>', 'whole minor units: 12345 is EUR 123.45')
    .option('--to <participant>', 'the bank that receives')
    .option('--source <network>', 'funds arrive by a deposit there')
    .option('--depositor <address>', 'who will deposit')
    .option('--fund-by <time>', 'deadline of the deposit: 2031-05-01T12:00:00Z or +30m')
    .option('--destination <network>', 'funds leave to there')
    .option('--beneficiary <address>', 'who receives there')
    .option('--deliver-by <time>', 'deadline of the delivery')
    .option('--on-void <return|refund>', 'where the money goes if it cannot be delivered (default: return)')
    .option('--remittance <text>', 'up to 140 characters for the creditor')
    .option('--receipt <file>', 'also write the receipt, which comes with the answer')
    .action((given: GlobalFlags & SubmitFlags & { receipt?: string }) => {
      const { profile, url, cert, key, serviceCert, json, receipt: file, ...flags } = given;
      const access = withoutAbsent({ profile, url, cert, key, serviceCert, json });
      const context = { nowMs: parts.nowMs(), newId: parts.newId, receipt: file !== undefined };
      return withSession(parts, access, async (session) => {
        const receipt = await submitTransfer(session, flags, context);
        if (file !== undefined && receipt) await writeReceipt(session, file, receipt);
      });
    });
  withCore(transfer.command('get'))
    .description('one transfer and what to do next')
    .argument('<id>')
    .option('--bank <participant>', 'its debtor, where that is not you')
    .action((id: string, flags: GlobalFlags & { bank?: string }) =>
      withSession(parts, flags, (session) => showTransfer(session, id, flags)),
    );
  withCore(transfer.command('list'))
    .description('transfers that you may see')
    .option('--state <state>', 'only those in it')
    .option('--participant <id>', 'of a bank that you supervise')
    .option('--after <cursor>', 'the next page')
    .option('--limit <number>')
    .action((flags: GlobalFlags & SubjectFlags & PageFlags & { state?: string }) =>
      withSession(parts, flags, (session) => listTransfers(session, flags)),
    );
  withCore(transfer.command('cancel'))
    .description('cancel a transfer while it still can be')
    .argument('<id>')
    .action((id: string, flags: GlobalFlags) => withSession(parts, flags, (session) => cancelTransfer(session, id)));
}

/** Options that were not given have no field at all. */
function withoutAbsent<T extends object>(flags: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function addReading(program: Command, parts: CliParts): void {
  withCore(program.command('accounts'))
    .description('balances, in minor units')
    .option('--participant <id>', 'of a bank that you supervise')
    .action((flags: GlobalFlags & SubjectFlags) =>
      withSession(parts, flags, (session) => showAccounts(session, flags)),
    );
  withCore(program.command('statement'))
    .description('the movements of one account, in minor units')
    .argument('<asset>')
    .option('--participant <id>', 'of a bank that you supervise')
    .option('--after <line>', 'lines after this one')
    .option('--limit <number>')
    .action((asset: string, flags: GlobalFlags & SubjectFlags & PageFlags) =>
      withSession(parts, flags, (session) => showStatement(session, asset, flags)),
    );
  withCore(program.command('events'))
    .description('what happened, one event a line')
    .option('--follow', 'go on as they happen, until Ctrl-C')
    .option('--participant <id>', 'of a bank that you supervise')
    .option('--after <number>', 'events after this one')
    .option('--limit <number>')
    .action((flags: GlobalFlags & EventFlags) =>
      withSession(parts, flags, (session) => showEvents(session, flags, parts.untilInterrupted())),
    );
}

function addReceipts(program: Command, parts: CliParts): void {
  withCore(program.command('receipt'))
    .description('proof, for anyone, of a transfer as you were last told of it, of an event, or of a transaction')
    .argument('[id]', 'of a transfer, or view.seqno of a transaction')
    .option('--out <file>', 'where to write it (default: standard output)')
    .option('--bank <participant>', "the transfer's debtor, where that is not you")
    .option('--event <number>', 'of an event instead')
    .option('--participant <id>', 'with --event: of a bank that you supervise')
    .action((id: string | undefined, flags: GlobalFlags & ReceiptFlags) =>
      withSession(parts, flags, (session) => saveReceipt(session, id, flags)),
    );
  withCore(program.command('export'))
    .description('every event with its proof, for verify ledger --export')
    .requiredOption('--out <file>', 'where to write them')
    .option('--participant <id>', 'of a bank that you supervise')
    .option('--after <number>', 'events after this one; the file then goes on where another ended')
    .action((flags: GlobalFlags & ExportFlags) =>
      withSession(parts, flags, (session) => exportEvents(session, flags, parts.untilInterrupted())),
    );
  withCore(program.command('nodes'))
    .description('the nodes of the service: who leads, where they are, what they run on')
    .action((flags: GlobalFlags) => withSession(parts, flags, showNodes));
}

function addAmendment(program: Command, parts: CliParts): void {
  const amendment = program.command('amendment').description('changes of what is registered, until there is voting');
  amendment
    .command('sign')
    .description('add the signature of one bootstrap key to an amendment file; read its actions first')
    .argument('<file>', 'JSON {"version":1,"serviceId":"0x…","number":1,"actions":[…],"signatures":[]}')
    .requiredOption('--key <file>', 'Ed25519 private key, PKCS#8 in PEM, readable by you only')
    .action((file: string, { key }: { key: string }) => signAmendment(file, key, parts.output));
}

function addService(program: Command, parts: CliParts, exitWith: (code: number) => void): void {
  program
    .command('service')
    .description(
      "run the core's own program: create or start a service, node or join for a further node; service create --help tells more",
    )
    .argument('[arguments...]', 'passed on as they are')
    .allowUnknownOption()
    .passThroughOptions()
    .helpOption(false)
    .action(async (args: string[]) => exitWith(await parts.runCore(args)));
}
