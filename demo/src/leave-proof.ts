/**
 * What a third party needs to check a run without us: genesis, service certificate, the outcome, each bank's statements and
 * transfers, and the evidence of every vault event, gathered from the observers anew and checkable with
 * `drawbridge verify evidence FILE --genesis genesis.json`.
 */
import { access, copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from './arguments.ts';
import { readStatements } from './books.ts';
import { gatherEvidence } from './gather-evidence.ts';
import type { LocalSystem } from './local-system.ts';
import type { Books, Outcomes } from './reconcile.ts';
import type { Standing } from './run-payments.ts';

/** Written last: where it stands, the folder holds a whole run of ours. */
const OUTCOMES_FILE = 'outcomes.json';

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
    if (earlier) await rm(join(dir, 'evidence'), { recursive: true, force: true });
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
  await mkdir(join(dir, 'evidence'), { recursive: true });
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
  for (const item of await gatherEvidence(system)) {
    await json(join('evidence', `${item.network}-${item.asset}-${item.seq}.json`), { evidence: item.evidence });
  }
  await json(OUTCOMES_FILE, input.outcomes);
}

const README = `# A run of Drawbridge, to be checked by others

| file | what |
|---|---|
| \`genesis.json\` | who and what was registered: banks, observers' keys, networks, vaults |
| \`service.pem\` | the service certificate that clients pinned |
| \`payments.json\` | what was asked, and what became of each row |
| \`transfers.json\`, \`accounts.json\`, \`statements.json\`, \`locks.json\` | the core's books, read through its API |
| \`evidence/NETWORK-ASSET-N.json\` | event N of the vault of that asset on that network, with the observers' signatures |
| \`outcomes.json\` | the sums, written last: without it the run did not come to its end |

From a checkout of Drawbridge, with DIR for this folder:

    npm run -s drawbridge -- verify evidence DIR/evidence/quorum-a-EUR-1.json --genesis DIR/genesis.json

It exits 0 and says what the item proves, or 1 and names the first check that fails. Take the genesis file from somebody whom you
trust: whoever gives you both could have made both. Events of a vault are numbered from 1 without a gap, as are the lines of
a statement, so an omission shows. Each deposit and withdrawal in \`statements.json\` has its event here; the amounts must agree.
The books carry no signature of the core yet: they are what it said, the evidence is what others saw.
`;
