import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConnectionError, ProblemError } from '@drawbridge/client/problem-error';
import type { EventResource } from '@drawbridge/protocol/api/event';
import { problemDocument } from '@drawbridge/protocol/api/problem';
import type { TransferRequest, TransferResource } from '@drawbridge/protocol/api/transfer';
import { parseBytes32 } from '@drawbridge/protocol/bytes32';
import {
  parseAssetCode,
  parseEvmAddress,
  parseNetworkId,
  parseParticipantId,
  parseTransferId,
} from '@drawbridge/protocol/ids';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { BankClient } from './bank-commands.ts';
import type { Access } from './profile.ts';
import { runCli } from './program.ts';

const ID = parseTransferId('4f2a9c1e-7c0d-4b8a-9f63-1f2e3d4c5b6a');
const EUR = parseAssetCode('EUR');
const ALPHA = parseNetworkId('alpha');
const [BANK_A, BANK_B] = [parseParticipantId('BANKA'), parseParticipantId('BANKB')];
const AT = '2031-05-01T12:00:00.000Z';
const TRANSFER: TransferResource = {
  id: ID,
  debtor: BANK_A,
  creditor: BANK_B,
  asset: EUR,
  amountMinor: '12345',
  source: { network: ALPHA, depositor: '0xab' },
  onVoid: 'return',
  state: 'AWAITING_FUNDS',
  createdAt: AT,
  updatedAt: AT,
  fundBy: AT,
  lock: {
    network: ALPHA,
    vault: parseEvmAddress(`0x${'5a'.repeat(20)}`),
    amountMinor: '12345',
    reference: parseBytes32(`0x${'22'.repeat(32)}`),
    fundBy: AT,
  },
  instructions: [],
};
const EVENT: EventResource = {
  number: 7,
  at: AT,
  type: 'transfer',
  transfer: { bank: BANK_A, id: ID, state: 'REJECTED', reason: 'AM04' },
};

let dir: string;
let out: string;
let err: string;
let calls: unknown[][];
let access: Access | undefined;
let failure: Error | undefined;
let closed: number;

/** Answers everything, and writes down what it was asked. */
const client: BankClient = {
  accounts: (...args) =>
    answer(
      ['accounts', ...args],
      [
        {
          participant: BANK_A,
          asset: EUR,
          postedMinor: '900000',
          pendingMinor: '0',
          availableMinor: '900000',
          lines: 2,
        },
      ],
    ),
  statement: (...args) =>
    answer(['statement', ...args], {
      participant: BANK_A,
      asset: EUR,
      lines: [{ line: 1, deltaMinor: '-12345', balanceMinor: '900000', kind: 'payment', counterparty: BANK_B, at: AT }],
      next: 1,
    }),
  submitTransfer: (...args) => answer(['submitTransfer', ...args], { created: false, transfer: TRANSFER }),
  transfer: (...args) => answer(['transfer', ...args], TRANSFER),
  transfers: (...args) => answer(['transfers', ...args], { transfers: [TRANSFER], next: 'cursor' }),
  cancelTransfer: (...args) => answer(['cancelTransfer', ...args], { ...TRANSFER, state: 'CANCELLED' }),
  events: (...args) => answer(['events', ...args], { participant: BANK_A, events: [EVENT], last: 7 }),
  async *followEvents(options) {
    calls.push(['followEvents', options]);
    yield EVENT;
    yield { ...EVENT, number: 8 };
  },
  close: () => {
    closed++;
  },
};
function answer<T>(call: unknown[], value: T): Promise<T> {
  calls.push(call);
  return failure ? Promise.reject(failure) : Promise.resolve(value);
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-cli-'));
  out = '';
  err = '';
  calls = [];
  closed = 0;
  access = undefined;
  failure = undefined;
  await writeFile(join(dir, 'me.pem'), 'certificate');
  await writeFile(join(dir, 'me.key'), 'key', { mode: 0o600 });
  await writeFile(join(dir, 'service.pem'), 'service');
  const profile = { url: 'https://core:8443', certFile: 'me.pem', keyFile: 'me.key', serviceCertFile: 'service.pem' };
  await writeFile(join(dir, 'profile.json'), JSON.stringify(profile));
});
afterEach(() => rm(dir, { recursive: true }));

