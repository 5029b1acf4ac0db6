/** The recorded ledger in test/vectors/ledger, which verifiers in other languages use, too. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { auditFolder } from './ledger/audit-folder.ts';
import { readServiceCertificate } from './ledger/certificates.ts';
import { type CliParts, runCli } from './program.ts';
import { verifyLedgerCommand } from './verify-ledger.ts';
import { verifyReceiptCommand } from './verify-receipt.ts';

const FOLDER = fileURLToPath(new URL('../../test/vectors/ledger/', import.meta.url));
const serviceCert = `${FOLDER}service.pem`;
type Expected = { at: string; serviceId: string; nodes: string[]; signedEntries: number; entries: { leaf: string }[] };
const expected = JSON.parse(await readFile(`${FOLDER}expected.json`, 'utf8')) as Expected;
const parts = { output: { out: () => undefined, err: () => undefined }, nowMs: Date.parse(expected.at) };

describe('the recorded ledger', () => {
  test('is verified, with export and tip', async () => {
    const flags = { serviceCert, export: `${FOLDER}export.jsonl`, tip: `${FOLDER}receipt-14.json` };
    expect(await verifyLedgerCommand(FOLDER, flags, parts)).toBe(0);
  });

  test('has the leaves that are recorded with it', async () => {
    const leaves: string[] = [];
    const service = readServiceCertificate(await readFile(serviceCert, 'utf8'), serviceCert);
    const { facts } = await auditFolder(FOLDER, service, [
      (_, { leaf }) => {
        leaves.push(Buffer.from(leaf).toString('hex'));
        return undefined;
      },
    ]);
    expect(leaves).toEqual(expected.entries.map(({ leaf }) => leaf));
    expect(facts).toMatchObject({ serviceId: expected.serviceId, signed: { nodes: expected.nodes.length } });
    expect(facts.signature?.size).toBe(expected.signedEntries + 1);
  });

  test.each([1, 4, 12, 13, 14, 17])('has a receipt of %s', async (seqno) => {
    expect(await verifyReceiptCommand(`${FOLDER}receipt-${seqno}.json`, { serviceCert }, parts)).toBe(0);
  });
});

describe('as commands', () => {
  const run = async (...args: string[]): Promise<Readonly<{ code: number; printed: string }>> => {
    let printed = '';
    const out = (text: string): void => {
      printed += `${text}\n`;
    };
    const never = (): never => {
      throw new Error('a verifier asks nobody');
    };
    const cli: CliParts = {
      output: { out, err: out },
      connect: never,
      runCore: never,
      nowMs: () => parts.nowMs,
      newId: never,
      untilInterrupted: never,
    };
    return { code: await runCli(args, cli), printed };
  };

  test('exit 0 for what is proven, 1 for what is refused', async () => {
    const receipt = `${FOLDER}receipt-14.json`;
    const pinned = ['--service-cert', serviceCert];
    expect(await run('verify', 'ledger', FOLDER, ...pinned, '--list')).toMatchObject({ code: 0 });
    expect(await run('verify', 'receipt', receipt, ...pinned)).toMatchObject({ code: 0 });
    const other = await run('verify', 'receipt', receipt, ...pinned, '--transaction', '2.13', '--json');
    expect({ ...other, printed: JSON.parse(other.printed) }).toMatchObject({ code: 1, printed: { proven: false } });
    const later = ['--at', new Date(parts.nowMs + 400 * 86_400_000).toISOString()];
    expect(await run('verify', 'ledger', FOLDER, ...pinned, ...later)).toMatchObject({ code: 1 });
  });

  test.each([
    [['verify', 'receipt', 'r.json']],
    [['verify', 'ledger', 'folder']],
    [['verify', 'ledger', 'folder', '--service-cert', 'none.pem']],
    [['verify', 'ledger', '--service-cert', serviceCert]],
  ])('%j: exit 2', async (args) => {
    expect(await run(...args)).toMatchObject({ code: 2, printed: expect.stringMatching(/\S/) });
  });
});
