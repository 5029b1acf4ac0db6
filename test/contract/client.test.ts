/** The client against the API that it is written for, and against servers that behave as the core never would. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { DrawbridgeClient } from '@drawbridge/client/bank-client';
import { ConnectionError, EventGapError, ProblemError } from '@drawbridge/client/problem-error';
import { RelayClient } from '@drawbridge/client/relay-client';
import { buildApi } from '@drawbridge/enclave-core/api/build-api';
import { EUR, NODES, QUORUM_A, testWord, VAULT_A, WORLD } from '@drawbridge/enclave-core/api/testing/fake-core';
import { type TestCertificate, testCertificate } from '@drawbridge/enclave-core/api/testing/test-certificates';
import { type TlsApi, tlsApi } from '@drawbridge/enclave-core/api/testing/tls-api';
import { SubmitError } from '@drawbridge/enclave-core/core-service';
import type { EventResource } from '@drawbridge/protocol/api/event';
import type { TransferRequest } from '@drawbridge/protocol/api/transfer';
import { parseTransferId, type TransferId } from '@drawbridge/protocol/ids';
import { type BankExportPage, formatExportPage, parseExportPage } from '@drawbridge/protocol/ledger/bank-export';
import type { Receipt } from '@drawbridge/protocol/ledger/receipt';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';

type Name = 'alpha' | 'beta' | 'auditor' | 'relay' | 'connector' | 'operator';
const NAMES = ['alpha', 'beta', 'auditor', 'relay', 'connector', 'operator'] as const;
const idOf = (n: number): TransferId => parseTransferId(`8a562c67-ca16-48ba-b074-${String(n).padStart(12, '0')}`);
const payment = (n: number): TransferRequest => ({ id: idOf(n), asset: EUR, amountMinor: '5', creditor: WORLD.beta });
const funded = (n: number): TransferRequest => ({
  ...payment(n),
  source: { network: QUORUM_A, depositor: `0x${'1b'.repeat(20)}` },
  fundBy: '2031-01-01T00:00:00Z',
  remittance: 'a secret of two banks',
});

let api: TlsApi<Name>;
let access: (name: Name) => ConstructorParameters<typeof DrawbridgeClient>[0];
const clients: { close: () => void }[] = [];
const bank = (name: Name, changes: object = {}): DrawbridgeClient => {
  const client = new DrawbridgeClient({ ...access(name), retryMs: 5, ...changes });
  clients.push(client);
  return client;
};

beforeAll(async () => {
  api = await tlsApi(NAMES);
  access = (name) => ({
    url: `https://127.0.0.1:${api.port}`,
    serviceCertificate: api.server.cert,
    certificate: api.certificates[name].cert,
    key: api.certificates[name].key,
  });
});
beforeEach(() => api.core.reset());
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});
afterAll(() => api.app.close());

describe('every method against the API', () => {
  test('registry and node', async () => {
    const client = bank('alpha');
    expect(await client.participant()).toEqual({ id: 'ALPHA', role: 'bank', name: 'The alpha' });
    expect(await client.assets()).toEqual([{ code: 'EUR', scale: 2 }]);
    expect((await client.networks()).map(({ id }) => id)).toEqual(['quorum-a', 'quorum-b']);
    expect(await client.nodeState()).toMatchObject({ role: 'leader', rollbackProtected: false });
    expect((await client.nodeNetwork()).serviceCertificateFingerprint).toBe(api.server.fingerprint);
    expect((await client.nodes()).map(({ node_id }) => node_id)).toEqual(NODES);
  });

  test('transfers: submit, again, read, list, cancel, batch', async () => {
    const client = bank('alpha');
    const first = await client.submitTransfer(funded(1));
    expect(first).toMatchObject({ created: true, transactionId: '2.11', transfer: { lock: { vault: VAULT_A } } });
    expect(await client.submitTransfer(funded(1))).toMatchObject({ created: false, transfer: first.transfer });
    expect(await client.transfer(idOf(1))).toEqual(first.transfer);
    expect(await bank('beta').transfer(idOf(1), WORLD.alpha)).not.toHaveProperty('lock');
    expect(await client.cancelTransfer(idOf(1))).toMatchObject({ state: 'CANCELLED' });
    const results = await client.submitBatch([payment(2), payment(3), { ...payment(3), amountMinor: '6' }]);
    expect(results.map(({ status }) => status)).toEqual([201, 201, 409]);
    expect((await client.transfers({ state: 'SETTLED' })).transfers).toHaveLength(2);
  });

  test('all pages of a list, one by one', async () => {
    const client = bank('alpha');
    await client.submitBatch(Array.from({ length: 230 }, (_, n) => payment(n)));
    const seen = new Set<string>();
    for await (const { id } of client.allTransfers()) seen.add(id);
    expect(seen.size).toBe(230);
  });

  test('accounts and statements, own and supervised', async () => {
    const account = { participant: WORLD.alpha, asset: EUR, postedMinor: 90n, pendingMinor: 40n, lines: 1 };
    api.core.balances.set(WORLD.alpha, account);
    api.core.lines.push({
      account: WORLD.alpha,
      asset: EUR,
      line: 1,
      deltaMinor: 90n,
      balanceMinor: 90n,
      kind: 'deposit',
      network: QUORUM_A,
      stampMs: 0,
    });
    const own = await bank('alpha').account(EUR);
    expect(own).toMatchObject({ postedMinor: '90', pendingMinor: '40', availableMinor: '50' });
    expect(await bank('auditor').accounts()).toEqual([own]);
    expect(await bank('auditor').account(EUR, { participant: WORLD.alpha })).toEqual(own);
    const { lines } = await bank('alpha').statement(EUR, { limit: 10 });
    expect(lines).toEqual([expect.objectContaining({ line: 1, deltaMinor: '90', kind: 'deposit' })]);
  });

  test('locks', async () => {
    const lock = { network: QUORUM_A, asset: EUR, lockId: testWord('a lock') };
    api.core.locks.push({
      ...lock,
      depositor: testWord('depositor'),
      amountMinor: 5n,
      transfer: { bank: WORLD.alpha, id: idOf(1) },
      why: 'late',
      state: 'UNMATCHED',
      refundsVoided: 0,
    });
    expect((await bank('operator').locks()).locks).toEqual([{ ...lock, state: 'UNMATCHED' }]);
    await expect(bank('alpha').cancelLockRefund(lock)).rejects.toMatchObject({ code: 'LOCK_NOT_CANCELLABLE' });
    expect(await bank('alpha').claimLock(lock)).toMatchObject({ state: 'CLAIMED', amountMinor: '5' });
    await expect(bank('alpha').refundLock(lock)).rejects.toMatchObject({ status: 409, code: 'LOCK_NOT_REFUNDABLE' });
  });

  test('the relay', async () => {
    const relay = new RelayClient(access('relay'));
    clients.push(relay);
    expect(await relay.outbox(QUORUM_A, 0, 10)).toMatchObject({ items: [{ cursor: 1 }], next: 1 });
    const results = await relay.postEvidence(QUORUM_A, [{ jobId: 'j', sealed: 'c2VhbGVk' }]);
    expect(results).toEqual([{ jobId: 'j', result: 'accepted' }]);
    expect(await relay.cursor(QUORUM_A)).toMatchObject({ vaults: [{ address: VAULT_A, nextEventSeq: 1 }] });
    expect((await relay.sealingKey()).publicKey).toContain('PUBLIC KEY');
    await expect(relay.states(QUORUM_A, EUR)).rejects.toMatchObject({ status: 403 });
    const connector = new RelayClient(access('connector'));
    clients.push(connector);
    const page = await connector.states(QUORUM_A, EUR);
    expect(page).toMatchObject({ vault: VAULT_A, states: [{ kind: 'coin', ref: page.next }] });
    expect(await connector.states(QUORUM_A, EUR, page.next)).toMatchObject({ states: [] });
  });
});

describe('receipts', () => {
  const claimOf = ({ claims_proof }: Receipt): unknown => JSON.parse(claims_proof?.claim ?? 'null');

  test('with the answers to writes, each whole', async () => {
    const client = bank('alpha');
    const { transfer, receipt, transactionId } = await client.submitTransfer(funded(1), { receipt: true });
    expect(transfer).not.toHaveProperty('receipt');
    expect(receipt?.transaction_id).toBe(transactionId);
    expect(await client.transferReceipt(idOf(1))).toEqual(receipt);
    expect(await client.cancelTransfer(idOf(1), { receipt: true })).toMatchObject({
      receipt: { proof: expect.anything() },
    });
    const items = await client.submitBatch([payment(2), { ...payment(1), amountMinor: '7' }], { receipt: true });
    expect(items.map((item) => item.receipt && claimOf(item.receipt))).toEqual([
      expect.objectContaining({ id: idOf(2), state: 'SETTLED' }),
      undefined,
    ]);
    expect(items[0]).not.toHaveProperty('proof');
  });

  test('of events, for the bank and its auditor, and of transactions for anyone', async () => {
    await bank('alpha').submitTransfer(payment(1));
    const receipt = await bank('auditor').eventReceipt(1, { participant: WORLD.alpha });
    expect(claimOf(receipt)).toMatchObject({ participant: 'ALPHA', number: 1 });
    expect(claimOf(await bank('beta').transferReceipt(idOf(1), WORLD.alpha))).toMatchObject({ participant: 'BETA' });
    const { claims_proof: _claim, ...bare } = receipt;
    expect(await bank('operator').transactionReceipt(receipt.transaction_id)).toEqual(bare);
    expect(await bank('operator').transactionStatus('2.999')).toEqual({ transaction_id: '2.999', status: 'Unknown' });
  });

  test('an export has every event up to the newest when it began, in pages that a verifier reads', async () => {
    const client = bank('alpha');
    await client.submitBatch(Array.from({ length: 230 }, (_, n) => payment(n)));
    await client.submitTransfer(payment(999));
    const pages: BankExportPage[] = [];
    for await (const page of client.exportEvents()) {
      if (pages.length === 0) await client.submitTransfer(payment(998));
      pages.push(page);
    }
    expect(pages.map(({ items }) => items.length)).toEqual([100, 100, 32]);
    const numbers = pages
      .flatMap((page) => parseExportPage(JSON.parse(formatExportPage(page))).items)
      .map(({ claims_proof }) => (JSON.parse(claims_proof.claim) as { number: number }).number);
    expect(numbers).toEqual(Array.from({ length: 232 }, (_, n) => n + 1));
    expect(pages[0]?.items[0]?.seqno).toBe(11);
    expect(pages[2]?.items[30]?.seqno).toBe(12);
    const rest: BankExportPage[] = [];
    for await (const page of bank('auditor').exportEvents({ participant: WORLD.alpha, after: 230 })) rest.push(page);
    expect(rest.map(({ participant, items }) => [participant, items.length])).toEqual([['ALPHA', 2]]);
  });

  test('a bank without events has an export without items', async () => {
    const pages: BankExportPage[] = [];
    for await (const page of bank('alpha').exportEvents()) pages.push(page);
    expect(pages).toEqual([{ participant: 'ALPHA', items: [] }]);
  });

  test('an export in which the core leaves an event out is an error', async () => {
    for (const page of [
      { events: [{ number: 2, receipt: 0, claims_proof: {} }], receipts: [{ transaction_id: '2.7' }], last: 2 },
      { events: [], receipts: [], last: 2 },
    ]) {
      const { port } = await listening((_request, response) => {
        response.setHeader('content-type', 'application/json').end(JSON.stringify({ participant: 'ALPHA', ...page }));
      }, api.server);
      const reading = bank('alpha', { url: `https://127.0.0.1:${port}` })
        .exportEvents()
        [Symbol.asyncIterator]()
        .next();
      await expect(reading).rejects.toBeInstanceOf(EventGapError);
    }
  });
});

describe('failures', () => {
  test('a problem comes as an error with its code, status and detail', async () => {
    const error = await bank('alpha')
      .transfer(idOf(9))
      .catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(ProblemError);
    expect(error).toMatchObject({ status: 404, code: 'NOT_FOUND', detail: expect.stringContaining('ids') });
  });

  /** Fails the first submits of the core with these codes. */
  function failFirst(
    codes: SubmitError['code'][],
    afterCommit = false,
  ): { submits: () => number; restore: () => void } {
    const { core } = api;
    const submit = core.submit.bind(core);
    let submits = 0;
    core.submit = async (commands) => {
      submits += 1;
      const code = codes.shift();
      if (code !== undefined && !afterCommit) throw new SubmitError(code, 'of a test');
      const committed = await submit(commands);
      if (code !== undefined) throw new SubmitError(code, 'of a test');
      return committed;
    };
    const restore = (): void => {
      core.submit = submit;
    };
    return { submits: () => submits, restore };
  }

  test('what was not proposed is sent again with its id', async () => {
    const { submits, restore } = failFirst(['NOT_LEADER', 'OVERLOADED']);
    const slow = performance.now();
    expect(await bank('alpha').submitTransfer(payment(1))).toMatchObject({ created: true });
    expect(submits()).toBe(3);
    expect(performance.now() - slow).toBeGreaterThan(1_900);
    restore();
  });

  test('what is not known is asked again, and takes effect once', async () => {
    const { restore } = failFirst(['UNCERTAIN', 'UNCERTAIN'], true);
    expect(await bank('alpha').submitTransfer(payment(1))).toMatchObject({
      created: false,
      transfer: { state: 'SETTLED' },
    });
    expect(api.core.ended.size).toBe(1);
    restore();
  });

  test('tries are bounded, and the last answer is the error', async () => {
    const { submits, restore } = failFirst(Array.from({ length: 9 }, () => 'UNCERTAIN'));
    await expect(bank('alpha', { attempts: 3 }).submitTransfer(payment(1))).rejects.toMatchObject({
      code: 'UNCERTAIN',
    });
    expect(submits()).toBe(3);
    restore();
  });

  test('nobody listens: an error without request, body or key', async () => {
    const { port } = await listening(
      () => undefined,
      api.server,
      (server) => server.close(),
    );
    const client = bank('alpha', { url: `https://127.0.0.1:${port}`, attempts: 2 });
    const error = await client.submitTransfer(funded(1)).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    expect(inspect(error, { depth: 9 })).not.toMatch(/PRIVATE KEY|a secret of two banks/);
  });
});

