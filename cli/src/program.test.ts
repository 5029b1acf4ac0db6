import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConnectionError, EventGapError, ProblemError } from '@drawbridge/client/problem-error';
import type { EventResource } from '@drawbridge/protocol/api/event';
import { problemDocument } from '@drawbridge/protocol/api/problem';
import type { ServiceNode } from '@drawbridge/protocol/api/service-nodes';
import type { TransferRequest, TransferResource } from '@drawbridge/protocol/api/transfer';
import { parseBytes32 } from '@drawbridge/protocol/bytes32';
import {
  parseAssetCode,
  parseEvmAddress,
  parseNetworkId,
  parseParticipantId,
  parseTransferId,
} from '@drawbridge/protocol/ids';
import { parseExportPage } from '@drawbridge/protocol/ledger/bank-export';
import { parseNodeId } from '@drawbridge/protocol/ledger/node-id';
import type { Receipt } from '@drawbridge/protocol/ledger/receipt';
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

const CLAIM = { claim: '{"v":1}', salt: '5a'.repeat(32), proof: [] };
const RECEIPT: Receipt = {
  cert: 'PEM',
  node_id: parseNodeId('4e'.repeat(32)),
  signature: 'MGUCMQ==',
  proof: [],
  leaf: '5a'.repeat(32),
  transaction_id: '2.7',
  platform: 'virtual',
  rollbackProtected: false,
};
const NODE: ServiceNode = {
  node_id: parseNodeId('4e'.repeat(32)),
  status: 'Trusted',
  primary: true,
  rpc_interfaces: { primary_rpc_interface: { published_address: 'core-1:8443' } },
  node_data: null,
  raft_id: 1,
  platform: 'virtual',
  peer_address: 'core-1:9443',
};

let dir: string;
let out: string;
let err: string;
let calls: unknown[][];
let access: Access | undefined;
let failure: Error | undefined;
let closed: number;
let interrupted: boolean;

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
  submitTransfer: (...args) =>
    answer(['submitTransfer', ...args], {
      created: false,
      transfer: TRANSFER,
      ...(args[1]?.receipt && { receipt: RECEIPT }),
    }),
  transfer: (...args) => answer(['transfer', ...args], TRANSFER),
  transfers: (...args) => answer(['transfers', ...args], { transfers: [TRANSFER], next: 'cursor' }),
  cancelTransfer: (...args) => answer(['cancelTransfer', ...args], { ...TRANSFER, state: 'CANCELLED' }),
  events: (...args) => answer(['events', ...args], { participant: BANK_A, events: [EVENT], last: 7 }),
  async *followEvents(options) {
    calls.push(['followEvents', options]);
    yield EVENT;
    yield { ...EVENT, number: 8 };
  },
  transferReceipt: (...args) => answer(['transferReceipt', ...args], RECEIPT),
  eventReceipt: (...args) => answer(['eventReceipt', ...args], RECEIPT),
  transactionReceipt: (...args) => answer(['transactionReceipt', ...args], RECEIPT),
  async *exportEvents({ signal, ...options } = {}) {
    calls.push(['exportEvents', options]);
    yield { participant: BANK_A, items: [{ seqno: 7, claims_proof: CLAIM }] };
    if (failure) throw failure;
    if (!signal?.aborted) yield { participant: BANK_A, items: [{ seqno: 9, claims_proof: CLAIM }] };
  },
  nodes: () => answer(['nodes'], [NODE, { ...NODE, raft_id: 12, primary: false, status: 'Learner' }]),
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
  interrupted = false;
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
    untilInterrupted: () => (interrupted ? AbortSignal.abort() : new AbortController().signal),
  });
}
const withProfile = (...argv: string[]): Promise<number> => run(...argv, '--profile', join(dir, 'profile.json'));

