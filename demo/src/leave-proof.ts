/**
 * What a third party needs to check a run without us: genesis, service certificate, the outcome, each bank's statements and
 * transfers; a receipt of every transfer, every bank's events with their proofs and the ledger, for `drawbridge verify receipt`
 * and `verify ledger`; and the evidence of every vault event, gathered from the observers and from Corda's agent anew, for `verify evidence`.
 */
import { access, copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatExportPage } from '@drawbridge/protocol/ledger/bank-export';
import { parseTransactionId } from '@drawbridge/protocol/ledger/transaction-id';
import { UsageError } from './arguments.ts';
import { readStatements } from './books.ts';
import { BANKS } from './cast.ts';
import { clientFor } from './clients.ts';
import { copyLedger } from './copy-ledger.ts';
import { gatherCordaEvidence } from './gather-corda-evidence.ts';
import { gatherEvidence } from './gather-evidence.ts';
import type { LocalSystem } from './local-system.ts';
import type { Books, Outcomes } from './reconcile.ts';
import type { Standing } from './run-payments.ts';

/** Written last: where it stands, the folder holds a whole run of ours. */
const OUTCOMES_FILE = 'outcomes.json';

const FOLDERS = ['evidence', 'receipts', 'exports', 'ledger'] as const;

/**
 * Makes the folder, or takes the evidence of an earlier run out of it, so that two runs never mix.
 * @throws UsageError where it cannot be written
 */
export async function openProofFolder(dir: string): Promise<string> {
  try {
    await mkdir(dir, { recursive: true });
    const earlier = await access(join(dir, OUTCOMES_FILE)).then(
      () => true,
      () => false,
    );
    if (earlier) for (const name of FOLDERS) await rm(join(dir, name), { recursive: true, force: true });
    await rm(join(dir, OUTCOMES_FILE), { force: true });
    await writeFile(join(dir, 'README.md'), README);
    return dir;
  } catch (cause) {
    throw new UsageError(`--out takes a folder that can be written: ${(cause as Error).message}`, { cause });
  }
}

/** Writes everything into a folder that `openProofFolder` has opened. */
export async function leaveProof(input: {
  dir: string;
  system: LocalSystem;
  books: Books;
  standings: readonly Standing[];
  outcomes: Outcomes;
}): Promise<void> {
  const { dir, system, books } = input;
  for (const name of FOLDERS) await mkdir(join(dir, name), { recursive: true });
  const json = (name: string, content: object): Promise<void> =>
    writeFile(join(dir, name), `${JSON.stringify(content, null, 2)}\n`);
  await copyFile(system.genesisFile, join(dir, 'genesis.json'));
  await copyFile(system.serviceCertFile, join(dir, 'service.pem'));
  await json('transfers.json', books.transfers);
  await json('accounts.json', books.accounts);
  await json('statements.json', await readStatements(system, books.accounts));
  await json('locks.json', books.locks);
  await json(
    'payments.json',
    input.standings.map(({ payment, state, detail }) => ({
      ...payment,
      amountMinor: payment.amountMinor.toString(),
      state,
      detail,
    })),
  );
  const covered = Math.max(await leaveReceipts(dir, system, books), await leaveExports(dir, system));
  await copyLedger(join(system.coreDir, 'ledger'), join(dir, 'ledger'), covered);
  for (const item of [...(await gatherEvidence(system)), ...(await gatherCordaEvidence(system))]) {
    await json(join('evidence', `${item.network}-${item.asset}-${item.seq}.json`), { evidence: item.evidence });
  }
  await json(OUTCOMES_FILE, input.outcomes);
}

/** The receipt of each transfer as its debtor was last told of it. @returns the newest entry that one is of */
async function leaveReceipts(dir: string, system: LocalSystem, books: Books): Promise<number> {
  let newest = 0;
  for (const { short, lei } of BANKS) {
    const bank = await clientFor(system, short);
    try {
      for (const { id } of books.transfers.filter(({ debtor }) => debtor === lei)) {
        const receipt = await bank.transferReceipt(id);
        await writeFile(join(dir, 'receipts', `${short}-${id}.json`), `${JSON.stringify(receipt, null, 2)}\n`);
        newest = Math.max(newest, parseTransactionId(receipt.transaction_id)?.seqno ?? 0);
      }
    } finally {
      bank.close();
    }
  }
  return newest;
}

/** Every event of each bank with its proof. @returns the newest entry that one is of */
async function leaveExports(dir: string, system: LocalSystem): Promise<number> {
  let newest = 0;
  for (const { short } of BANKS) {
    const bank = await clientFor(system, short);
    try {
      const pages: string[] = [];
      for await (const page of bank.exportEvents()) {
        pages.push(formatExportPage(page));
        newest = Math.max(newest, ...page.items.map(({ seqno }) => seqno));
      }
      await writeFile(join(dir, 'exports', `${short}.jsonl`), pages.join(''));
    } finally {
      bank.close();
    }
  }
  return newest;
}

const README = `# A run of Drawbridge, to be checked by others

| file | what |
|---|---|
| \`genesis.json\` | who and what was registered: banks, observers' keys, networks, vaults |
| \`service.pem\` | the service certificate that clients pinned |
| \`payments.json\` | what was asked, and what became of each row |
| \`transfers.json\`, \`accounts.json\`, \`statements.json\`, \`locks.json\` | the core's books, read through its API |
| \`receipts/BANK-ID.json\` | the core's signed proof of each transfer as its debtor was last told of it |
| \`exports/BANK.jsonl\` | every event of a bank with its proof |
| \`ledger/\` | the core's ledger: amounts and parties sealed, everything signed |
| \`evidence/NETWORK-ASSET-N.json\` | event N of the vault of that asset on that network, with the observers' signatures; on Corda transaction N, its creation first, with the notary's |
| \`outcomes.json\` | the sums, written last: without it the run did not come to its end |

From a checkout of Drawbridge, with DIR for this folder:

    npm run -s drawbridge -- verify evidence DIR/evidence/quorum-a-EUR-1.json --genesis DIR/genesis.json

    npm run -s drawbridge -- verify evidence DIR/evidence/corda-GBP-1.json --genesis DIR/genesis.json      # of a run with Corda

    npm run -s drawbridge -- verify receipt DIR/receipts/aurora-ID.json --service-cert DIR/service.pem
    npm run -s drawbridge -- verify ledger DIR/ledger --service-cert DIR/service.pem --export DIR/exports/aurora.jsonl

Each exits 0 and says what is proven, or 1 and names the first check that fails. Take genesis file and service certificate from
somebody whom you trust: whoever gives you all could have made all. A receipt shows one transfer and nothing of the others; the
Python package \`ccf\` accepts it as well. Events of a vault and of a bank are numbered from 1 without a gap, as are the lines of
a statement, so an omission shows. Each deposit and withdrawal in \`statements.json\` has its event here; the amounts must agree.
`;
