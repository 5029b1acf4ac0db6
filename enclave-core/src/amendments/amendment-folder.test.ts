import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatAmendment } from '@drawbridge/governance/amendment';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { AssetCode } from '@drawbridge/protocol/ids';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Committed, SubmitError } from '../core-service.ts';
import type { Command, Outcome } from '../settlement/command.ts';
import type { SettlementView } from '../settlement/view.ts';
import { AmendmentFolder } from './amendment-folder.ts';

const SERVICE = `0x${'5e'.repeat(32)}` as Bytes32;
const text = (number: number, serviceId = SERVICE): string =>
  formatAmendment({
    version: 1,
    serviceId,
    number,
    actions: [{ name: 'add_asset', args: { code: `AST${number}` as AssetCode, scale: 2 } }],
    signatures: [],
  });

describe('amendment folder', () => {
  let dir: string;
  let next: number;
  let proposed: number[];
  let warnings: { file?: string; code?: string }[];
  let answer: (number: number) => Outcome;
  let folder: AmendmentFolder;
  let onApplied: () => void;

  const submit = async (commands: readonly Command[]): Promise<Committed[]> =>
    commands.map((command) => {
      if (command.type !== 'amendment') throw new Error('not an amendment');
      proposed.push(command.number);
      const outcome = answer(command.number);
      if (outcome.ok) next = command.number + 1;
      return { outcome, transactionId: '2.1' };
    });

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'drawbridge-amendments-'));
    next = 1;
    proposed = [];
    warnings = [];
    onApplied = () => undefined;
    answer = (number) =>
      number === next ? { ok: true } : { ok: false, code: 'AMENDMENT_NUMBER', detail: `expected ${next}` };
    const view = { serviceId: SERVICE, nextAmendment: () => next };
    folder = new AmendmentFolder(
      { dir, settleMs: 1 },
      {
        core: { submit: (commands) => submit(commands), view: view as SettlementView },
        log: { info: () => onApplied(), warn: (fields) => void warnings.push(fields), error: () => undefined },
      },
    );
  });
  afterEach(async () => {
    await folder.stop();
    await rm(dir, { recursive: true, force: true });
  });

  it('proposes in the order of numbers, whatever the names say, and each once', async () => {
    await writeFile(join(dir, 'z.json'), text(1));
    await writeFile(join(dir, 'a.json'), text(2));
    await writeFile(join(dir, 'b.json'), text(10));
    await folder.scan();
    expect(proposed).toEqual([1, 2, 10]);
    expect(warnings).toEqual([{ file: 'b.json', code: 'AMENDMENT_NUMBER', detail: 'expected 3' }]);
    await folder.scan();
    expect(proposed).toEqual([1, 2, 10, 10]);
    expect(warnings).toHaveLength(1);
  });

  it('names a bad file with its code and goes on with the others', async () => {
    await writeFile(join(dir, '0.json'), '{');
    await writeFile(join(dir, '1.json'), text(1, `0x${'11'.repeat(32)}` as Bytes32));
    await writeFile(join(dir, '2.json'), text(1));
    await writeFile(join(dir, '3.json'), `${' '.repeat(2 ** 20)}${text(2)}`);
    await writeFile(join(dir, 'readme.txt'), 'not an amendment');
    await folder.scan();
    expect(proposed).toEqual([1]);
    expect(warnings.map(({ file, code }) => [file, code]).sort()).toEqual([
      ['0.json', 'AMENDMENT_FORM'],
      ['1.json', 'AMENDMENT_SERVICE'],
      ['3.json', 'AMENDMENT_SIZE'],
    ]);
  });

  it('takes a second file of a number whose first was refused', async () => {
    await writeFile(join(dir, 'forged.json'), text(1));
    await writeFile(join(dir, 'good.json'), text(1));
    let first = true;
    answer = () => {
      if (!first) return { ok: true };
      first = false;
      return { ok: false, code: 'AMENDMENT_SIGNATURES', detail: 'none' };
    };
    await folder.scan();
    expect(next).toBe(2);
    expect(warnings).toEqual([{ file: 'forged.json', code: 'AMENDMENT_SIGNATURES', detail: 'none' }]);
  });

  it('notices a file that is put there while it runs', async () => {
    await folder.start();
    const applied = new Promise<void>((resolve) => {
      onApplied = resolve;
    });
    await writeFile(join(dir, '1.json'), text(1));
    await applied;
    expect(next).toBe(2);
  });

  it('says that there is no folder', async () => {
    await rm(dir, { recursive: true });
    await expect(folder.start()).rejects.toMatchObject({ code: 'SERVICE_ARGUMENTS' });
  });

  it('survives that nothing can be proposed and that the folder goes away', async () => {
    await writeFile(join(dir, '1.json'), text(1));
    answer = () => {
      throw new SubmitError('NOT_LEADER', 'another node leads');
    };
    await folder.scan();
    await rm(dir, { recursive: true });
    await folder.scan();
    expect(warnings.map(({ code }) => code)).toEqual(['NOT_LEADER', 'ENOENT']);
  });
});