function run(...argv: string[]): Promise<number> {
  return runCli(argv, {
    output: {
      out: (text) => {
        out += `${text}\n`;
      },
      err: (text) => {
        err += `${text}\n`;
      },
    },
    connect: (given) => {
      access = given;
      return client;
    },
    runCore: async (args) => {
      calls.push(['runCore', ...args]);
      return 17;
    },
    nowMs: () => Date.parse(AT),
    newId: () => ID,
    untilInterrupted: () => new AbortController().signal,
  });
}
const withProfile = (...argv: string[]): Promise<number> => run(...argv, '--profile', join(dir, 'profile.json'));

describe('access', () => {
  test('comes from a profile, its files beside it, and the client is closed', async () => {
    expect(await withProfile('accounts')).toBe(0);
    expect(access).toEqual({
      url: 'https://core:8443',
      certificate: 'certificate',
      key: 'key',
      serviceCertificate: 'service',
    });
    expect(closed).toBe(1);
  });
  test('options win over the profile', async () => {
    expect(await withProfile('accounts', '--url', 'https://other:1')).toBe(0);
    expect(access?.url).toBe('https://other:1');
  });
  test('what is missing is named', async () => {
    expect(await run('accounts', '--profile', join(dir, 'none.json'))).toBe(2);
    expect(err).toContain('none.json cannot be read');
    await writeFile(join(dir, 'profile.json'), '{"url":"https://core:1"}');
    expect(await withProfile('accounts')).toBe(2);
    expect(err).toContain('say --cert, or certFile in');
  });
  test.each([
    ['{"uri":"https://core:1"}', 'unknown field uri'],
    ['{"url":1}', 'url in'],
  ])('a profile %s is refused', async (text, words) => {
    await writeFile(join(dir, 'profile.json'), text);
    expect(await withProfile('accounts')).toBe(2);
    expect(err).toContain(words);
  });
  test('a key that others may read is refused', async () => {
    await chmod(join(dir, 'me.key'), 0o644);
    expect(await withProfile('accounts')).toBe(2);
    expect(err).toContain('chmod 600');
  });
  test('plain http is refused', async () => {
    expect(await withProfile('accounts', '--url', 'http://core:1')).toBe(2);
    expect(err).toContain('https');
  });
});

describe('reading', () => {
  test('accounts as a table and as JSON', async () => {
    expect(await withProfile('accounts', '--participant', 'BANKA')).toBe(0);
    expect(out).toBe(
      'PARTICIPANT  ASSET  POSTED  PENDING  AVAILABLE\nBANKA        EUR    900000        0     900000\n',
    );
    expect(calls).toEqual([['accounts', { participant: 'BANKA' }]]);
    out = '';
    await withProfile('accounts', '--json');
    expect(JSON.parse(out)).toMatchObject([{ postedMinor: '900000' }]);
  });
  test('a statement, and how to go on', async () => {
    expect(await withProfile('statement', 'EUR', '--after', '5', '--limit', '10')).toBe(0);
    expect(calls).toEqual([['statement', 'EUR', { after: 5, limit: 10 }]]);
    expect(out).toContain('-12345');
    expect(err).toContain('--after 1');
  });
  test('events, and events that go on', async () => {
    expect(await withProfile('events')).toBe(0);
    expect(out).toBe(`7  ${AT}  transfer BANKA/${ID}  REJECTED (AM04)\n`);
    out = '';
    expect(await withProfile('events', '--follow', '--after', '6', '--json')).toBe(0);
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([{ number: 7 }, { number: 8 }]);
    expect(calls.at(-1)).toMatchObject(['followEvents', { after: 6 }]);
  });
  test.each([
    [['statement', 'eur'], 'asset code'],
    [['statement', 'EUR', '--after', 'x'], '--after takes a whole number'],
    [['accounts', '--participant', 'a b'], 'participant id'],
    [['transfer', 'get', 'x'], 'transfer id'],
    [['transfer', 'list', '--state', 'GONE'], 'there is no state GONE'],
  ])('%j is refused before it is sent', async (argv, words) => {
    expect(await withProfile(...argv)).toBe(2);
    expect(err).toContain(words);
    expect(calls).toEqual([]);
  });
});

