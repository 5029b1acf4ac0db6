/**
 * What a third party needs to check a run without us: genesis, service certificate, the outcome, each bank's statements and
 * transfers, and the evidence of every vault event, gathered from the observers anew and checkable with
 * `drawbridge verify evidence FILE --genesis genesis.json`.
 */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gatherEvidence } from './gather-evidence.ts';
import type { LocalSystem } from './local-system.ts';
import type { Books, Outcomes } from './reconcile.ts';
import type { Standing } from './run-payments.ts';

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
  await json('outcomes.json', input.outcomes);
  await json('transfers.json', books.transfers);
  await json('accounts.json', books.accounts);
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
}
