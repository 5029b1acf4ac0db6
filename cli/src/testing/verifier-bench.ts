/** Where the offline verifiers are tried: for each test a folder with the certificate to pin, and what was printed. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import type { Output } from '../output.ts';
import { type VerifyLedgerFlags, verifyLedgerCommand } from '../verify-ledger.ts';
import { type VerifyReceiptFlags, verifyReceiptCommand } from '../verify-receipt.ts';
import { newParties, type Parties } from './sample-ledger.ts';
import { type TestChunk, type TestLedger, writeChunks } from './test-ledger.ts';

export class VerifierBench {
  #parties: Parties | undefined;
  #dir = '';
  /** What the last command said. */
  printed = '';
  readonly output: Output = {
    out: (text) => {
      this.printed += `${text}\n`;
    },
    err: () => undefined,
  };

  /** To be called once in a file of tests. */
  static setUp(): VerifierBench {
    const bench = new VerifierBench();
    beforeAll(async () => {
      bench.#parties = await newParties();
    });
    beforeEach(async () => {
      bench.#dir = await mkdtemp(join(tmpdir(), 'drawbridge-cli-'));
      await writeFile(bench.at('service.pem'), bench.parties.service.certificate);
      bench.printed = '';
    });
    afterEach(() => rm(bench.#dir, { recursive: true }));
    return bench;
  }

  get parties(): Parties {
    if (!this.#parties) throw new Error('the tests have not begun');
    return this.#parties;
  }

  /** A path in the folder of the test. */
  readonly at = (name: string): string => join(this.#dir, name);

  readonly verifyReceipt = async (receipt: unknown, flags: VerifyReceiptFlags = {}): Promise<0 | 1> => {
    await writeFile(this.at('receipt.json'), JSON.stringify(receipt));
    this.printed = '';
    const parts = { output: this.output, nowMs: Date.now() };
    return verifyReceiptCommand(this.at('receipt.json'), { serviceCert: this.at('service.pem'), ...flags }, parts);
  };

  readonly expectReceiptRefused = async (
    receipt: unknown,
    check: string,
    code: string,
    flags: VerifyReceiptFlags = {},
  ): Promise<void> => {
    const exit = await this.verifyReceipt(receipt, { ...flags, json: true });
    expect({ exit, verdict: JSON.parse(this.printed) }).toMatchObject({
      exit: 1,
      verdict: { proven: false, check, code },
    });
  };

  readonly verifyLedger = async (
    made: TestLedger | readonly TestChunk[],
    flags: VerifyLedgerFlags = {},
  ): Promise<0 | 1> => {
    const folder = await writeChunks(this.at('ledger'), 'chunks' in made ? made.chunks() : made);
    this.printed = '';
    const parts = { output: this.output, nowMs: Date.now() };
    return verifyLedgerCommand(folder, { serviceCert: this.at('service.pem'), ...flags }, parts);
  };

  /** @returns the verdict as JSON */
  readonly expectLedgerRefused = async (
    made: TestLedger | readonly TestChunk[],
    code: string,
    flags: VerifyLedgerFlags = {},
  ): Promise<Record<string, unknown>> => {
    expect({ exit: await this.verifyLedger(made, { ...flags, json: true }), printed: this.printed }).toEqual({
      exit: 1,
      printed: expect.stringContaining(`"code": "${code}"`),
    });
    return JSON.parse(this.printed) as Record<string, unknown>;
  };
}
