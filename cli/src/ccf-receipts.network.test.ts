/** Receipts of the test ledger before the public verifier of CCF, which knows nothing of us. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CcfVerdict, ccfMissing, runPython, verifyWithCcf } from '@drawbridge/devnets/ccf-verifier';
import { testWithCcf } from '@drawbridge/devnets/testing/with-ccf';
import { readEntryFrame } from '@drawbridge/protocol/ledger/entry-frame';
import { decodeSignatureEntry } from '@drawbridge/protocol/ledger/signature-entry';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newParties, type Parties, sampleLedger } from './testing/sample-ledger.ts';
import { TestLedger } from './testing/test-ledger.ts';
import { newAuthority } from './testing/test-service.ts';

const testCcf = await testWithCcf();

let dir: string;
let parties: Parties;
let ledger: TestLedger;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-ccf-'));
  parties = await newParties();
  ledger = sampleLedger(parties);
  await writeFile(join(dir, 'service.pem'), parties.service.certificate);
});
afterAll(() => rm(dir, { recursive: true }));

function signedRoot(made: TestLedger, seqno: number): Uint8Array {
  return decodeSignatureEntry(readEntryFrame(made.record(seqno).data).payload).root;
}

async function verdictOn(receipt: object): Promise<CcfVerdict> {
  const file = join(dir, 'receipt.json');
  await writeFile(file, JSON.stringify(receipt));
  return verifyWithCcf(file, join(dir, 'service.pem'));
}

testCcf('takes receipts of settlement, of governance, of genesis and of signatures', async () => {
  for (const seqno of [14, 3, 1]) {
    expect(await verdictOn(ledger.receipt(seqno, 0))).toEqual({
      ok: true,
      root: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  }
  const ofSignature = ledger.receipt(17);
  expect(await verdictOn(ofSignature)).toEqual({
    ok: true,
    root: 'leaf' in ofSignature ? ofSignature.leaf : undefined,
  });
});

testCcf('takes them through a service in between', async () => {
  const between = await newAuthority('Earlier service', parties.service.authority);
  const node = await parties.service.node({ issuer: between });
  const receipt = new TestLedger(parties.service).begin(node).sign(node).receipt(1);
  expect(await verdictOn({ ...receipt, service_endorsements: [between.pem] })).toMatchObject({ ok: true });
});

testCcf('refuses what we refuse', async () => {
  const receipt = ledger.receipt(14);
  expect(await verdictOn({ ...receipt, proof: receipt.proof.slice(1) })).toMatchObject({ ok: false, check: 'verify' });
  const other = await newParties();
  const strange = sampleLedger(other).receipt(14);
  expect(await verdictOn(strange)).toMatchObject({ ok: false, check: 'check_endorsements' });
  const expired = await parties.service.node({ fromMs: Date.now() - 86_400_000, toMs: Date.now() - 3_600_000 });
  const late = new TestLedger(parties.service).begin(expired).sign(expired).receipt(1);
  expect(await verdictOn(late)).toMatchObject({ ok: false, check: 'check_cert_chain' });
});

testCcf(
  'a verifier in Python, written from the documentation alone, takes the ledger and refuses another',
  async () => {
    const program = fileURLToPath(new URL('../../test/vectors/verify_ledger.py', import.meta.url));
    const vectors = fileURLToPath(new URL('../../test/vectors/ledger/', import.meta.url));
    const verify = async (folder: string, service: string): Promise<unknown> =>
      JSON.parse(await runPython([program, folder, service]));
    const folder = await ledger.write(join(dir, 'ledger'));
    const root = Buffer.from(signedRoot(ledger, 17)).toString('hex');
    expect(await verify(folder, join(dir, 'service.pem'))).toEqual({ entries: 18, signed: 16, root });
    expect(await verify(vectors, join(vectors, 'service.pem'))).toMatchObject({ entries: 18, signed: 16 });
    await expect(verify(folder, join(vectors, 'service.pem'))).rejects.toThrow();
  },
);

test('a machine that cannot have the package learns why', async () => {
  const cacheDir = join(dir, 'cache');
  expect(await ccfMissing({ cacheDir, env: { PATH: dir } })).toMatch(/no python3 on the PATH/);
  const python = join(dir, 'python3');
  await writeFile(
    python,
    '#!/bin/sh\n[ "$1" = -c ] && echo py311-test && exit 0\necho "No module named pip" >&2; exit 1\n',
    {
      mode: 0o755,
    },
  );
  expect(await ccfMissing({ cacheDir, env: { PATH: `${dir}:/bin` } })).toMatch(
    /^pip cannot install .*No module named pip$/,
  );
});