describe('access', () => {
  test('comes from a profile, its files beside it, and the client is closed', async () => {
    expect(await withProfile('accounts')).toBe(0);
    expect(access).toEqual({
      url: ['https://core:8443'],
      certificate: 'certificate',
      key: 'key',
      serviceCertificate: 'service',
    });
    expect(closed).toBe(1);
  });
  test('options win over the profile', async () => {
    expect(await withProfile('accounts', '--url', 'https://other:1')).toBe(0);
    expect(access?.url).toEqual(['https://other:1']);
  });
  test('several nodes come as repeated options, or as a list in the profile', async () => {
    expect(await withProfile('accounts', '--url', 'https://a:1', '--url', 'https://b:2')).toBe(0);
    expect(access?.url).toEqual(['https://a:1', 'https://b:2']);
    const profile = JSON.parse(await readFile(join(dir, 'profile.json'), 'utf8')) as object;
    await writeFile(join(dir, 'profile.json'), JSON.stringify({ ...profile, url: ['https://c:3', 'https://d:4'] }));
    expect(await withProfile('accounts')).toBe(0);
    expect(access?.url).toEqual(['https://c:3', 'https://d:4']);
    expect(await withProfile('accounts', '--url', 'https://a:1', '--url', 'http://b:2')).toBe(2);
    expect(err).toContain('not http://b:2');
    await writeFile(join(dir, 'profile.json'), JSON.stringify({ ...profile, url: [] }));
    expect(await withProfile('accounts')).toBe(2);
    expect(err).toContain('say --url');
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

describe('receipts', () => {
  const file = (): string => join(dir, 'receipt.json');
  const contentOf = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'));

  test('of a transfer, an event, a transaction', async () => {
    expect(await withProfile('receipt', ID, '--out', file(), '--bank', 'BANKB')).toBe(0);
    expect(await contentOf(file())).toEqual(RECEIPT);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    expect(err).toBe(`receipt of transaction 2.7 is in ${file()}\n`);
    expect(await withProfile('receipt', '--event', '7', '--participant', 'BANKA')).toBe(0);
    expect(JSON.parse(out)).toEqual(RECEIPT);
    expect(await withProfile('receipt', '2.7')).toBe(0);
    expect(calls).toEqual([
      ['transferReceipt', ID, 'BANKB'],
      ['eventReceipt', 7, { participant: 'BANKA' }],
      ['transactionReceipt', '2.7'],
    ]);
  });
  test('with the answer to a submission', async () => {
    const submit = ['transfer', 'submit', '--asset', 'EUR', '--amount-minor', '12345', '--to', 'BANKB'];
    expect(await withProfile(...submit, '--receipt', file())).toBe(0);
    expect(calls[0]).toEqual(['submitTransfer', expect.objectContaining({ id: ID }), { receipt: true }]);
    expect(await contentOf(file())).toEqual(RECEIPT);
  });
  test.each([
    [['receipt'], 'say the id'],
    [['receipt', ID, '--event', '7'], 'say the id'],
    [['receipt', 'x'], 'transfer id'],
    [['receipt', '--event', '7', '--bank', 'BANKA'], '--bank belongs'],
    [['receipt', ID, '--participant', 'BANKA'], '--participant belongs'],
    [['receipt', '--event', 'x'], '--event takes a whole number'],
    [['export', '--out', 'x', '--after', '-'], '--after takes a whole number'],
  ])('%j is refused before it is sent', async (argv, words) => {
    expect(await withProfile(...argv)).toBe(2);
    expect(err).toContain(words);
    expect(calls).toEqual([]);
  });
  test('a file that cannot be written', async () => {
    expect(await withProfile('receipt', ID, '--out', join(dir, 'none', 'receipt.json'))).toBe(2);
    expect(err).toContain('cannot be written');
  });
});

describe('export', () => {
  const file = (): string => join(dir, 'export.jsonl');

  test('a page a line, in a file of its own', async () => {
    expect(await withProfile('export', '--out', file(), '--participant', 'BANKA', '--after', '3')).toBe(0);
    const pages = (await readFile(file(), 'utf8')).trim().split('\n');
    expect(pages.map((page) => parseExportPage(JSON.parse(page)).items.map(({ seqno }) => seqno))).toEqual([[7], [9]]);
    expect(calls).toEqual([['exportEvents', { participant: 'BANKA', after: 3 }]]);
    expect(err).toBe(`events 4 to 5 are in ${file()}\n`);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
  });
  test('that fails halfway leaves the earlier file as it was, and no other', async () => {
    await writeFile(file(), 'earlier');
    failure = new ConnectionError('ECONNREFUSED');
    expect(await withProfile('export', '--out', file())).toBe(2);
    expect(await readFile(file(), 'utf8')).toBe('earlier');
    expect((await readdir(dir)).filter((name) => name.startsWith('export'))).toEqual(['export.jsonl']);
  });
  test('in which the core leaves an event out is none', async () => {
    failure = new EventGapError(8, 9);
    expect(await withProfile('export', '--out', file())).toBe(1);
    expect(err).toContain('event 8 is missing');
  });
  test('that is interrupted is none', async () => {
    interrupted = true;
    expect(await withProfile('export', '--out', file())).toBe(2);
    expect(err).toContain('ended before the last event');
    expect((await readdir(dir)).filter((name) => name.startsWith('export'))).toEqual([]);
  });
});

test('nodes: who leads, and where', async () => {
  expect(await withProfile('nodes')).toBe(0);
  const [head, first, second] = out.split('\n');
  expect(head).toMatch(/^NODE +RAFT +STATUS +ROLE +ADDRESS +PLATFORM$/);
  expect(first).toMatch(/^(4e){32} +1 +Trusted +leads +core-1:8443 +virtual$/);
  expect(second).toMatch(/^(4e){32} +12 +Learner +core-1:8443 +virtual$/);
  out = '';
  expect(await withProfile('nodes', '--json')).toBe(0);
  expect(JSON.parse(out)).toHaveLength(2);
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
  test('a bug is said in one line, and is no refusal', async () => {
    failure = new TypeError('of ours\nand more');
    expect(await withProfile('accounts')).toBe(2);
    expect(err).toBe('drawbridge: a fault of this program, please report it: TypeError of ours\\u{a}and more\n');
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