/** A server of our own making: what a client must withstand. */
async function listening(
  answer: RequestListener,
  { key, cert }: TestCertificate,
  then: (server: Server) => void = () => undefined,
): Promise<{ port: number; server: Server }> {
  const server = createServer({ key, cert, minVersion: 'TLSv1.3' }, answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  then(server);
  if (!server.listening) return { port, server };
  clients.push({
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
  return { port, server };
}

describe('a server that is not the service', () => {
  const asked: string[] = [];
  const count: RequestListener = ({ url }, response) => {
    asked.push(url ?? '');
    response.setHeader('content-type', 'application/json').end('{}');
  };
  beforeEach(() => {
    asked.length = 0;
  });

  test('another self-signed certificate: nothing is sent to it', async () => {
    const { port } = await listening(count, await testCertificate('node'));
    const refused = bank('alpha', { url: `https://127.0.0.1:${port}` }).participant();
    await expect(refused).rejects.toBeInstanceOf(ConnectionError);
    await expect(refused).rejects.toThrow('the server does not show the pinned certificate');
    expect(asked).toEqual([]);
  });

  test('nor when the environment of the process switches certificate checks off', async () => {
    const { port } = await listening(count, await testCertificate('node'));
    const program = `
      import { DrawbridgeClient } from '@drawbridge/client/bank-client';
      const client = new DrawbridgeClient(JSON.parse(process.env.ACCESS));
      await client.participant().then(() => console.log('answered'), (error) => console.log(error.name));
      client.close();`;
    const child = spawn(
      process.execPath,
      ['--conditions=drawbridge-source', '--import', 'tsx', '--input-type=module', '--eval', program],
      {
        env: {
          ...process.env,
          NODE_TLS_REJECT_UNAUTHORIZED: '0',
          ACCESS: JSON.stringify({ ...access('alpha'), url: `https://127.0.0.1:${port}` }),
        },
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    let said = '';
    for await (const chunk of child.stdout.setEncoding('utf8')) said += String(chunk);
    expect(said.trim()).toBe('ConnectionError');
    expect(asked).toEqual([]);
  });

  test('a redirect is not followed, a page is no answer', async () => {
    const { port } = await listening((_request, response) => {
      response.writeHead(302, { location: 'https://127.0.0.1:1/', 'content-type': 'text/html' }).end('<html>');
    }, api.server);
    await expect(bank('alpha', { url: `https://127.0.0.1:${port}` }).participant()).rejects.toMatchObject({
      code: 'ANSWER_NOT_JSON',
    });
  });
});

describe('following events', () => {
  const announce = (): void =>
    api.core.announce(WORLD.alpha, {
      type: 'lock',
      network: QUORUM_A,
      asset: EUR,
      lockId: testWord('lock'),
      state: 'UNMATCHED',
    });
  /** Ends with the test, whatever happens. */
  const untilTheEnd = (): AbortSignal => {
    const end = new AbortController();
    clients.push({ close: () => end.abort() });
    return end.signal;
  };
  async function take(events: AsyncIterable<EventResource>, count: number): Promise<number[]> {
    const numbers: number[] = [];
    for await (const { number } of events) {
      numbers.push(number);
      if (numbers.length === count) break;
    }
    return numbers;
  }

  test('from a number on, over a restart of the node, none missed and none twice', async () => {
    for (let n = 0; n < 5; n++) announce();
    const events = bank('alpha').followEvents({ after: 2, signal: untilTheEnd() })[Symbol.asyncIterator]();
    const next = async (): Promise<number | undefined> =>
      ((await events.next()).value as EventResource | undefined)?.number;
    expect([await next(), await next(), await next()]).toEqual([3, 4, 5]);
    await api.app.close();
    announce();
    const silent = (): void => undefined;
    const again = buildApi(api.core, { tls: api.server, logger: { info: silent, warn: silent, error: silent } });
    await again.listen({ host: '127.0.0.1', port: api.port });
    api = { ...api, app: again };
    expect(await next()).toBe(6);
    announce();
    expect(await next()).toBe(7);
    await events.return?.();
  });

  test('it ends when told, and refuses to go on where the core refuses', async () => {
    const end = new AbortController();
    announce();
    const seen: number[] = [];
    for await (const { number } of bank('alpha').followEvents({ signal: end.signal })) {
      seen.push(number);
      end.abort();
    }
    expect(seen).toEqual([1]);
    const refused = take(bank('operator').followEvents({ signal: untilTheEnd() }), 1);
    await expect(refused).rejects.toMatchObject({ status: 403, code: 'ROLE_NOT_ALLOWED' });
  });

  test('a stream that leaves one out is an error', async () => {
    announce();
    announce();
    announce();
    api.core.stream.get(WORLD.alpha)?.splice(1, 1);
    const following = take(bank('alpha').followEvents({ signal: untilTheEnd() }), 3);
    await expect(following).rejects.toMatchObject({ name: 'EventGapError', expected: 2, received: 3 });
    await expect(following).rejects.toBeInstanceOf(EventGapError);
  });

  test('a stream that falls silent is opened anew', async () => {
    let opened = 0;
    const { port } = await listening((_request, response) => {
      opened += 1;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      if (opened === 2) response.write('id: 1\ndata: {"number":1}\n\n');
    }, api.server);
    const client = bank('alpha', { url: `https://127.0.0.1:${port}` });
    expect(await take(client.followEvents({ signal: untilTheEnd(), quietMs: 100 }), 1)).toEqual([1]);
    expect(opened).toBe(2);
  });
});