describe('transfers', () => {
  const SUBMIT = ['transfer', 'submit', '--asset', 'EUR', '--amount-minor', '12345', '--to', 'BANKB'];

  test('a payment is submitted under a new id, which is said before', async () => {
    expect(await withProfile(...SUBMIT)).toBe(0);
    expect(calls).toEqual([['submitTransfer', { id: ID, asset: 'EUR', amountMinor: '12345', creditor: 'BANKB' }]]);
    expect(err).toBe(`submitting ${ID}\nit had been submitted before\n`);
    expect(out).toMatch(/^lock now +12345 minor units at vault 0x5a/m);
  });
  test('edges take their deadlines, as times or spans', async () => {
    const source = ['--source', 'alpha', '--depositor', '0xab', '--fund-by', '+30m'];
    const destination = ['--destination', 'beta', '--beneficiary', '0xcd', '--deliver-by', '2031-05-02T00:00:00Z'];
    expect(
      await withProfile(...SUBMIT, ...source, ...destination, '--on-void', 'refund', '--remittance', 'INV-1'),
    ).toBe(0);
    expect(calls[0]?.[1]).toEqual({
      id: ID,
      asset: 'EUR',
      amountMinor: '12345',
      creditor: 'BANKB',
      source: { network: 'alpha', depositor: '0xab' },
      fundBy: '2031-05-01T12:30:00.000Z',
      destination: { network: 'beta', beneficiary: '0xcd' },
      deliverBy: '2031-05-02T00:00:00.000Z',
      onVoid: 'refund',
      remittance: 'INV-1',
    });
  });
  test('a file has the whole transfer', async () => {
    const request: TransferRequest = { id: ID, asset: EUR, amountMinor: '1', creditor: BANK_B };
    await writeFile(join(dir, 'transfer.json'), JSON.stringify(request));
    expect(await withProfile('transfer', 'submit', '--file', join(dir, 'transfer.json'))).toBe(0);
    expect(calls).toEqual([['submitTransfer', request]]);
    expect(await withProfile('transfer', 'submit', '--file', join(dir, 'transfer.json'), '--asset', 'EUR')).toBe(2);
    expect(err).toContain('leave out asset');
  });
  test.each([
    [['transfer', 'submit'], 'say --asset'],
    [[...SUBMIT.slice(0, 4), '--amount-minor', '1.5', '--to', 'BANKB'], 'whole number of minor units'],
    [[...SUBMIT, '--source', 'alpha', '--depositor', '0xab'], 'say --fund-by'],
    [[...SUBMIT, '--depositor', '0xab'], 'belong to --source'],
    [[...SUBMIT, '--deliver-by', '+1h'], 'belong to --destination'],
    [[...SUBMIT, '--on-void', 'keep'], '--on-void is return or refund'],
  ])('%j is refused before it is sent', async (argv, words) => {
    expect(await withProfile(...argv)).toBe(2);
    expect(err).toContain(words);
    expect(calls).toEqual([]);
  });
  test('get, list and cancel', async () => {
    expect(await withProfile('transfer', 'get', ID, '--bank', 'BANKA')).toBe(0);
    expect(await withProfile('transfer', 'list', '--state', 'SETTLED')).toBe(0);
    expect(await withProfile('transfer', 'cancel', ID, '--json')).toBe(0);
    expect(calls).toEqual([
      ['transfer', ID, 'BANKA'],
      ['transfers', { state: 'SETTLED' }],
      ['cancelTransfer', ID],
    ]);
  });
});

describe('exit codes', () => {
  test('a problem of the core is 1, in its words', async () => {
    failure = new ProblemError(409, problemDocument('TRANSFER_NOT_CANCELLABLE'));
    expect(await withProfile('transfer', 'cancel', ID)).toBe(1);
    expect(err).toContain('TRANSFER_NOT_CANCELLABLE');
    expect(closed).toBe(1);
  });
  test('no answer is 2', async () => {
    failure = new ConnectionError('ECONNREFUSED');
    expect(await withProfile('accounts')).toBe(2);
    expect(err).toContain('ECONNREFUSED');
  });
  test('a bug is not hidden', async () => {
    failure = new TypeError('bug');
    await expect(withProfile('accounts')).rejects.toThrow('bug');
  });
  test.each([[['no-such-command']], [['accounts', '--no-such-option']], [['amendment', 'sign', 'x']], [[]]])(
    '%j is 2, with help',
    async (argv) => {
      expect(await run(...argv)).toBe(2);
      expect(err).toMatch(/help|Usage/);
    },
  );
  test('help is 0', async () => {
    expect(await run('transfer', 'submit', '--help')).toBe(0);
    expect(out).toContain('--amount-minor');
  });
});

test('service passes everything on to the program of the core, and gives its exit code', async () => {
  expect(await run('service', 'start', '--dir', 'x', '--help', '--json')).toBe(17);
  expect(calls).toEqual([['runCore', 'start', '--dir', 'x', '--help', '--json']]);
});
