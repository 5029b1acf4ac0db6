/** The demonstration itself, as a newcomer runs it: 24 payments, every sum equal, proofs that a third party can check. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { sourceProgram } from '@drawbridge/devnets/source-program';
import { beforeAll, describe, expect, it } from '@jest/globals';

const REPOSITORY = resolve(import.meta.dirname, '../..');
const RUN_MS = 300_000;

function run(file: string, args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { command, args: all } = sourceProgram(join(REPOSITORY, file), args);
  return new Promise((resolve) => {
    execFile(command, all, { timeout: RUN_MS, maxBuffer: 1 << 24 }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
    );
  });
}

let out: string;
let demo: Awaited<ReturnType<typeof run>>;

beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), 'drawbridge-out-'));
  demo = await run('demo/src/main.ts', ['--once', '--json', '--out', out]);
}, RUN_MS);

describe('npm start -- --once --json --out DIR', () => {
  it('ends well, with one JSON object as its last line', () => {
    expect({ code: demo.code, stderr: demo.code === 0 ? '' : demo.stderr.slice(-4_000) }).toEqual({
      code: 0,
      stderr: '',
    });
    const result = JSON.parse(demo.stdout.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>;
    expect(result).toEqual({
      payments: 24,
      settled: 20,
      returned: 1,
      refunded: 0,
      rejected: 1,
      expired: 1,
      cancelled: 0,
      duplicates: 1,
      unmatched: 1,
      conserved: true,
      elapsedMs: expect.any(Number),
    });
  });

  it(
    'leaves evidence that verifies, and that does not when a byte is changed',
    async () => {
      const files = (await readdir(join(out, 'evidence'))).filter((name) => name.endsWith('.json'));
      expect(files.length).toBeGreaterThan(20);
      const file = join(out, 'evidence', files[0] ?? '');
      const verified = await run('cli/src/main.ts', [
        'verify',
        'evidence',
        file,
        '--genesis',
        join(out, 'genesis.json'),
      ]);
      expect(verified.code).toBe(0);
      expect(verified.stdout).toMatch(/observer/);
    },
    RUN_MS,
  );

  it(
    'leaves a receipt of every transfer and the ledger with the events of every bank, which all verify',
    async () => {
      const pinned = ['--service-cert', join(out, 'service.pem')];
      const receipts = await readdir(join(out, 'receipts'));
      // One row repeats another, and one asks for more than there is, which is a transfer, too.
      expect(receipts).toHaveLength(23);
      const [receipt = ''] = receipts;
      const verified = await run('cli/src/main.ts', ['verify', 'receipt', join(out, 'receipts', receipt), ...pinned]);
      expect([verified.code, verified.stdout]).toEqual([0, expect.stringMatching(/PROVEN/)]);
      for (const bank of await readdir(join(out, 'exports'))) {
        const held = ['--export', join(out, 'exports', bank), '--tip', join(out, 'receipts', receipt)];
        const ledger = await run('cli/src/main.ts', ['verify', 'ledger', join(out, 'ledger'), ...pinned, ...held]);
        expect([bank, ledger.code, ledger.stdout]).toEqual([
          bank,
          0,
          expect.stringMatching(/are all in it, as exported/),
        ]);
      }
    },
    RUN_MS,
  );
});
