import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { formatAmendment } from '@drawbridge/governance/amendment';
import type { AssetCode, ParticipantId } from '@drawbridge/protocol/ids';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AmendmentFolder } from '../amendments/amendment-folder.ts';
import { FILE_LOG_STORE_DEFAULTS, FileLogStore } from '../consensus/file-log-store.ts';
import { systemEntropy } from '../consensus/node-host.ts';
import { entryType } from '../consensus/raft-types.ts';
import { encodeSnapshot } from '../settlement/snapshot.ts';
import type { SettlementState } from '../settlement/state.ts';
import {
  ALPHA,
  addressOf,
  BANK_A,
  BANK_B,
  EUR,
  GENESIS,
  START_MS,
  signedAmendment,
  word,
} from '../settlement/testing/world.ts';
import { NodeDriver, type TestNodeOptions } from './testing/node-driver.ts';
import { pay, payment, paymentId } from './testing/payments.ts';

const bytesOf = (driver: NodeDriver): string =>
  Buffer.from(encodeSnapshot(driver.node.view as SettlementState)).toString('base64');

describe('core node', () => {
  let dir: string;
  let running: NodeDriver[];
  const start = async (options: TestNodeOptions = {}): Promise<NodeDriver> => {
    const driver = await NodeDriver.start(dir, options);
    running.push(driver);
    return driver;
  };
  beforeEach(async () => {
    running = [];
    dir = await mkdtemp(join(tmpdir(), 'drawbridge-node-'));
  });
  afterEach(async () => {
    for (const driver of running) await driver.stop();
    await rm(dir, { recursive: true, force: true });
  });

  it('answers after commit, in the order of the commands, with the transaction they are in', async () => {
    const driver = await start();
    await driver.deposit(BANK_A, 1_000n, 'in');
    const answers = await driver.node.submit([pay('1', 10n), pay('2', 20n), pay('1', 11n)]);
    expect(answers.map(({ outcome }) => (outcome.ok ? 'ok' : outcome.code))).toEqual(['ok', 'ok', 'TRANSFER_ID_SPENT']);
    expect(new Set(answers.map(({ transactionId }) => transactionId)).size).toBe(1);
    expect(answers[0]?.transactionId).toBe(`${driver.node.status().view}.${driver.node.status().committedSeqno}`);
    expect(driver.posted(BANK_B)).toBe(30n);
    expect(driver.node.history.transfer(BANK_A, paymentId('1'))).toMatchObject({ state: 'SETTLED' });
    expect(driver.node.status()).toMatchObject({ role: 'leader', serviceStatus: 'open', rollbackProtected: false });
  });

  it('proves a transfer and a lock that are open, however much came after, and after a start too', async () => {
    const driver = await start();
    await driver.deposit(BANK_A, 10_000n, 'in');
    const source = { network: ALPHA, depositor: addressOf('treasury') };
    const terms = { ...payment('open', 5n), source, fundByMs: START_MS + 3_600_000 };
    await driver.run({ type: 'submitTransfer', terms });
    const reference = driver.node.view.liveTransfer(BANK_A, terms.id)?.reference ?? word('none');
    const lock = { network: ALPHA, asset: EUR, lockId: word('another amount') };
    await driver.run({
      ...{
        type: 'vaultEvent',
        network: ALPHA,
        asset: EUR,
        blockNumber: 9,
        blockHash: word('block 9'),
        trustVersion: 1,
      },
      ...{
        evidenceDigest: word('evidence'),
        event: { type: 'locked', seq: 2, ...lock, ...source, reference, amountMinor: 6n },
      },
    });
    for (let batch = 0; batch < 3; batch++) {
      await driver.node.submit(Array.from({ length: 700 }, (_, n) => pay(`${batch} ${n}`, 1n)));
    }
    expect(driver.node.view.eventCount(BANK_B)).toBeGreaterThan(2_000);
    const proven = async ({ node }: NodeDriver): Promise<unknown[]> => {
      const of = (bank: ParticipantId) => node.receipts.transfer(bank, BANK_A, terms.id);
      const receipts = await Promise.all([of(BANK_A), of(BANK_B), node.receipts.lock(BANK_A, lock)]);
      return receipts.map((receipt) => JSON.parse(receipt?.claims_proof?.claim ?? 'null'));
    };
    const claims = [
      expect.objectContaining({ participant: BANK_A, id: terms.id, state: 'AWAITING_FUNDS' }),
      expect.objectContaining({ participant: BANK_B, id: terms.id, state: 'AWAITING_FUNDS' }),
      expect.objectContaining({ participant: BANK_A, lockId: lock.lockId, state: 'UNMATCHED' }),
    ];
    expect(await proven(driver)).toEqual(claims);
    await driver.stop();
    expect(await proven(await start())).toEqual(claims);
  });

  it('puts what comes together into one entry', async () => {
    const driver = await start();
    await driver.deposit(BANK_A, 1_000n, 'in');
    const before = driver.node.status().committedSeqno;
    const answers = await Promise.all(Array.from({ length: 300 }, (_, i) => driver.node.submit([pay(`p${i}`, 1n)])));
    expect(answers.every(([answer]) => answer?.outcome.ok)).toBe(true);
    expect(driver.node.status().committedSeqno - before).toBeLessThan(5);
    expect(driver.posted(BANK_B)).toBe(300n);
  });

  it('is the same to the byte after a restart, from the log alone and from a snapshot', async () => {
    for (const snapshotEveryEntries of [1_000_000, 3]) {
      let driver = await start({ snapshots: { snapshotEveryEntries } });
      await driver.deposit(BANK_A, 1_000n, `in ${snapshotEveryEntries}`);
      for (let i = 0; i < 10; i++) await driver.run(pay(`${snapshotEveryEntries} ${i}`, 7n));
      const state = bytesOf(driver);
      const lines = driver.node.history.statement(BANK_B, EUR, 0, 1_000);
      const seqno = driver.node.status().committedSeqno;
      await driver.stop();
      driver = await start();
      expect(bytesOf(driver)).toBe(state);
      expect(driver.node.history.statement(BANK_B, EUR, 0, 1_000)).toEqual(lines);
      expect(driver.node.status().committedSeqno).toBeGreaterThan(seqno);
      await driver.stop();
    }
  });

  it('remembers a spent id across a restart', async () => {
    let driver = await start();
    await driver.deposit(BANK_A, 1_000n, 'in');
    await driver.run(pay('1', 10n));
    await driver.stop();
    driver = await start();
    for (const amount of [10n, 12n]) {
      expect((await driver.run(pay('1', amount))).outcome).toMatchObject({ code: 'TRANSFER_ID_SPENT' });
    }
    expect(driver.node.history.transfer(BANK_A, paymentId('1'))?.terms.amountMinor).toBe(10n);
    expect(driver.posted(BANK_B)).toBe(10n);
  });

  it('makes a lost history again from the ledger', async () => {
    let driver = await start({ snapshots: { snapshotEveryEntries: 4 } });
    await driver.deposit(BANK_A, 1_000n, 'in');
    for (let i = 0; i < 12; i++) await driver.run(pay(`${i}`, 7n));
    const events = driver.node.history.events(BANK_B, 0, 1_000);
    const lines = driver.node.history.statement(BANK_A, EUR, 0, 1_000);
    const snapshots = async () => (await readdir(join(dir, 'log'))).filter((name) => name.endsWith('.dbsnap'));
    while (!(await snapshots()).some((name) => !name.endsWith('0001.dbsnap'))) await pause(10);
    await driver.stop();
    await rm(join(dir, 'history'), { recursive: true });
    driver = await start();
    expect(driver.node.history.events(BANK_B, 0, 1_000)).toEqual(events);
    expect(driver.node.history.statement(BANK_A, EUR, 0, 1_000)).toEqual(lines);
    expect(driver.node.history.transfer(BANK_A, paymentId('5'))).toMatchObject({ state: 'SETTLED' });
    expect(driver.lines.some(({ message }) => message.includes('made again'))).toBe(true);
  });

  it('makes the history anew when it knows more than the log', async () => {
    let driver = await start();
    await driver.deposit(BANK_A, 1_000n, 'in');
    await driver.run(pay('lost', 7n));
    await driver.stop();
    for (const folder of ['log', 'ledger']) await rm(join(dir, folder), { recursive: true });
    driver = await start();
    expect(driver.node.history.transfer(BANK_A, paymentId('lost'))).toBeUndefined();
    expect(driver.node.history.events(BANK_B, 0, 10).items).toEqual([]);
    expect(driver.lines.some(({ fields }) => 'code' in fields && fields.code === 'HISTORY_AHEAD')).toBe(true);
  });

  it('stops where log and ledger are of different pasts', async () => {
    const driver = await start();
    await driver.deposit(BANK_A, 1_000n, 'in');
    await driver.stop();
    await rm(join(dir, 'log'), { recursive: true });
    await expect(start()).rejects.toMatchObject({ code: 'LEDGER_CONFLICT' });
  });

  it('lets a deadline pass when nothing else happens', async () => {
    let nowMs = START_MS;
    const driver = await start({ nowMs: () => nowMs });
    const source = { network: ALPHA, depositor: addressOf('treasury') };
    const terms = { ...payment('late', 5n), creditor: BANK_A, source, fundByMs: START_MS + 60 };
    const expired = new Promise<void>((resolve) => {
      driver.node.onEvents(BANK_A, () => {
        if (driver.node.history.transfer(BANK_A, terms.id)?.state === 'EXPIRED') resolve();
      });
    });
    expect((await driver.run({ type: 'submitTransfer', terms })).outcome.ok).toBe(true);
    nowMs += 100;
    await expired;
    expect(driver.node.view.liveTransfer(BANK_A, terms.id)).toBeUndefined();
  });

  it('never stamps an entry before the one that came before it', async () => {
    let nowMs = START_MS + 5_000;
    let driver = await start({ nowMs: () => nowMs });
    await driver.deposit(BANK_A, 1_000n, 'in');
    const stamp = driver.node.view.stampMs;
    nowMs = START_MS - 50_000;
    await driver.run(pay('1', 1n));
    expect(driver.node.view.stampMs).toBe(stamp);
    await driver.stop();
    driver = await start({ nowMs: () => nowMs });
    await driver.run(pay('2', 1n));
    expect(driver.node.view.stampMs).toBe(stamp);
  });

  it('tells whoever listens to a participant, and stops telling', async () => {
    const driver = await start();
    await driver.deposit(BANK_A, 1_000n, 'in');
    let calls = 0;
    const stop = driver.node.onEvents(BANK_B, () => {
      calls += 1;
    });
    await driver.node.submit([pay('1', 1n), pay('2', 1n)]);
    expect(calls).toBe(1);
    stop();
    await driver.run(pay('3', 1n));
    expect(calls).toBe(1);
  });

  it('takes signed amendments from a folder, and no forged one', async () => {
    const driver = await start();
    const folder = join(dir, 'amendments');
    await mkdir(folder);
    const write = async (file: string, number: number, code: string, signers: number): Promise<void> => {
      const actions = [{ name: 'add_asset' as const, args: { code: code as AssetCode, scale: 2 } }];
      const command = signedAmendment(number, actions, signers);
      if (command.type !== 'amendment') throw new Error('not an amendment');
      const { signatures } = command;
      const text = formatAmendment({ version: 1, serviceId: GENESIS.serviceId, number, actions, signatures });
      await writeFile(join(folder, file), text);
    };
    await write('1-forged.json', 1, 'JPY', 1);
    await write('1.json', 1, 'GBP', 2);
    await write('2.json', 2, 'CHF', 3);
    const warnings: object[] = [];
    const log = { info: () => undefined, warn: (fields: object) => void warnings.push(fields), error: () => undefined };
    await new AmendmentFolder({ dir: folder }, { core: driver.node, log }).scan();
    const codes = Array.from(driver.node.view.assets(), ({ code }) => code);
    expect(codes).toEqual(expect.arrayContaining(['GBP', 'CHF']));
    expect(codes).not.toContain('JPY');
    expect(driver.node.view.nextAmendment()).toBe(3);
    expect(warnings).toEqual([expect.objectContaining({ file: '1-forged.json', code: 'AMENDMENT_SIGNATURES' })]);
  });

  it('stops for good when an entry of the log cannot be understood', async () => {
    const driver = await start();
    await driver.stop();
    const store = await FileLogStore.open(
      { ...FILE_LOG_STORE_DEFAULTS, segmentBytes: 256 * 1024, directory: join(dir, 'log') },
      { entropy: systemEntropy },
    );
    const { entries } = await store.load();
    const last = entries.at(-1);
    const index = (last?.index ?? 1) + 1;
    const term = last?.term ?? 1;
    const garbage = { index, term, type: entryType.normal, data: Buffer.from('not sealed by this service') };
    await store.append({ entries: [garbage], hardState: null, installed: null });
    await store.close();
    await expect(start()).rejects.toMatchObject({ code: 'ENTRY_UNREADABLE' });
  });

  it('leaves no name, id or amount in clear in any file', async () => {
    const driver = await start({ snapshots: { snapshotEveryEntries: 3 } });
    await driver.deposit(BANK_A, 987_654n, 'in');
    for (let i = 0; i < 8; i++) await driver.run(pay(`${i}`, 777_001n + BigInt(i)));
    await driver.stop();
    const needles = [
      ...[BANK_A, BANK_B, 'Bank 5299', 'observer-1', 'SETTLED', paymentId('1'), '987654', '777001'],
      ...[paymentId('1').replaceAll('-', '')].flatMap((hex) => [Buffer.from(hex, 'hex').toString('latin1')]),
    ];
    let files = 0;
    for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const bytes = await readFile(join(entry.parentPath, entry.name));
      for (const needle of needles)
        expect({ file: entry.name, found: bytes.includes(needle, 0, 'latin1') }).toEqual({
          file: entry.name,
          found: false,
        });
      files += 1;
    }
    expect(files).toBeGreaterThan(3);
  });

  it('takes nothing once it stops, and answers what it took', async () => {
    const driver = await start();
    await driver.deposit(BANK_A, 1_000n, 'in');
    const last = driver.node.submit([pay('last', 1n)]);
    const stopped = driver.stop();
    await expect(driver.node.submit([pay('late', 1n)])).rejects.toMatchObject({ code: 'STOPPING' });
    expect((await last)[0]?.outcome.ok).toBe(true);
    await stopped;
  });

  it('does not start with another key, nor twice in one folder', async () => {
    const driver = await start();
    await expect(start()).rejects.toMatchObject({ code: 'LOG_LOCKED' });
    await driver.stop();
    await expect(start({ ledgerSecret: Buffer.alloc(32, 9) })).rejects.toMatchObject({ code: 'SEAL_BROKEN' });
    await (await start()).stop();
  });
});
